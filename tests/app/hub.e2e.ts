/** A model from the hub by hand on the built studio, over the hub's own addresses: look up, download, reload, open offline, delete. */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, type Page, test } from "@playwright/test";
import { fakeHub } from "../support/fake-hub";

const id = "tests/tiny-int4";

async function folder(name: string): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const root = fileURLToPath(new URL(`../golden/${name}/`, import.meta.url));
  const paths = await readdir(root, { recursive: true, withFileTypes: true });
  return new Map(
    await Promise.all(
      paths
        .filter((entry) => entry.isFile())
        .map(async ({ parentPath, name: file }) => {
          const path = `${parentPath.slice(root.length).replace(/^\//, "")}/${file}`.replace(/^\//, "");
          return [path, new Uint8Array(await readFile(`${parentPath}/${file}`))] as const;
        }),
    ),
  );
}

/** Serves the hub's addresses; whatever else leaves the origin is put into the list that comes back. */
async function serveHub(page: Page, origin: string) {
  const repository = { id, commit: "1".repeat(40), files: await folder("llama-int4/model") };
  const hub = fakeHub({ repositories: [repository] });
  const foreign: string[] = [];
  await page.route(
    (url) => url.origin !== origin && /^https?:$/.test(url.protocol),
    async (route) => {
      const request = route.request();
      const url = new URL(request.url());
      if (url.hostname !== "huggingface.co") {
        foreign.push(url.href);
        await route.abort();
        return;
      }
      if (hub.offline) {
        await route.abort("internetdisconnected");
        return;
      }
      const answer = await hub.handle(
        new Request(url, { method: request.method(), headers: await request.allHeaders() }),
      );
      await route.fulfill({
        status: answer.status,
        headers: { ...Object.fromEntries(answer.headers), "access-control-allow-origin": "*" },
        body: Buffer.from(await answer.arrayBuffer()),
      });
    },
  );
  return { hub, foreign };
}

test("look a model up, download it, reload, open it without a connection, delete it", async ({ page, baseURL }) => {
  const { hub, foreign } = await serveHub(page, new URL(baseURL ?? "").origin);
  await page.goto("/#/model");
  await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });
  expect(hub.requests, "nothing is asked of the hub before the user does").toEqual([]);

  await page.getByRole("button", { name: /From the hub/ }).click();
  await page.getByLabel("Model id or address").fill(id);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /^Download and open/ }).click();
  const kernels = page.getByText(/Checked against plain arithmetic on this device/);
  await expect(page.getByText(`${id} is open.`).first()).toBeAttached({ timeout: 60_000 });
  await expect(kernels).toBeVisible();

  await page.reload();
  await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });
  hub.offline = true;
  const asked = hub.requests.length;
  await page.getByRole("button", { name: /On this device/ }).click();
  await page.getByRole("button", { name: new RegExp(`^Choose ${id}`) }).click();
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByText(`${id} is open.`).first()).toBeAttached({ timeout: 60_000 });
  expect(hub.requests.length).toBe(asked);

  // The ways to other models close once one is open.
  await page.getByRole("button", { name: /On this device/ }).click();
  await page.getByRole("button", { name: `Delete ${id} from this device` }).click();
  await page.getByRole("button", { name: "Delete the files" }).click();
  await expect(page.getByText("Nothing downloaded yet")).toBeVisible();
  expect(foreign).toEqual([]);
});
