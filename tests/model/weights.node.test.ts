/** Which weight file of a folder is opened. */
import { access } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { openWeights, weightFormats } from "../../src/model/weights/registry";
import { f32Bytes, ggufFile, llamaMetadata } from "../support/gguf";
import { folderOf, onnxFile, pattern, quantizedLinear, safetensorsFile } from "./build-files";

const safetensors = safetensorsFile({ w: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, pattern(4, 0));
const { node, initializers } = quantizedLinear(2, 32);
const onnx = onnxFile([node], [...initializers]);
const gguf = ggufFile({
  metadata: llamaMetadata,
  tensors: [{ name: "output_norm.weight", type: 0, shape: [1], data: f32Bytes([1]) }],
});

describe("openWeights", () => {
  it.each([
    ["safetensors", { "model.safetensors": safetensors }],
    ["onnx", { "onnx/model_q4.onnx": onnx }],
    ["onnx", { "model_q4.onnx": onnx }],
    ["onnx", { "onnx/model_q4f16.onnx": onnx }],
    ["gguf", { "tiny.Q4_0.gguf": gguf }],
    ["gguf", { "model.safetensors": safetensors, "tiny.GGUF": gguf }],
    ["onnx", { "tiny.gguf": gguf, "onnx/model_q4.onnx": onnx }],
    ["onnx", { "model.safetensors": safetensors, "onnx/model_q4.onnx": onnx }],
  ])("%s is opened from %o", async (format, files) => {
    expect((await openWeights(folderOf(files), [])).format).toBe(format);
  });

  it("says what is missing", async () => {
    await expect(openWeights(folderOf({ "pytorch_model.bin": "" }), [])).rejects.toThrow(
      "model holds no weights that can be read; add model.safetensors, onnx/model_q4.onnx or a .gguf file.",
    );
  });
});

describe.each(weightFormats)("the format $id", ({ id }) => {
  it("has a file of its name", () => access(new URL(`../../src/model/weights/${id}.ts`, import.meta.url)));
});
