/** safetensors: what is said about a broken or hostile file, and that no header takes memory. */
import { describe, expect, it } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { openSafetensors } from "../../src/model/weights/safetensors";
import { type Bytes, safetensorsFile } from "./build-files";
import {
  entry,
  f32,
  first,
  index,
  indexName,
  mebibyte,
  one,
  refusal,
  second,
  shards,
  u16,
  used,
} from "./safetensors-files";

async function read(file: Bytes, name: string) {
  const source = await openSafetensors(new Blob([file]), "m.safetensors");
  return source.read(name);
}

const header = (value: unknown) => safetensorsFile({ w: value }, one);

describe("a safetensors file that is broken or lies", () => {
  it.each<[string, Bytes, string]>([
    ["empty", new Uint8Array(), "m.safetensors has 0 bytes, too few for a safetensors file; download it again."],
    ["shorter than its length field", new Uint8Array(7), "m.safetensors has 7 bytes, too few"],
    [
      "header longer than the file",
      safetensorsFile({}, one, 1000n),
      "m.safetensors says that its header has 1000 bytes, but the file has 14",
    ],
    ["header of 2^63 bytes", safetensorsFile({}, one, 2n ** 63n), "says that its header has 9223372036854775808 bytes"],
    ["header of 0 bytes", safetensorsFile({}, one, 0n), "says that its header has 0 bytes"],
    [
      "header cut in the middle",
      safetensorsFile({ w: entry("F32", [1], 0, 4) }, one, 20n),
      "The header of m.safetensors is not valid JSON; the file is damaged or not a safetensors file.",
    ],
    [
      "header that is no text",
      safetensorsFile("", new Uint8Array([0xff, 0xff, 0xff, 0xff]), 4n),
      "The header of m.safetensors is not valid JSON",
    ],
    [
      "header that is a list",
      safetensorsFile([], one),
      "The header of m.safetensors is not a JSON object; this is not a safetensors file.",
    ],
    [
      "entry that is a number",
      header(5),
      'm.safetensors: tensor "w" has a header entry with a wrong form; the file is damaged.',
    ],
    [
      "entry without offsets",
      header({ dtype: "F32", shape: [1] }),
      'tensor "w" has a header entry with a wrong data_offsets;',
    ],
    [
      "three offsets",
      header({ dtype: "F32", shape: [1], data_offsets: [0, 4, 4] }),
      'tensor "w" has a header entry with a wrong data_offsets',
    ],
    ["negative dim", header(entry("F32", [-1], 0, 4)), 'tensor "w" has a header entry with a wrong shape.0;'],
    ["fractional dim", header(entry("F32", [0.5], 0, 4)), 'tensor "w" has a header entry with a wrong shape.0;'],
    [
      "NaN for a dim",
      safetensorsFile('{"w":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', one),
      "is not valid JSON",
    ],
    [
      "1e999 for a dim",
      safetensorsFile('{"w":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}}', one),
      'tensor "w" has a header entry with a wrong shape.0;',
    ],
    ["a dim of 2^53", header(entry("U8", [2 ** 53], 0, 4)), 'tensor "w" has a header entry with a wrong shape.0;'],
    [
      "a negative offset",
      header(entry("F32", [1], -4, 0)),
      'tensor "w" has a header entry with a wrong data_offsets.0;',
    ],
    [
      "a shape that is a number",
      header({ dtype: "F32", shape: 1, data_offsets: [0, 4] }),
      "has a header entry with a wrong shape;",
    ],
    [
      "a dtype that is a number",
      header({ dtype: 1, shape: [1], data_offsets: [0, 4] }),
      "has a header entry with a wrong dtype;",
    ],
    [
      "a name twice",
      safetensorsFile(
        '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        one,
      ),
      "The header of m.safetensors names something twice (2 entries, 1 names); it is damaged.",
    ],
    [
      "a name twice, once escaped",
      safetensorsFile(
        '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0077":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        one,
      ),
      "The header of m.safetensors names something twice",
    ],
    [
      "a name with a line feed",
      safetensorsFile({ "w\nx": entry("F33", [1], 0, 4) }, one),
      'm.safetensors: tensor "w\\nx" has the unknown dtype "F33"',
    ],
    [
      "the name __proto__",
      safetensorsFile('{"__proto__":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}', one),
      'tensor "__proto__" has the unknown dtype "F33"',
    ],
    ["unsafe offset", header({ dtype: "F32", shape: [1], data_offsets: [0, 2 ** 60] }), "wrong data_offsets.1"],
    [
      "a weight in 8 bits",
      safetensorsFile({ "lm_head.weight": entry("F8_E4M3", [4], 0, 4) }, one),
      'm.safetensors: tensor "lm_head.weight" has dtype F8_E4M3; only F32, F16 and BF16 can be read, save the model in one of these.',
    ],
    [
      "unknown dtype",
      header(entry("F33", [1], 0, 4)),
      'm.safetensors: tensor "w" has the unknown dtype "F33"; only F32, F16 and BF16 can be read.',
    ],
    ["dtype constructor", header(entry("constructor", [1], 0, 4)), 'has the unknown dtype "constructor"'],
    [
      "data beyond the end",
      header(entry("F32", [2], 0, 8)),
      'tensor "w" should lie in bytes 62 to 70, but the file ends at 66; it is cut off, download it again.',
    ],
    ["offsets the wrong way round", header(entry("F32", [1], 4, 0)), 'tensor "w" should lie in bytes 66 to 62'],
    [
      "shape larger than the data",
      header(entry("F32", [3], 0, 4)),
      'tensor "w" has shape [3] of F32 but 4 bytes of data; the file is damaged.',
    ],
    [
      "product past 2^53",
      header(entry("F32", [2 ** 30, 2 ** 30, 2 ** 30], 0, 4)),
      "has shape [1073741824, 1073741824, 1073741824] of F32 but 4 bytes",
    ],
    [
      "product that overflows to 0",
      header(entry("F32", [2 ** 32, 2 ** 32, 0], 0, 0)),
      "has shape [4294967296, 4294967296, 0] of F32 but 0 bytes",
    ],
    [
      "overlap",
      safetensorsFile({ a: entry("F32", [2], 0, 8), b: entry("F32", [1], 4, 8) }, f32(1, 2)),
      'm.safetensors: tensor "b" starts at byte 119 but the one before it ends at 123; the file is damaged.',
    ],
    [
      "hole",
      safetensorsFile({ a: entry("F32", [1], 4, 8) }, f32(1, 2)),
      'tensor "a" starts at byte 66 but the one before it ends at 62',
    ],
    [
      "bytes after the last tensor",
      safetensorsFile({ a: entry("F32", [1], 0, 4) }, f32(1, 2)),
      "m.safetensors: the tensors end at byte 66 but the file at 70; it is damaged, download it again.",
    ],
  ])("%s", async (_, file, message) => {
    const opening = openSafetensors(new Blob([file]), "m.safetensors");
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(WeightsError);
    expect(await refusal({ "model.safetensors": file })).toContain(
      message.replace("m.safetensors", "model.safetensors"),
    );
  });

  it.each<[string, string, Bytes, string]>([
    [
      "NaN in F32",
      "F32",
      f32(0, Number.NaN),
      'm.safetensors: tensor "w" holds NaN or infinity at element 1; the file is damaged or the model diverged, use another copy.',
    ],
    ["−infinity in F32", "F32", f32(Number.NEGATIVE_INFINITY, 0), 'tensor "w" holds NaN or infinity at element 0'],
    ["infinity in F16", "F16", u16(0, 0x7bff, 0x7c00), 'tensor "w" holds NaN or infinity at element 2'],
    ["NaN in BF16", "BF16", u16(0x7f7f, 0xffc0), 'tensor "w" holds NaN or infinity at element 1'],
    [
      "integers",
      "I64",
      new Uint8Array(8),
      'm.safetensors: tensor "w" has dtype I64; only F32, F16 and BF16 can be read, save the model in one of these.',
    ],
    ["8-bit floats", "F8_E4M3", new Uint8Array(8), 'tensor "w" has dtype F8_E4M3;'],
  ])("%s", async (_, dtype, data, message) => {
    const width = { F32: 4, F16: 2, BF16: 2, I64: 8, F8_E4M3: 1 }[dtype] ?? 1;
    const file = safetensorsFile({ w: entry(dtype, [data.length / width], 0, data.length) }, data);
    await expect(read(file, "w")).rejects.toThrow(message);
  });

  it("a tensor that is not there", async () => {
    await expect(read(safetensorsFile({}, new Uint8Array()), "lm_head.weight")).rejects.toThrow(
      'm.safetensors has no tensor "lm_head.weight"; it holds another model or only part of one.',
    );
  });

  it("a file that changes after it was opened", async () => {
    const blob = new Blob([safetensorsFile({ w: entry("F32", [1], 0, 4) }, one)]);
    const source = await openSafetensors(blob, "m.safetensors");
    blob.slice = () => {
      throw new DOMException("The file changed.", "NotReadableError");
    };
    await expect(source.read("w")).rejects.toThrow(
      "m.safetensors could not be read at byte 62 (The file changed.); open the model again.",
    );
  });
});

describe("a file made to take memory", () => {
  const text = (json: string) => ({ "model.safetensors": safetensorsFile(json, new Uint8Array()) });
  const many = (count: number, seed: string) =>
    safetensorsFile(
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${seed}${i}`, entry("U8", [0], 0, 0)])),
      new Uint8Array(),
    );
  it.each<[string, () => Readonly<Record<string, Bytes | string>>, string]>([
    ["a header of 5 MiB", () => text(`{"a":"${"x".repeat(5 * mebibyte)}"}`), "and a header at most 4194304"],
    [
      "two million lists, one in another",
      () => text("[".repeat(2 * mebibyte) + "]".repeat(2 * mebibyte - 1)),
      "is nested 17 deep",
    ],
    [
      "a million empty objects",
      () => text(`{"a":[${"{},".repeat(mebibyte)}{}]}`),
      "with over 300000 values, more than is read",
    ],
    [
      "two million zeros",
      () => text(`{"a":{"dtype":"F32","shape":[${"0,".repeat(2 * mebibyte - 99)}0],"data_offsets":[0,0]}}`),
      "with over 300000 values",
    ],
    [
      "30,000 tensors",
      () => ({ "model.safetensors": many(30_000, "a") }),
      "model.safetensors lists 30000 tensors; more than 20000 are not read.",
    ],
    [
      "15,000 tensors in each shard",
      () => ({ [first]: many(15_000, "a"), [second]: many(15_000, "b") }),
      `model holds 30000 tensors up to ${second}; more than 20000 are not read.`,
    ],
    [
      "an index of 5 MiB",
      () => ({ ...shards, [indexName]: " ".repeat(5 * mebibyte) }),
      `${indexName} has 5242880 bytes, more than the 4194304 that are read`,
    ],
    [
      "an index of lists",
      () => ({ ...shards, [indexName]: "[".repeat(4 * mebibyte) }),
      `${indexName} is nested 17 deep`,
    ],
    [
      "an index of 100,000 tensors",
      () => index(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, "a.safetensors"]))),
      `${indexName} lists 100000 tensors; it must be 1 to 20000.`,
    ],
    [
      "a name of 3 MiB",
      () => text(`{"${"n".repeat(3 * mebibyte)}":{"dtype":"F9","shape":[],"data_offsets":[0,0]}}`),
      'has the unknown dtype "F9"',
    ],
  ])("%s: refused within 64 MB", async (_, make, message) => {
    const files = make();
    const before = used();
    const said = await refusal(files);
    expect(used() - before).toBeLessThan(64 * mebibyte);
    expect(said).toContain(message);
    expect(said.length).toBeLessThan(500);
  });
});
