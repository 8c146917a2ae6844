/**
 * The built page on a host that sends no header of its own: it opens and trains without a connection, reaches nothing but
 * its origin and the hub, page and worker alike, and changes to a new version when it is told to.
 */
import { fileURLToPath } from "node:url";
import { expect, type Page, test } from "@playwright/test";
import { type PlainHost, plainHost } from "../support/plain-host";

test.use({ serviceWorkers: "allow" });
// Each opens the model several times, and one trains besides.
test.describe.configure({ timeout: 400_000 });

interface Violation {
  readonly directive: string;
  readonly blocked: string;
  readonly sample: string;
}
interface Watched {
  violations?: Violation[];
}

let host: PlainHost;
let asked: string[] = [];
let refusals: string[] = [];

test.beforeEach(async ({ page, context }) => {
  host = await plainHost(fileURLToPath(new URL("../../dist/", import.meta.url)));
  asked = [];
  refusals = [];
  context.on("request", (request) => asked.push(request.url()));
  // Chromium says in the console what a policy kept it from, whoever asked.
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) refusals.push(message.text());
  });
  await page.addInitScript(watch);
  page.on("worker", (worker) => void worker.evaluate(watch).catch(() => undefined));
});
test.afterEach(() => host.remove());

/** In a page or a worker: notes what the policy refuses. */
function watch(): void {
  const noted: Violation[] = [];
  (globalThis as Watched).violations = noted;
  globalThis.addEventListener("securitypolicyviolation", (event) => {
    if (!(event instanceof SecurityPolicyViolationEvent)) return;
    noted.push({ directive: event.effectiveDirective, blocked: event.blockedURI, sample: event.sample });
  });
}

const noted = () => (globalThis as Watched).violations ?? null;

async function violations(page: Page): Promise<readonly Violation[]> {
  const lists = [await page.evaluate(noted)];
  for (const worker of page.workers()) lists.push(await worker.evaluate(noted));
  for (const list of lists) expect(list, "listens to the policy").not.toBeNull();
  return lists.flatMap((list) => list ?? []);
}

const foreign = (): string[] =>
  asked.filter((url) => /^(https?|wss?):/.test(url) && !url.startsWith(new URL(host.url).origin));

const opened = (page: Page) =>
  expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });

/** Addresses of what the service worker keeps, without the hashes behind them. */
const kept = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const names = await caches.keys();
    const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return keys.flat().map(({ url }) => url.replace(/[?].*$/, ""));
  });

async function visitOnce(page: Page): Promise<void> {
  await page.goto(host.url);
  await opened(page);
  await expect(async () =>
    expect(await kept(page)).toContain(`${host.url}models/tabtune-tiny/onnx/model_q4.onnx`),
  ).toPass({ timeout: 60_000 });
}

async function checkNumbers(page: Page): Promise<void> {
  await page.goto(`${host.url}#/model`);
  await page.getByRole("button", { name: "Check the numbers" }).click();
  await expect(page.getByText(/agree on all \d+ tokens/)).toBeVisible({ timeout: 150_000 });
}

test("after one visit it opens, trains, answers and checks itself without a connection, within the policy", async ({
  page,
}) => {
  await visitOnce(page);
  const first = await kept(page);
  expect(new Set(first).size).toBe(first.length);
  expect(first).toContain(`${host.url}datasets/pirate.jsonl`);
  // Twenty-seven megabytes that few people need.
  expect(first.filter((url) => /\.wasm$|self-check|headless|service-worker/.test(url))).toEqual([]);

  await page.reload();
  await opened(page);
  await checkNumbers(page);
  await expect(async () => expect((await kept(page)).some((url) => url.endsWith(".wasm"))).toBe(true)).toPass();

  await host.goAway();
  await page.goto("about:blank");
  await page.goto(host.url);
  await opened(page);
  await page.goto(`${host.url}#/train`);
  await page.getByLabel("Unit of the length").selectOption("steps");
  await page.getByLabel("Train for").fill("2");
  await page.getByRole("button", { name: "Train the sample" }).click();
  await expect(page.getByText("Kept in this browser as")).toBeVisible({ timeout: 150_000 });
  await page.goto(`${host.url}#/try`);
  await page.getByRole("button", { name: "Generate both" }).click();
  await expect(page.locator("#try").getByText(/tokens, [\d.]+\/s/)).toHaveCount(2, { timeout: 120_000 });
  await checkNumbers(page);

  expect(await violations(page)).toEqual([]);
  expect(refusals).toEqual([]);
  expect(foreign()).toEqual([]);
  expect(asked.some((url) => url.endsWith("/onnx/model_q4.onnx"))).toBe(true);
});

test("neither the page nor its worker can reach another host, with no header from the server", async ({ page }) => {
  await visitOnce(page);
  // From the second visit on the worker's script comes with the policy, too.
  await page.reload();
  await opened(page);
  expect(page.workers()).toHaveLength(1);
  const reach = async (): Promise<string> => {
    const sent = await fetch("https://example.com/?secret", { mode: "no-cors" }).then(
      () => "sent",
      (error: unknown) => String(error),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    return sent;
  };
  const [worker] = page.workers();
  for (const [sent, list] of [
    [await page.evaluate(reach), await page.evaluate(noted)],
    [await worker?.evaluate(reach), await worker?.evaluate(noted)],
  ] as const) {
    expect(sent).toContain("TypeError");
    // The page has the policy twice, in its own text and as a header.
    expect(new Set(list?.map(({ directive, blocked }) => `${directive} ${blocked}`))).toEqual(
      new Set(["connect-src https://example.com/?secret"]),
    );
  }
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expect(foreign()).toEqual([]);
});

test("a new version waits until it is asked for, then only what changed is fetched", async ({ page }) => {
  await visitOnce(page);
  await page.reload();
  await opened(page);
  const before = await kept(page);
  host.update("Fine-tune a small", "Fine-tune another small");
  asked = [];
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  const note = page.getByRole("status").filter({ hasText: "A new version is ready." });
  await expect(note).toBeVisible();
  const description = page.locator("meta[name=description]");
  await expect(description).toHaveAttribute("content", /^Fine-tune a small/);
  await note.getByRole("button", { name: "Reload" }).click();
  await expect(description).toHaveAttribute("content", /^Fine-tune another small/);
  await opened(page);
  await expect(note).toHaveCount(0);
  await expect(async () => expect((await kept(page)).sort()).toEqual(before.sort())).toPass({ timeout: 20_000 });
});

const noteOf = (page: Page) => page.getByRole("status").filter({ hasText: "A new version is" });
const description = (page: Page) => page.locator("meta[name=description]");
const keptPages = async (page: Page): Promise<number> => (await kept(page)).filter((url) => /html$/.test(url)).length;

test("a version that waits keeps its files while tabs run the old one, and opens in each without a connection", async ({
  page,
  context,
}) => {
  await visitOnce(page);
  host.update("Fine-tune a small", "Fine-tune another small");
  await page.reload();
  await expect(noteOf(page)).toBeVisible();
  // Now it waits, and the old page opens the model once more.
  await page.reload();
  await opened(page);
  const second = await context.newPage();
  await second.goto(host.url);
  await opened(second);
  await expect(noteOf(second)).toBeVisible();
  await second.waitForTimeout(1500);
  expect(await keptPages(second)).toBe(2);

  await host.goAway();
  await noteOf(page).getByRole("button", { name: "Reload" }).click();
  await expect(description(page)).toHaveAttribute("content", /^Fine-tune another small/);
  await opened(page);
  await page.waitForTimeout(1500);
  expect(await keptPages(page)).toBe(2);

  await expect(description(second)).toHaveAttribute("content", /^Fine-tune a small/);
  await noteOf(second).getByRole("button", { name: "Reload" }).click();
  await expect(description(second)).toHaveAttribute("content", /^Fine-tune another small/);
  await second.close();
  await page.reload();
  await opened(page);
  await expect.poll(() => keptPages(page)).toBe(1);
});

test("a host that rewrites files does not hold visitors on an old version", async ({ page }) => {
  await visitOnce(page);
  host.update("Fine-tune a small", "Fine-tune another small");
  host.rewrite("another small", "one more small");
  await page.reload();
  await expect(noteOf(page)).toContainText("not all of its files could be kept");
  await expect(description(page)).toHaveAttribute("content", /^Fine-tune a small/);
  await noteOf(page).getByRole("button", { name: "Reload" }).click();
  await expect(description(page)).toHaveAttribute("content", /^Fine-tune one more small/);
  await opened(page);
  await expect(noteOf(page)).toHaveCount(0);
  // Once the host sends what was built, all is kept again.
  host.rewrite("one more small", "another small");
  await page.reload();
  await expect.poll(() => keptPages(page), { timeout: 60_000 }).toBeGreaterThan(0);
  await page.reload();
  await expect(description(page)).toHaveAttribute("content", /^Fine-tune another small/);
  expect(await page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
});
