/** src/ARCHITECTURE.md exists and knows every folder. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { architecturePageFaults } from "./architecture-page";
import { root } from "./sources";

describe("src/ARCHITECTURE.md", () => {
  it("names every folder of src", () => {
    const page = readFileSync(join(root, "src", "ARCHITECTURE.md"), "utf8");
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.length).toBeGreaterThan(0);
    expect(architecturePageFaults(page, folders)).toEqual([]);
  });

  it("a folder that is missing is named", () => {
    expect(architecturePageFaults("`engine/` runs kernels.", ["engine", "ops"])).toEqual([
      "src/ARCHITECTURE.md does not name ops/; say in a line what is in it.",
    ]);
    expect(architecturePageFaults("drops/ are not ops", ["ops"])).toHaveLength(1);
  });
});
