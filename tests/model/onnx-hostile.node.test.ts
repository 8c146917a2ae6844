/** ONNX: what is said about broken and hostile files. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { readGraph } from "../../src/model/weights/onnx/file";
import {
  type Bytes,
  int,
  type NodeInit,
  onnxFile,
  openOnnx,
  pattern,
  qProj,
  quantizedLinear,
  rawTensor,
  type TensorInit,
} from "./build-files";

/** A sound file, and the same with one part changed. */
const good = quantizedLinear(4, 64);
const [goodBlocks, goodScales, goodZeros] = good.initializers;
const goodFile = onnxFile([good.node], [...good.initializers]);
const withNode = (patch: NodeInit) => onnxFile([{ ...good.node, ...patch }], [...good.initializers]);
const withAttribute = (name: string, value: number | bigint) =>
  withNode({ attribute: [...good.node.attribute.filter((a) => a.name !== name), int(name, value)] });
const withTensor = (index: number, patch: TensorInit) =>
  onnxFile(
    [good.node],
    good.initializers.map<TensorInit>((tensor, i) => (i === index ? { ...tensor, ...patch } : tensor)),
  );
const external = (values: Record<string, string>) =>
  withTensor(0, {
    rawData: new Uint8Array(),
    dataLocation: 1,
    externalData: Object.entries(values).map(([key, value]) => ({ key, value })),
  });
const node = 'onnx/model_q4.onnx: node "/model/layers.0/self_attn/q_proj/MatMul_Q4"';
const weights = 'onnx/model_q4.onnx: initializer "model.layers.0.self_attn.q_proj.MatMul.weight_Q4"';

describe("an ONNX file that is broken or lies", () => {
  it.each<[string, Bytes, string]>([
    ["empty", new Uint8Array(), "onnx/model_q4.onnx holds no graph; it is not an ONNX model or it is cut off."],
    [
      "HTML instead",
      new TextEncoder().encode("<!doctype html><html></html>"),
      "onnx/model_q4.onnx is not an ONNX file, or it is damaged at byte 0; download it again.",
    ],
    ["zeros", new Uint8Array(100), "onnx/model_q4.onnx is not an ONNX file, or it is damaged at byte 0"],
    ["cut in the middle", goodFile.slice(0, 300), "onnx/model_q4.onnx: the field at byte 2 should end at byte"],
    ["cut in a length", goodFile.slice(0, 3), "onnx/model_q4.onnx is not an ONNX file, or it is damaged at byte 3"],
    [
      "length of 2^63",
      Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
      "onnx/model_q4.onnx: the field at byte 0 should end at byte 9223372036854776000, but what holds it ends at 10; the file is cut off or damaged",
    ],
    ["endless number", new Uint8Array(40).fill(0xff), "is not an ONNX file, or it is damaged at byte 0"],
    [
      "inner length beyond the graph",
      Uint8Array.from([0x3a, 2, 0x0a, 100]),
      "the field at byte 2 should end at byte 104, but what holds it ends at 4",
    ],
    [
      "node that is no node",
      Uint8Array.from([0x3a, 6, 0x0a, 4, 0x2a, 2, 0x0a, 100]),
      "onnx/model_q4.onnx: a NodeProto cannot be decoded; the file is damaged, download it again.",
    ],
    [
      "node with a name of 65 MiB",
      onnxFile([{ name: "x".repeat(65 * 2 ** 20) }], []),
      "bytes or more; at most 65536 are read, export the model with its weights as raw data.",
    ],
    [
      "65 dims",
      withTensor(0, { dims: Array.from({ length: 65 }, () => 1n) }),
      `${weights} has 65 dims; at most 64 are read, the file is damaged.`,
    ],
    [
      "initializer twice",
      onnxFile([], [goodScales, goodScales]),
      'onnx/model_q4.onnx holds the initializer "model.layers.0.self_attn.q_proj.MatMul.weight_scales" twice; the file is damaged.',
    ],
    [
      "node twice",
      onnxFile([good.node, good.node], [...good.initializers]),
      `onnx/model_q4.onnx gives the tensor "${qProj}" twice; export the model again.`,
    ],
    [
      "2 bits",
      withAttribute("bits", 2),
      `${node} holds 2-bit weights; only 4- and 8-bit ones can be read, use the q4 file of the model.`,
    ],
    ["8 bits for the bytes of 4", withAttribute("bits", 8), `${node} is [4, 64], so its weights must have 256 values`],
    [
      "block of 48",
      withAttribute("block_size", 48),
      `${node} has blocks of 48; only 16, 32, 64, 128 and 256 can be read, quantize the model with one of them.`,
    ],
    ["block of 0", withAttribute("block_size", 0), `${node} has blocks of 0;`],
    ["block of −32", withAttribute("block_size", -32), `${node} has blocks of -32;`],
    ["block of 2^40", withAttribute("block_size", 2n ** 40n), `${node} has blocks of 1099511627776;`],
    [
      "block of 64 for scales of 32",
      withAttribute("block_size", 64),
      `${node} is [4, 64], so its scales must have 4 values, not 8; the file is damaged.`,
    ],
    [
      "no block size",
      withNode({ attribute: [int("K", 64), int("N", 4)] }),
      `${node} lacks the attribute block_size; the file is damaged.`,
    ],
    ["N of 0", withAttribute("N", 0), `${node} has N = 0; it must be from 1 to 16777216, the file is damaged.`],
    ["K of −1", withAttribute("K", -1), `${node} has K = -1;`],
    ["K of 2^53", withAttribute("K", 2n ** 53n), `${node} has K = 9007199254740992;`],
    [
      "more rows than data",
      withAttribute("N", 5),
      `${node} is [5, 64], so its weights must have 160 values, not 128; the file is damaged.`,
    ],
    [
      "no module path",
      onnxFile(
        [{ ...good.node, name: "MatMul_12", input: ["x", "a", goodScales.name ?? "", goodZeros.name ?? ""] }],
        [{ ...goodBlocks, name: "a" }, goodScales, goodZeros],
      ),
      'onnx/model_q4.onnx: node "MatMul_12" is quantized but its name is no module path such as /model/layers.0/mlp/up_proj/MatMul_Q4; export the model again.',
    ],
    [
      "weights that are no initializer",
      withNode({ input: ["x", "ghost", "s"] }),
      `${node} takes its weights from "ghost", which is no initializer of the file; export the model again.`,
    ],
    [
      "no scales",
      withNode({ input: ["x", goodBlocks.name ?? ""] }),
      `${node} is [4, 64], so its scales must have 8 values, not none; the file is damaged.`,
    ],
    [
      "float weights",
      withTensor(0, { dataType: 1, dims: [32n] }),
      `${node} is [4, 64], so its weights must have 128 values, not 32`,
    ],
    [
      "float weights of the right count",
      withTensor(0, { dataType: 10, rawData: pattern(256, 1) }),
      `${node} has weights of type f16; they must be uint8, export the model again.`,
    ],
    [
      "uint8 scales",
      withTensor(1, { dataType: 2, rawData: pattern(8, 1) }),
      `${node} has scales of type u8; they must be float or float16, export the model again.`,
    ],
    [
      "float zero points",
      withTensor(2, { dataType: 1, dims: [4n], rawData: pattern(16, 1) }),
      `${node} has zero points of type f32; only packed uint8 ones can be read, quantize the model with integer zero points.`,
    ],
    [
      "too few zero points",
      withTensor(2, { dims: [3n], rawData: pattern(3, 1) }),
      `${node} is [4, 64], so its packed zero points must have 4 values, not 3; the file is damaged.`,
    ],
    [
      "g_idx",
      withNode({ input: [...good.node.input, goodZeros.name ?? ""] }),
      `${node} reorders its columns (g_idx), which cannot be read; quantize the model without it.`,
    ],
    [
      "raw data shorter than the shape",
      withTensor(0, { rawData: pattern(127, 1) }),
      `${weights} has shape [4, 2, 16] but 127 of 128 bytes; the file is damaged.`,
    ],
    [
      "no data at all",
      withTensor(0, { rawData: new Uint8Array() }),
      `${weights} has shape [4, 2, 16] but 0 of 128 bytes`,
    ],
    [
      "negative dim",
      withTensor(0, { dims: [-4n, 2n, 16n] }),
      `${weights} has the impossible shape [-4, 2, 16]; the file is damaged.`,
    ],
    [
      "dims whose product passes 2^53",
      withTensor(0, { dims: [2n ** 30n, 2n ** 30n] }),
      `${weights} has the impossible shape [1073741824, 1073741824]`,
    ],
    [
      "dim of 2^63 − 1",
      withTensor(0, { dims: [2n ** 63n - 1n] }),
      `${weights} has the impossible shape [9223372036854775807]`,
    ],
    [
      "strings as weights",
      withTensor(0, { dataType: 8 }),
      `${weights} has data type 8; only float, float16, bfloat16 and 4- or 8-bit integer weights can be read.`,
    ],
    [
      "external file outside the folder",
      external({ location: "../secret" }),
      `${weights} lies in the file "../secret", which is outside the model folder; the file is damaged.`,
    ],
    [
      "absolute external file",
      external({ location: "/etc/passwd" }),
      `${weights} lies in the file "/etc/passwd", which is outside the model folder`,
    ],
    [
      "missing external file",
      external({ location: "model_q4.onnx_data" }),
      `${weights} lies in onnx/model_q4.onnx_data, which is missing; add that file to the folder.`,
    ],
    [
      "external range beyond the end",
      external({ location: "data", offset: "10", length: "128" }),
      `${weights} should lie at offset 10, length 128 of onnx/data, which has 130 bytes; that file is cut off, download it again.`,
    ],
    [
      "external offset that is no number",
      external({ location: "data", offset: "-1" }),
      `${weights} should lie at offset -1, length 128 of onnx/data`,
    ],
    [
      "external length that lies",
      external({ location: "data", length: "64" }),
      `${weights} has shape [4, 2, 16] but 64 of 128 bytes`,
    ],
  ])("%s", async (_, bytes, message) => {
    const opening = openOnnx(bytes, { "onnx/data": pattern(130, 1) });
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(WeightsError);
  });

  it("a scale that is NaN, an infinite norm, a tensor that is missing", async () => {
    const scales = Float32Array.from(good.scales);
    scales[3] = Number.NaN;
    const norm = rawTensor("model.norm.weight", 10, [2], Uint16Array.from([0, 0x7c00]));
    const source = await openOnnx(
      onnxFile([good.node], [goodBlocks, rawTensor(goodScales.name ?? "", 1, [8], scales), goodZeros, norm]),
    );
    await expect(source.read(qProj)).rejects.toThrow(
      'onnx/model_q4.onnx: tensor "model.layers.0.self_attn.q_proj.MatMul.weight_scales" holds NaN or infinity at element 3;',
    );
    await expect(source.read("model.norm.weight")).rejects.toThrow(
      'tensor "model.norm.weight" holds NaN or infinity at element 1',
    );
    await expect(source.read("lm_head.weight")).rejects.toThrow(
      'onnx/model_q4.onnx has no tensor "lm_head.weight"; it holds another model or names its tensors differently.',
    );
  });

  it("never fails with anything but a WeightsError, whatever byte is changed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(goodFile.length - 1),
        fc.nat(255),
        fc.integer({ min: 1, max: goodFile.length }),
        async (at, value, length) => {
          const bytes = goodFile.slice(0, length);
          if (at < length) bytes[at] = value;
          await openOnnx(bytes).catch((error: unknown) => expect(error).toBeInstanceOf(WeightsError));
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** A length-delimited protobuf field. */
function field(number: number, ...parts: Bytes[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [number * 8 + 2];
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
  const bytes = new Uint8Array(head.length + 1 + length);
  bytes.set([...head, rest]);
  let at = head.length + 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** `count` copies of an encoded field. */
function repeated(count: number, bytes: Bytes): Bytes {
  const all = new Uint8Array(count * bytes.length);
  for (let i = 0; i < count; i++) all.set(bytes, i * bytes.length);
  return all;
}

const text = (value: string): Bytes => new TextEncoder().encode(value);
const numbered = (count: number, ...parts: Bytes[]): Bytes =>
  new Uint8Array(Buffer.concat(Array.from({ length: count }, (_, i) => field(5, field(8, text(`t${i}`)), ...parts))));
const graphOf = (...parts: Bytes[]): Bytes => field(7, ...parts);
const fieldTooLong = (number: number, limit: number): RegExp =>
  new RegExp(
    `^model\\.onnx: field ${number} of the message at byte \\d+ has \\d+ bytes or more; at most ${limit} are read, export the model with its weights as raw data\\.$`,
  );
const graphTooLarge =
  /^model\.onnx: its nodes and initializer headers would take more than 33554432 bytes of memory; export the model with fewer nodes and its weights as raw data\.$/;
const mebibyte = 2 ** 20;

describe("an ONNX file made to fill the memory", () => {
  it.each<[string, () => Bytes, RegExp]>([
    ["16 MiB of dims", () => graphOf(field(5, field(1, new Uint8Array(16 * mebibyte)))), fieldTooLong(1, 704)],
    [
      "16 MiB of empty dims",
      () => graphOf(field(5, repeated(8 * mebibyte, field(1, new Uint8Array())))),
      fieldTooLong(1, 704),
    ],
    ["single dims", () => graphOf(field(5, repeated(mebibyte, Uint8Array.from([0x08, 1])))), fieldTooLong(1, 704)],
    [
      "8 MiB of single floats",
      () => graphOf(field(5, repeated(mebibyte, Uint8Array.from([0x25, 0, 0, 0, 0])))),
      /has its values in several places; export the model with its weights as raw data\.$/,
    ],
    ["a name of 16 MiB", () => graphOf(field(5, field(8, new Uint8Array(16 * mebibyte)))), fieldTooLong(8, 65536)],
    [
      "empty external entries",
      () => graphOf(field(5, repeated(mebibyte, field(13, new Uint8Array())))),
      fieldTooLong(13, 65536),
    ],
    [
      "empty inputs of a node",
      () => graphOf(field(1, repeated(mebibyte, field(1, new Uint8Array())))),
      fieldTooLong(1, 65536),
    ],
    [
      "empty attributes of many nodes",
      () => graphOf(repeated(500, field(1, repeated(32_000, field(5, new Uint8Array()))))),
      graphTooLarge,
    ],
    ["empty nodes", () => graphOf(repeated(mebibyte, field(1, new Uint8Array()))), graphTooLarge],
    ["100,000 initializers", () => graphOf(numbered(100_000)), graphTooLarge],
    [
      "initializers of 64 empty external entries each",
      () => graphOf(numbered(20_000, repeated(64, field(13, new Uint8Array())))),
      graphTooLarge,
    ],
  ])("%s: refused within 64 MB", async (_, make, message) => {
    const blob = new Blob([make()]);
    const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = used();
    const thrown: unknown = await readGraph(blob, "model.onnx").catch((error: unknown) => error);
    const growth = used() - before;
    expect(thrown).toBeInstanceOf(WeightsError);
    expect(thrown).toMatchObject({ message: expect.stringMatching(message) });
    expect(growth).toBeLessThan(64e6);
  });

  it("leaves in the file what is not needed, however long", async () => {
    const unread = field(7, new Uint8Array(16 * mebibyte));
    const constant = field(1, field(4, text("Constant")), field(5, new Uint8Array(16 * mebibyte)));
    const floats = field(4, new Uint8Array(16 * mebibyte));
    const { nodes, initializers } = await readGraph(
      new Blob([graphOf(constant, numbered(1, unread, floats))]),
      "model.onnx",
    );
    expect(nodes.map(({ opType, attribute }) => [opType, attribute.length])).toEqual([["Constant", 0]]);
    const header = { name: "t0", dims: [], dataType: 0, externalData: [], dataLocation: 0 };
    expect(initializers.get("t0")?.header).toEqual(header);
  });
});
