/** safetensors: what is said about an index or shards that lie, and about four-bit matrices whose parts do not fit together. */
import { describe, expect, it } from "vitest";
import type { Bytes } from "./build-files";
import {
  f32,
  first,
  fourBitParts,
  index,
  indexName,
  one,
  openAll,
  type Part,
  refusal,
  second,
  shards,
  tensorFile,
  u16,
} from "./safetensors-files";

const lies = (path: unknown) =>
  `${indexName} says that tensor "a" lies in ${JSON.stringify(path)}; it must be the name of a .safetensors file of the same folder.`;

describe("an index or shards that lie", () => {
  it("are read where they do not", () => openAll(index({ a: first, b: second })));

  it.each<[string, Readonly<Record<string, Bytes | string>>, string]>([
    ["no JSON", { ...shards, [indexName]: "{" }, `${indexName} is not valid JSON`],
    ["a list", { ...shards, [indexName]: "[]" }, `${indexName} is not a JSON object`],
    [
      "no map",
      { ...shards, [indexName]: "{}" },
      `${indexName} has no object "weight_map" of file names by tensor; download it again.`,
    ],
    ["a map that is a list", index([first]), `${indexName} has no object "weight_map"`],
    ["an empty map", index({}), `${indexName} lists 0 tensors; it must be 1 to 20000.`],
    ["a path out of the folder", index({ a: "../model.safetensors" }), lies("../model.safetensors")],
    ["an absolute path", index({ a: "/etc/x.safetensors" }), lies("/etc/x.safetensors")],
    ["a path of Windows", index({ a: "..\\x.safetensors" }), lies("..\\x.safetensors")],
    ["an address", index({ a: "https://x.org/a.safetensors" }), lies("https://x.org/a.safetensors")],
    ["itself", index({ a: indexName }), lies(indexName)],
    ["another kind of file", index({ a: "config.json" }), lies("config.json")],
    ["a number", index({ a: 5 }), lies(5)],
    ["nothing", index({ a: null }), lies(null)],
    ["a file within a list", index({ a: [first] }), lies([first])],
    [
      "a shard that is not there",
      index({ a: first, b: "model-00003-of-00003.safetensors" }),
      "which is missing; add that file to the folder.",
    ],
    [
      "a tensor that no shard has",
      index({ a: first, c: second }),
      `${indexName} says that ${second} holds the tensor "c", but it does not;`,
    ],
    [
      "a tensor of the other shard",
      index({ a: second, b: second }),
      `${indexName} says that ${second} holds the tensor "a", but it does not;`,
    ],
    [
      "a tensor in both",
      { [first]: shards[first] ?? "", [second]: shards[first] ?? "" },
      `Both ${first} and ${second} hold the tensor "a"; the files belong to different models`,
    ],
    ["a shard that is missing", { [second]: shards[second] ?? "" }, `${second} goes with ${first}, which is missing`],
    [
      "99,999 shards",
      { "model-00001-of-99999.safetensors": one },
      "goes with model-00002-of-99999.safetensors, which is missing",
    ],
    [
      "shard 3 of 2",
      { ...shards, "model-00003-of-00002.safetensors": one },
      "model-00003-of-00002.safetensors is not one of the 2 files",
    ],
    [
      "shards of two models",
      { ...shards, "model-00001-of-00003.safetensors": one },
      "model-00001-of-00003.safetensors is not one of the 2 files",
    ],
    ["shard 0 of 0", { "model-00000-of-00000.safetensors": one }, "is not one of the 0 files"],
    ["a broken shard", { ...shards, [second]: one }, `${second} has 4 bytes, too few for a safetensors file`],
    [
      "501 shards",
      index(Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`t${i}`, `${i}.safetensors`]))),
      "model splits its weights over 501 files; more than 500 are not read.",
    ],
  ])("%s", async (_, files, message) => {
    expect(await refusal(files)).toContain(message);
  });
});

describe("four-bit matrices that lie", () => {
  const part = (name: string, patch: Partial<Part> | null, nested = false) =>
    tensorFile(
      fourBitParts(nested).flatMap((given) => (given.name !== name ? [given] : patch ? [{ ...given, ...patch }] : [])),
    );
  const kind = "w.weight.quant_state.bitsandbytes__nf4";
  const state = (patch: Readonly<Record<string, unknown>>, nested = false) => {
    const text = new TextDecoder().decode(fourBitParts(nested).find(({ name }) => name === kind)?.data);
    return part(kind, { data: new TextEncoder().encode(JSON.stringify({ ...JSON.parse(text), ...patch })) }, nested);
  };
  const label = `model.safetensors: tensor "${kind}"`;

  it("are read where they do not", async () => {
    await openAll({ "model.safetensors": tensorFile(fourBitParts(false)) });
    await openAll({ "model.safetensors": tensorFile(fourBitParts(true)) });
  });

  it.each<[string, Bytes, string]>([
    ["no JSON", part(kind, { data: new TextEncoder().encode("nf4") }), `${label} is not valid JSON`],
    ["NaN", part(kind, { data: new TextEncoder().encode('{"blocksize": NaN}') }), `${label} is not valid JSON`],
    [
      "a state of 5,000 bytes",
      part(kind, { data: new Uint8Array(5000).fill(32) }),
      `${label} has 5000 bytes of U8; a quant_state is up to 4096`,
    ],
    [
      "a state of floats",
      part(kind, { dtype: "F32", data: new Uint8Array(8) }),
      `${label} has 8 bytes of F32; a quant_state is`,
    ],
    [
      "a block of 0",
      state({ blocksize: 0 }),
      `${label} has the field blocksize wrong (0); the file is damaged or of an unknown kind.`,
    ],
    ["a block of 2^53", state({ blocksize: 2 ** 53 }), "has the field blocksize wrong (9007199254740992)"],
    ["a block of −64", state({ blocksize: -64 }), "has the field blocksize wrong (-64)"],
    ["a block of 63", state({ blocksize: 63 }), "has the field blocksize wrong (63)"],
    ["no shape", state({ shape: null }), "has the field shape wrong (null)"],
    ["three dims", state({ shape: [2, 4, 24] }), "has the field shape wrong ([2,4,24])"],
    ["a dim of −8", state({ shape: [-8, 24] }), "has the field shape.0 wrong ([-8,24])"],
    ["a dim of 1.5", state({ shape: [1.5, 128] }), "has the field shape.0 wrong ([1.5,128])"],
    [
      "a shape of 2^60",
      state({ shape: [2 ** 30, 2 ** 30] }),
      "says that the shape is [1073741824, 1073741824], which is impossible",
    ],
    [
      "a larger shape",
      state({ shape: [16, 24] }),
      'tensor "w.weight" has 96 bytes of U8, but for the shape [16, 24] in blocks of 64 it must be 192;',
    ],
    [
      "a smaller shape",
      state({ shape: [4, 24] }),
      'tensor "w.weight" has 96 bytes of U8, but for the shape [4, 24] in blocks of 64 it must be 48;',
    ],
    ["a shape whose bytes pass 2^53", state({ shape: [2 ** 26, 2 ** 26] }), "it must be 2251799813685248;"],
    [
      "another quant_type",
      state({ quant_type: "fp4" }),
      `${label} says that its quant_type is fp4, unlike its name; the file is damaged.`,
    ],
    ["an unknown quant_type", state({ quant_type: "af4" }), 'has the field quant_type wrong ("af4")'],
    ["an unknown dtype", state({ dtype: "float8" }), 'has the field dtype wrong ("float8")'],
    [
      "an unknown kind",
      part(kind, { name: "w.weight.quant_state.bitsandbytes__int4" }),
      "says that its quant_type is nf4, unlike its name",
    ],
    [
      "no scales",
      part("w.weight.absmax", null),
      `${label} goes with "w.weight.absmax", which is missing; download the file again.`,
    ],
    ["no table", part("w.weight.quant_map", null), `${label} goes with "w.weight.quant_map", which is missing`],
    ["no codes", part("w.weight", null), `${label} goes with "w.weight", which is missing`],
    [
      "too few scales",
      part("w.weight.absmax", { data: f32(1, 2) }),
      'tensor "w.weight.absmax" has 8 bytes of F32, but for the shape [8, 24] in blocks of 64 it must be 12 of F32;',
    ],
    [
      "scales in half floats",
      part("w.weight.absmax", { dtype: "F16", data: u16(1, 1, 1, 1, 1, 1) }),
      'tensor "w.weight.absmax" has 12 bytes of F16, but',
    ],
    [
      "a scale that is NaN",
      part("w.weight.absmax", { data: f32(1, Number.NaN, 1) }),
      'tensor "w.weight.absmax" holds NaN or infinity at block 1; the file is damaged, use another copy.',
    ],
    [
      "another table",
      part("w.weight.quant_map", { data: new Uint8Array(64) }),
      'tensor "w.weight.quant_map" has the value 0 for code 0, where nf4 has -1; other code tables cannot be read',
    ],
    [
      "a table of NaN",
      part("w.weight.quant_map", { data: new Uint8Array(64).fill(255) }),
      'tensor "w.weight.quant_map" has the value NaN for code 0',
    ],
    [
      "a short table",
      part("w.weight.quant_map", { data: new Uint8Array(60) }),
      'tensor "w.weight.quant_map" has 60 bytes of F32, but',
    ],
    ["a nested block of 0", state({ nested_blocksize: 0 }, true), "has the field nested_blocksize wrong (0)"],
    ["a nested offset that is a text", state({ nested_offset: "0" }, true), 'has the field nested_offset wrong ("0")'],
    [
      "a nested offset that is huge",
      state({ nested_offset: 1e300 }, true),
      'tensor "w.weight.absmax" holds NaN or infinity at block 0',
    ],
    ["no nested offset", state({ nested_offset: undefined }, true), "has the field nested_offset wrong (missing)"],
    ["nested half floats", state({ nested_dtype: "float16" }, true), 'has the field nested_dtype wrong ("float16")'],
    [
      "no nested table",
      part("w.weight.nested_quant_map", null, true),
      'goes with "w.weight.nested_quant_map", which is missing',
    ],
    [
      "no nested scales",
      part("w.weight.nested_absmax", null, true),
      'goes with "w.weight.nested_absmax", which is missing',
    ],
    [
      "a nested table of NaN",
      part("w.weight.nested_quant_map", { data: new Uint8Array(1024).fill(255) }, true),
      "holds NaN or infinity at block 0",
    ],
    [
      "nested scales of another size",
      part("w.weight.nested_absmax", { data: f32(1, 2) }, true),
      'tensor "w.weight.nested_absmax" has 8 bytes of F32, but',
    ],
    [
      "codes without a state",
      part(kind, null),
      'model.safetensors: tensor "w.weight" has dtype U8; only F32, F16 and BF16 can be read',
    ],
    [
      "two states",
      tensorFile([
        ...fourBitParts(false),
        { name: "w.weight.quant_state.bitsandbytes__fp4", dtype: "U8", data: new Uint8Array(2) },
      ]),
      "is not valid JSON",
    ],
    [
      "LLM.int8",
      tensorFile([
        { name: "w.weight", dtype: "I8", data: new Uint8Array(4) },
        { name: "w.SCB", dtype: "F32", data: one },
      ]),
      'tensor "w.SCB" belongs to a matrix in LLM.int8, the 8 bits of bitsandbytes, which cannot be read; use the unquantized model',
    ],
  ])("%s", async (_, file, message) => {
    expect(await refusal({ "model.safetensors": file })).toContain(message);
  });
});
