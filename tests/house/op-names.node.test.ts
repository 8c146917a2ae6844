/** Every op has its shader, its declaration and its test, under one name. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { opNameFaults, stems } from "./op-names";
import { root } from "./sources";

const list = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

describe("op names", () => {
  it("are the same in shaders/, src/ops/ and tests/ops/", () => {
    const shaders = stems(list("shaders"), ".wgsl");
    expect(shaders.size).toBeGreaterThan(0);
    expect(opNameFaults(shaders, stems(list("src/ops"), ".ts"), stems(list("tests/ops"), ".test.ts"))).toEqual([]);
  });

  it("a missing file is named", () => {
    const both = new Set(["rope", "gelu"]);
    expect(opNameFaults(both, both, new Set(["rope"]))).toEqual([
      'The op "gelu" lacks tests/ops/gelu.test.ts; an op is a shader, a declaration and a test.',
    ]);
    expect(opNameFaults(new Set(["rope"]), both, both)).toHaveLength(1);
    expect(opNameFaults(both, new Set(), both)).toHaveLength(2);
  });

  it("stems leave out folders below and other endings", () => {
    expect(stems(["rope.wgsl", "lib/sum.wgsl", "rope.md"], ".wgsl")).toEqual(new Set(["rope"]));
  });
});
