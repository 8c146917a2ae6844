/** data/ and export/ load in plain Node, where there is neither a GPU nor a page. */
import { describe, expect, it } from "vitest";

const modules = import.meta.glob(["../../src/data/**/*.ts", "../../src/export/**/*.ts"]);

describe("data/ and export/", () => {
  it("are there", () => {
    for (const folder of ["data", "export"]) {
      expect(
        Object.keys(modules).some((path) => path.startsWith(`../../src/${folder}/`)),
        folder,
      ).toBe(true);
    }
  });

  it("meet no GPU and no page here", () => {
    expect("document" in globalThis || "window" in globalThis).toBe(false);
    expect((globalThis.navigator as Partial<Navigator> | undefined)?.gpu).toBeUndefined();
  });

  it.each(Object.keys(modules))("%s loads in Node", async (path) => {
    await expect(modules[path]?.()).resolves.toBeDefined();
  });
});
