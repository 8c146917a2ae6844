/** ONNX: what is said about quantized and packed weights that lie, node by node. */
import { describe, expect, it } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { type Bytes, int, onnxFile, openOnnx, rawTensor } from "./build-files";
import {
  bnb4,
  dynamic,
  expected,
  gateAndUp,
  gather,
  norm,
  packed,
  product,
  qNode,
  qPath,
  weightOnly,
} from "./onnx-parts";

const gatherNode = 'onnx/model_q4.onnx: node "/model/embed_tokens/Gather_Q4"';
const bnbNode = `${qNode}/MatMul_Bnb4"`;
const intNode = `${qNode}/MatMul_quant"`;
const dqNode = 'onnx/model_q4.onnx: node "dq"';

describe("sound parts", () => {
  it("of each kind are read, so that the faults below are what is refused", async () => {
    for (const bytes of [bnb4(), dynamic(), weightOnly(), product("MatMul"), product("Gemm")]) {
      const source = await openOnnx(bytes, {}, expected);
      expect((await source.read("model.layers.0.self_attn.q_proj.weight")).shape).toEqual([4, 64]);
    }
    const source = await openOnnx(gather(), {}, expected);
    expect((await source.read("model.embed_tokens.weight")).shape).toEqual([4, 64]);
    expect([...(await openOnnx(packed(12), {}, expected)).tensors.keys()]).toHaveLength(3);
    expect([...(await openOnnx(gateAndUp(1), {}, expected)).tensors.keys()]).toHaveLength(1);
  });
});

describe("a quantized weight that lies", () => {
  it.each<[string, Bytes, string]>([
    [
      "Bnb4: kind 7",
      bnb4({ attributes: { quant_type: 7 } }),
      `${bnbNode} has quant_type 7; only 0 (FP4) and 1 (NF4) are known`,
    ],
    ["Bnb4: kind −1", bnb4({ attributes: { quant_type: -1 } }), `${bnbNode} has quant_type -1;`],
    ["Bnb4: no kind", bnb4({ attributes: { quant_type: null } }), `${bnbNode} lacks the attribute quant_type`],
    [
      "Bnb4: block of 0",
      bnb4({ attributes: { block_size: 0 } }),
      `${bnbNode} has blocks of 0; only powers of two from 16 to 4096`,
    ],
    ["Bnb4: block of 48", bnb4({ attributes: { block_size: 48 } }), `${bnbNode} has blocks of 48;`],
    ["Bnb4: block of 2^40", bnb4({ attributes: { block_size: 2n ** 40n } }), `${bnbNode} has blocks of 1099511627776;`],
    ["Bnb4: K of 0", bnb4({ attributes: { K: 0 } }), `${bnbNode} has K = 0; it must be from 1 to 16777216`],
    ["Bnb4: N of 2^53", bnb4({ attributes: { N: 2n ** 53n } }), `${bnbNode} has N = 9007199254740992;`],
    [
      "Bnb4: N and K of 2^24",
      bnb4({ attributes: { N: 2 ** 24, K: 2 ** 24 } }),
      `${bnbNode} is [16777216, 16777216], so its weights must have 140737488355328 values, not 128`,
    ],
    [
      "Bnb4: more rows than data",
      bnb4({ attributes: { N: 5 } }),
      `${bnbNode} is [5, 64], so its weights must have 160 values, not 128`,
    ],
    [
      "Bnb4: too few maxima",
      bnb4({ attributes: { block_size: 32 } }),
      `${bnbNode} is [4, 64], so its block maxima must have 8 values, not 4`,
    ],
    [
      "Bnb4: maxima of bytes",
      bnb4({ tensors: { s: { dataType: 2, rawData: new Uint8Array(4) } } }),
      `${bnbNode} has block maxima of type u8;`,
    ],
    [
      "Bnb4: signed weights",
      bnb4({ tensors: { w: { dataType: 3 } } }),
      `${bnbNode} has weights of type i8; they must be uint8`,
    ],
    ["Bnb4: untransposed", bnb4({ attributes: { transB: 0 } }), `${bnbNode} holds its weights untransposed;`],
    [
      "Bnb4: computed maxima",
      bnb4({ input: ["x", "w", "ghost"] }),
      `${bnbNode} takes its block maxima from "ghost", which is no initializer`,
    ],

    [
      "MatMulInteger: no scale",
      dynamic({ tensors: { s: { name: "other" } } }),
      `${intNode} has no scale of its weights after it;`,
    ],
    [
      "MatMulInteger: too many scales",
      dynamic({ tensors: { s: { dims: [5n], rawData: new Uint8Array(20) } } }),
      `${intNode} is [4, 64], so it must have 1 or 4 scales, not 5;`,
    ],
    [
      "MatMulInteger: no scale at all",
      dynamic({ tensors: { s: { dims: [0n], rawData: new Uint8Array() } } }),
      `${intNode} is [4, 64], so it must have 1 or 4 scales, not 0;`,
    ],
    [
      "MatMulInteger: too many zero points",
      dynamic({ tensors: { z: { dims: [64n], rawData: new Uint8Array(64) } } }),
      `${intNode} must have 1 or 4 zero points of type u8, not 64 of type u8;`,
    ],
    [
      "MatMulInteger: zero points of another type",
      dynamic({ tensors: { z: { dataType: 3 } } }),
      `${intNode} must have 1 or 4 zero points of type u8, not 4 of type i8;`,
    ],
    [
      "MatMulInteger: computed zero points",
      dynamic({ input: ["x", "w", "xz", "ghost"] }),
      `${intNode} takes its zero points from "ghost"`,
    ],
    [
      "MatMulInteger: float weights",
      dynamic({ tensors: { w: { dataType: 10, rawData: new Uint8Array(512) } } }),
      `${intNode} has weights of type f16; they must be int8 or uint8`,
    ],
    [
      "MatMulInteger: weights cut off",
      dynamic({ tensors: { w: { rawData: new Uint8Array(255) } } }),
      'initializer "w" has shape [64, 4] but 255 of 256 bytes',
    ],

    [
      "DequantizeLinear: axis 5",
      weightOnly({ attributes: { axis: 5 } }),
      `${dqNode} has axis 5 on a matrix; the file is damaged.`,
    ],
    [
      "DequantizeLinear: along the inputs",
      weightOnly({ attributes: { axis: 0 } }),
      `${dqNode} has a scale for each input feature; quantize the model per tensor or per output channel.`,
    ],
    [
      "DequantizeLinear: in blocks",
      weightOnly({ attributes: { block_size: 32 } }),
      `${dqNode} dequantizes in blocks, which cannot be read;`,
    ],
    ["DequantizeLinear: no scale", weightOnly({ input: ["w"] }), `${dqNode} has no scale; the file is damaged.`],
    [
      "DequantizeLinear: computed scale",
      weightOnly({ input: ["w", "ghost"] }),
      `${dqNode} takes its scale from "ghost"`,
    ],
    [
      "DequantizeLinear: 4-bit weights",
      weightOnly({ tensors: { w: { dataType: 22, rawData: new Uint8Array(128) } } }),
      `${dqNode} has weights of type i4; they must be int8 or uint8`,
    ],
    [
      "bytes that nothing scales",
      weightOnly({ nodes: [{ name: "/model/layers.0/self_attn/k_proj/MatMul", opType: "MatMul", input: ["x", "w"] }] }),
      "multiplies by weights of data type 3 that nothing scales; export the model again.",
    ],

    [
      "Gather: 3 bits",
      gather({ attributes: { bits: 3 } }),
      `${gatherNode} holds 3-bit weights; only 4- and 8-bit ones can be read`,
    ],
    ["Gather: block of 48", gather({ attributes: { block_size: 48 } }), `${gatherNode} has blocks of 48;`],
    [
      "Gather: along columns",
      gather({ attributes: { gather_axis: 1 } }),
      `${gatherNode} gathers along axis 1 and is quantized along 1, which must be 0 and 1;`,
    ],
    [
      "Gather: blocks along rows",
      gather({ attributes: { quantize_axis: 0 } }),
      `${gatherNode} gathers along axis 0 and is quantized along 0,`,
    ],
    [
      "Gather: 8 bits in the width of 4",
      gather({ attributes: { bits: 8 } }),
      `${gatherNode} has the shape [4, 32], but the model's config asks for 64 columns;`,
    ],
    [
      "Gather: far wider than the model",
      gather({ tensors: { w: { dims: [2n, 64n] } } }),
      `${gatherNode} has the shape [2, 64], but the model's config asks for 64 columns;`,
    ],
    ["Gather: one dim", gather({ tensors: { w: { dims: [128n] } } }), `${gatherNode} has the shape [128], but`],
    [
      "Gather: too few scales",
      gather({ tensors: { s: { dims: [4n], rawData: new Uint8Array(16) } } }),
      `${gatherNode} has the shape [4, 64] in blocks of 32, which 4 scales and 4 zero points do not fit; the file is damaged.`,
    ],
    [
      "Gather: too many zero points",
      gather({ tensors: { z: { dims: [8n], rawData: new Uint8Array(8) } } }),
      "which 8 scales and 8 zero points do not fit",
    ],
    [
      "Gather: zero points of another type",
      gather({ tensors: { z: { dataType: 3 } } }),
      `${gatherNode} has zero points of type i8 for weights of type u8;`,
    ],
    [
      "Gather: scales of bytes",
      gather({ tensors: { s: { dataType: 2, rawData: new Uint8Array(8) } } }),
      `${gatherNode} has scales of type u8;`,
    ],
    [
      "Gather: float weights",
      gather({ tensors: { w: { dataType: 1, rawData: new Uint8Array(512) } } }),
      `${gatherNode} has weights of type f32, which cannot be read;`,
    ],
    [
      "Gather: no scales",
      gather({ input: ["w", "ids"] }),
      `${gatherNode} has no weights or no scales; the file is damaged.`,
    ],

    [
      "packed rows that are not the config's",
      packed(16),
      `packs 16 rows, but the model's config asks for 4 + 4 + 4; use another copy of the model.`,
    ],
    [
      "halves of different types",
      gateAndUp(10),
      "are one matrix in this model but are stored differently; export the model with one kind of weights.",
    ],
    [
      "Gemm that multiplies by 2",
      product("Gemm", { name: "alpha", f: 2, type: 1 }),
      `${qNode}/Gemm" has alpha = 2; only 1 can be read`,
    ],
    ["Gemm that turns its input", product("Gemm", int("transA", 1)), `${qNode}/Gemm" transposes its input;`],

    [
      "values twice",
      norm({ rawData: new Uint8Array(256), floatData: [1] }),
      "has its values in several places; export the model with its weights as raw data.",
    ],
    [
      "integers for floats",
      norm({ int32Data: new Array<number>(64).fill(1) }),
      "but its values are 64 bytes of packed numbers;",
    ],
    [
      "floats for half floats",
      norm({ dataType: 10, floatData: new Array<number>(64).fill(1) }),
      "but 0 of 128 bytes; the file is damaged.",
    ],
    [
      "fewer packed numbers than dims",
      norm({ dataType: 10, int32Data: [1, 2, 3] }),
      "but its values are 3 bytes of packed numbers;",
    ],
    [
      "packed numbers for 2^40 values",
      norm({ dataType: 3, dims: [2n ** 40n], int32Data: [1, 2, 3] }),
      "but its values are 3 bytes of packed numbers;",
    ],
    [
      "a norm of 2^52 values",
      norm({ dims: [2n ** 52n] }),
      "has the impossible shape [4503599627370496]; the file is damaged.",
    ],
  ])("%s", async (_, bytes, message) => {
    const opening = openOnnx(bytes, {}, expected);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(WeightsError);
  });

  it("has more or fewer packed numbers than it says", async () => {
    const thirty = norm({ dataType: 10, int32Data: new Array<number>(30).fill(70000) });
    const source = await openOnnx(thirty, {}, expected);
    await expect(source.read("model.norm.weight")).rejects.toThrow("does not have the 64 packed numbers of its shape");
  });

  it.each<[string, Bytes, string]>([
    [
      "block maxima",
      bnb4({ tensors: { s: { rawData: new Uint8Array(16).fill(0xff) } } }),
      'tensor "s" holds NaN or infinity at element 0',
    ],
    [
      "scales of columns",
      dynamic({ tensors: { s: { rawData: new Uint8Array(16).fill(0xff) } } }),
      'tensor "s" holds NaN or infinity',
    ],
    [
      "a matrix",
      onnxFile(
        [{ name: `${qPath}/MatMul`, opType: "MatMul", input: ["x", "w"] }],
        [rawTensor("w", 1, [64, 4], new Float32Array(256).fill(Number.NaN))],
      ),
      'tensor "w" holds NaN or infinity at element 0',
    ],
  ])("NaN in %s", async (_, bytes, message) => {
    const source = await openOnnx(bytes, {}, expected);
    await expect(source.read("model.layers.0.self_attn.q_proj.weight")).rejects.toThrow(message);
  });

  it("that lies outside of its tensor", async () => {
    const source = await openOnnx(bnb4(), {}, expected);
    for (const [first, count] of [
      [-1, 2],
      [3, 2],
      [0.5, 1],
      [0, 2 ** 53],
      [Number.NaN, 1],
    ] as const) {
      const reading = source.read("model.layers.0.self_attn.q_proj.weight", { first, count });
      await expect(reading).rejects.toThrow("cannot be read on their own");
      await expect(reading).rejects.toBeInstanceOf(WeightsError);
    }
  });
});
