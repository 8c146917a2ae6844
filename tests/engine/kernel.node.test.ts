/** What a kernel declaration refuses, and what it reads from the WGSL. */
import { describe, expect, it } from "vitest";
import { EngineError } from "../../src/engine/errors";
import { kernel, shaderText } from "../../src/engine/kernel";
import { readInterface } from "../../src/engine/wgsl";
import { combine, source } from "./combine";

const declaration = {
  name: "combine.combine",
  source,
  entry: "combine",
  reads: { a: ["rows", "columns"], b: ["rows", "columns"] },
  writes: { y: ["rows", "columns"] },
  params: ["factor", "has_b", "accumulate"],
  grid: () => [1] as const,
} as const;

describe("kernel declarations", () => {
  it("reads fields, bindings, accesses and element types from the WGSL", () => {
    expect(combine.shader.params).toEqual([
      { name: "rows", type: "u32" },
      { name: "columns", type: "u32" },
      { name: "factor", type: "f32" },
      { name: "has_b", type: "u32" },
      { name: "accumulate", type: "u32" },
    ]);
    expect(combine.shader.paramsBinding).toBe(0);
    expect(combine.shader.storage.get("a")).toEqual({ binding: 1, access: "read", dtype: "f32" });
    expect(combine.shader.storage.get("y")).toEqual({ binding: 3, access: "read_write", dtype: "f32" });
    const other = readInterface(
      "other",
      `struct Params { n: i32, } // not this: struct Params { m: u32 }
       @group(0) @binding(7) var<uniform> params: Params;
       // @group(0) @binding(9) var<storage, read> commented: array<f32>;
       @group(0) @binding(4)
       var<storage, read> ids: array<u32>;
       @group(0) @binding(5) var<storage, read_write> pairs: array<vec2<f32>>;
       @group(0) @binding(6) var<storage, read_write> quads: array< vec4<u32> >;`,
    );
    expect(other.params).toEqual([{ name: "n", type: "i32" }]);
    expect(other.paramsBinding).toBe(7);
    expect([...other.storage]).toEqual([
      ["ids", { binding: 4, access: "read", dtype: "u32" }],
      ["pairs", { binding: 5, access: "read_write", dtype: "f32" }],
      ["quads", { binding: 6, access: "read_write", dtype: "u32" }],
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      "a tensor that the shader lacks",
      () => kernel({ ...declaration, reads: { a: ["rows", "columns"], c: ["rows"] } }),
      'combine.combine: the shader has no storage binding named "c".',
    ],
    [
      "an output that the shader only reads",
      () => kernel({ ...declaration, reads: {}, writes: { a: ["rows", "columns"] } }),
      'combine.combine: "a" is read in the shader, the declaration needs read_write.',
    ],
    [
      "an input that the shader writes",
      () => kernel({ ...declaration, reads: { y: ["rows", "columns"] }, writes: {} }),
      'combine.combine: "y" is read_write in the shader, the declaration needs read.',
    ],
    [
      "a parameter that is nowhere",
      () => kernel({ ...declaration, params: ["factor", "eps"] }),
      'combine.combine: the parameter "eps" is neither a field of Params nor a dimension.',
    ],
    [
      "an entry point that the shader lacks",
      () => kernel({ ...declaration, entry: "backward" }),
      'combine.combine: the shader has no entry point "backward".',
    ],
    [
      "a shader without its uniform",
      () => kernel({ ...declaration, source: source.replace("var<uniform>", "var<private>") }),
      "combine.combine: the shader needs struct Params and @group(0) @binding(N) var<uniform> params: Params.",
    ],
    [
      "a uniform field that cannot be filled",
      () => kernel({ ...declaration, source: source.replace("factor: f32", "factor: vec2<f32>") }),
      'combine.combine: Params has the field "factor: vec2<f32>"; only u32, i32 and f32 can be filled.',
    ],
  ])("refuses %s", (_, declare, message) => {
    expect(declare).toThrow(EngineError);
    expect(declare).toThrow(message);
  });

  it("gives one key per file, entry and constants, and puts constants in front", () => {
    expect(combine.with({ overrides: { WORKGROUP: 32 } }).key).toBe(combine.key);
    expect(combine.with({ overrides: { WORKGROUP: 64 } }).key).not.toBe(combine.key);
    const sized = combine.with({ constants: { HEAD_DIM: 64 } });
    expect(sized.key).not.toBe(combine.key);
    expect(shaderText(sized as never)).toBe(`const HEAD_DIM: u32 = 64u;\n${source}`);
    expect(sized.overrides).toEqual({ WORKGROUP: 32 });
  });
});
