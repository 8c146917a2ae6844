/** A fresh clone installs with `npm ci` on every platform. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockfileFaults } from "./lockfile";
import { root } from "./sources";

describe("package-lock.json", () => {
  it("has an entry for every platform's package", () => {
    const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
    expect(Object.keys(packages).length).toBeGreaterThan(50);
    expect(lockfileFaults(packages)).toEqual([]);
  });

  it("a missing entry is named; one further up or inside counts", () => {
    const packages = {
      "": {},
      "node_modules/tool": { optionalDependencies: { "@tool/linux": "1.0.0", "@tool/mac": "1.0.0" } },
      "node_modules/@tool/linux": {},
      "node_modules/tool/node_modules/inner": { optionalDependencies: { "@tool/linux": "1.0.0", deep: "2.0.0" } },
      "node_modules/tool/node_modules/deep": {},
    };
    expect(lockfileFaults(packages)).toEqual([expect.stringContaining("no entry for @tool/mac@1.0.0 of tool")]);
  });
});
