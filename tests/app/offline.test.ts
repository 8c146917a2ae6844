/** What is kept for working offline, in a real cache over real answers. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { BuiltFile } from "../../src/offline/files";
import { keptFiles } from "../../src/offline/kept";

const scope = new URL("/", location.href).href;
const path = "datasets/pirate.jsonl";
const address = scope + path;
const never = (): void => expect.fail("Nothing should be kept.");

async function fileWith(hash: string | null): Promise<BuiltFile> {
  const bytes = await (await fetch(address)).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const real = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { path, hash: hash ?? real, fetched: "install" };
}

const kept = (...files: BuiltFile[]) => keptFiles({ files, headers: { "x-policy": "tight" }, scope });
const keys = async (): Promise<string[]> =>
  (await (await caches.open(`tabtune ${scope}`)).keys()).map(({ url }) => url);

afterEach(async () => {
  vi.restoreAllMocks();
  for (const name of await caches.keys()) if (name.startsWith("tabtune ")) await caches.delete(name);
});

describe("the kept files", () => {
  it("are fetched once, come with the policy's headers, and go when they changed", async () => {
    const file = await fileWith(null);
    const asked = vi.spyOn(globalThis, "fetch");
    await kept(file).fetchAll("install");
    expect(asked).toHaveBeenCalledTimes(1);
    await kept(file).fetchAll("install");
    const answer = await kept(file).answer(file, new Request(address), never);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(answer.headers.get("x-policy")).toBe("tight");
    expect(await answer.text()).toContain("{");
    expect(await keys()).toEqual([`${address}?sha256=${file.hash}`]);
    const next = kept({ ...file, hash: "00" });
    await next.sweep(async () => false);
    expect(await keys()).toHaveLength(1);
    await next.sweep(async () => true);
    expect(await keys()).toEqual([]);
  });

  it("are not those of another content, and the page gets what the server sends", async () => {
    const file = await fileWith("00");
    await expect(kept(file).fetchAll("install")).rejects.toThrow(`${path} is not as it was built (HTTP status 200).`);
    const work: Promise<unknown>[] = [];
    const answer = await kept(file).answer(file, new Request(address), (more) => work.push(more));
    expect(answer.headers.get("x-policy")).toBe("tight");
    expect((await answer.text()).length).toBeGreaterThan(1000);
    await Promise.all(work);
    expect(await keys()).toEqual([]);
  });

  it("are kept at their first use where they are not fetched ahead", async () => {
    const file: BuiltFile = { ...(await fileWith(null)), fetched: "use" };
    await kept(file).fetchAll("install");
    expect(await keys()).toEqual([]);
    const work: Promise<unknown>[] = [];
    await (await kept(file).answer(file, new Request(address), (more) => work.push(more))).text();
    await Promise.all(work);
    expect(await keys()).toEqual([`${address}?sha256=${file.hash}`]);
  });

  it("are not deleted while a version is being installed that may need them", async () => {
    const file = await fileWith(null);
    await kept(file).fetchAll("install");
    const other: BuiltFile = { path: "datasets/pirate-held-out.jsonl", hash: "00", fetched: "install" };
    let send: (response: Response) => void = never;
    const held = new Promise<Response>((resolve) => {
      send = resolve;
    });
    vi.spyOn(globalThis, "fetch").mockReturnValueOnce(held);
    const installed = kept(file, other).fetchAll("install");
    await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(1));
    await kept().sweep(async () => true);
    expect(await keys()).toHaveLength(1);
    send(new Response(null, { status: 404 }));
    await expect(installed).rejects.toThrow("HTTP status 404");
    await kept().sweep(async () => true);
    expect(await keys()).toEqual([]);
  });

  it("answer a tab that runs the version before", async () => {
    const file = await fileWith(null);
    await kept(file).fetchAll("install");
    const asked = vi.spyOn(globalThis, "fetch");
    const answer = await kept().answerOld(new Request(address));
    expect(answer.headers.get("x-policy")).toBe("tight");
    expect(asked).not.toHaveBeenCalled();
  });
});
