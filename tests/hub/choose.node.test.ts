/** Which choices a repository's files give. */
import { describe, expect, it } from "vitest";
import { chooseVariants, preferredVariant } from "../../src/hub/choose";
import type { RemoteFile } from "../../src/hub/types";

const file = (path: string, bytes = 10): RemoteFile => ({
  path,
  url: `https://huggingface.co/${path}`,
  bytes,
  hash: null,
});
const base = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"];
const choose = (paths: readonly string[], config: Record<string, unknown> | null = {}) =>
  chooseVariants({ files: paths.map((path) => file(path)), config }).variants;
const paths = (paths: readonly string[], id: string) =>
  choose(paths)
    .find((variant) => variant.id === id)
    ?.files.map(({ path }) => path);

describe("variants", () => {
  it("bring the weights, their data files and what the loader reads beside them", () => {
    const all = [
      ...base,
      "README.md",
      "chat_template.jinja",
      "onnx/model_q4.onnx",
      "onnx/model_q4.onnx_data",
      "onnx/model_q4.onnx_data_1",
      "onnx/model_q4f16.onnx",
      "onnx/model.onnx",
      "onnx/model.onnx.data",
    ];
    expect(paths(all, "onnx/model_q4.onnx")).toEqual([
      "onnx/model_q4.onnx",
      "onnx/model_q4.onnx_data",
      "onnx/model_q4.onnx_data_1",
      ...base,
      "chat_template.jinja",
    ]);
    expect(paths(all, "onnx/model.onnx")).toEqual([
      "onnx/model.onnx",
      "onnx/model.onnx.data",
      ...base,
      "chat_template.jinja",
    ]);
    expect(choose(all).find(({ id }) => id === "onnx/model_q4.onnx")).toMatchObject({
      label: "ONNX, 4-bit",
      bytes: 80,
      refusal: null,
    });
  });

  it("take all parts of sharded safetensors with their index", () => {
    const parts = [1, 2, 3].map((part) => `model-0000${part}-of-00003.safetensors`);
    const index = "model.safetensors.index.json";
    expect(paths([...base, ...parts, index], parts[0] ?? "")).toEqual([...parts, index, ...base]);
    expect(choose([...base, ...parts, index])[0]).toMatchObject({
      label: "safetensors, as trained (3 files)",
      refusal: null,
    });
    expect(choose([...base, ...parts.slice(1), index])[0]?.refusal).toContain("Of its 3 parts 2 are there");
    // Without an index the loader reads parts 1 to N, so that all must be there.
    expect(choose([...base, ...parts])[0]).toMatchObject({ id: parts[0], refusal: null });
    expect(choose([...base, ...parts.slice(0, 2)])[0]?.refusal).toContain("Of its 3 parts 2 are there");
    const zeroed = ["model-00000-of-00002.safetensors", "model-00001-of-00002.safetensors"];
    expect(choose([...base, ...zeroed])[0]?.refusal).toContain("Of its 2 parts 1 are there");
    const mixed = ["model-00001-of-00002.safetensors", ...parts];
    expect(paths([...base, ...mixed], parts[0] ?? "")).toEqual([...parts, ...base]);
  });

  it("leave a GGUF file alone, which brings its own config", () => {
    expect(paths([...base, "m-Q4_K_M.gguf"], "m-Q4_K_M.gguf")).toEqual(["m-Q4_K_M.gguf"]);
    expect(choose(["m.Q8_0.gguf"])[0]).toMatchObject({ label: "GGUF, Q8_0 (8 bits a weight)", refusal: null });
  });

  it.each([
    [[...base, "pytorch_model.bin"], "PyTorch checkpoint", "may run code"],
    [
      [...base, "pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"],
      "PyTorch checkpoint (2 files)",
      "safetensors",
    ],
    [["original/consolidated.00.pth"], "PyTorch checkpoint", "choose safetensors"],
    [["flax_model.msgpack"], "Flax checkpoint", "not read"],
    [["tf_model.h5", "64.tflite"], "TensorFlow file (2 files)", "not read"],
    [["rust_model.ot"], "Rust checkpoint", "not read"],
    [["weights.npz"], "MLX weights", "not read"],
    [[...base, "adapter_model.safetensors"], "LoRA adapter", "its base model"],
    [["consolidated.safetensors"], "original release", "other names"],
    [["onnx/decoder_model_merged.onnx", ...base], "decoder_model_merged", "older layout"],
    [["onnx/vision_encoder.onnx", ...base], "vision_encoder", "holds no decoder"],
    [["cpu/model.onnx", ...base], "cpu/", "folder of its own"],
    [["onnx/model_q2.onnx", ...base], "model_q2", "Only model.onnx"],
    [["m-Q4_K_M-00001-of-00002.gguf", "m-Q4_K_M-00002-of-00002.gguf"], "Q4_K_M", "split over several files"],
    [["imatrix_unsloth.gguf"], "imatrix", "importance matrix"],
    [["mmproj-F16.gguf"], "F16", "image part"],
    [["m-IQ2_XXS.gguf"], "IQ2_XXS", "is not read"],
    [["m-Q2_K.gguf"], "Q2_K", "is not read"],
    [["m-Q4_0_4_4.gguf"], "Q4_0_4_4", "one kind of processor"],
    [["m-Q4_0_4_8.gguf"], "Q4_0_4_8", "one kind of processor"],
    [["m.Q4_0_8_8.gguf"], "Q4_0_8_8", "one kind of processor"],
    [["m-Q6_K.gguf.part1of2", "m-Q6_K.gguf.part2of2"], "GGUF in pieces (2 files)", "must be joined"],
    [["m-q6_k.gguf-split-a", "m-q6_k.gguf-split-b"], "GGUF in pieces (2 files)", "must be joined"],
  ])("list %s with the reason against it", (all, label, reason) => {
    const [variant] = choose(all);
    expect(variant?.label).toContain(label);
    expect(variant?.refusal).toContain(reason);
  });

  it("say what is missing beside the weights", () => {
    expect(choose(["config.json", "model.safetensors"])[0]?.refusal).toContain("no tokenizer.json");
    expect(choose(["model.safetensors"])[0]?.refusal).toContain("no config.json and no tokenizer.json");
  });

  it("read from config.json how safetensors are quantized", () => {
    const one = (config: Record<string, unknown>) => choose([...base, "model.safetensors"], config)[0];
    expect(one({ quantization_config: { quant_method: "bitsandbytes", load_in_4bit: true } })).toMatchObject({
      refusal: null,
    });
    expect(one({ quantization_config: { quant_method: "bitsandbytes", load_in_8bit: true } })?.refusal).toContain(
      "bitsandbytes",
    );
    expect(one({ quantization_config: { quant_method: "gptq" } })?.refusal).toContain("quantized with gptq");
    expect(one({ quantization: { bits: 4, group_size: 64 } })?.refusal).toContain("MLX");
  });

  it("never list training state as weights, and are bounded", () => {
    expect(choose([...base, "training_args.bin", "optimizer.pt", "README.md"])).toEqual([]);
    const many = chooseVariants({
      files: Array.from({ length: 2000 }, (_, i) => file(`m${i}-Q8_0.gguf`)),
      config: null,
    });
    expect(many.variants).toHaveLength(500);
    expect(many.notes).toEqual([expect.stringContaining("2000 choices")]);
  });

  it("are found in ten thousand names in far less than a second", () => {
    const names = Array.from({ length: 5000 }, (_, i) => `onnx/model_${"x".repeat(400)}${i}.onnx`);
    const files = names.flatMap((path) => [file(path), file(`${path}_data`)]);
    const start = performance.now();
    const { variants } = chooseVariants({ files, config: null });
    expect(performance.now() - start).toBeLessThan(600);
    expect(variants[7]?.files.map(({ path }) => path)).toEqual([names[7], `${names[7]}_data`]);
  });
});

describe("the preferred variant", () => {
  const gguf = ["m-Q8_0.gguf", "m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-IQ1_S.gguf"];
  it.each([
    [[...base, "model.safetensors", "onnx/model.onnx", "onnx/model_q4.onnx", ...gguf], null, "onnx/model_q4.onnx"],
    [[...base, "model.safetensors", ...gguf], null, "m-Q4_K_M.gguf"],
    [gguf.slice(0, 2), null, "m-Q4_0.gguf"],
    [[...base, "model.safetensors", "m-Q5_0.gguf"], null, "model.safetensors"],
    [[...base, "onnx/model_fp16.onnx"], null, "onnx/model_fp16.onnx"],
    [gguf, "m-Q8_0.gguf", "m-Q8_0.gguf"],
    [gguf, "m-IQ1_S.gguf", null],
    [[...base, "model.safetensors"], "config.json", "model.safetensors"],
    [["pytorch_model.bin"], null, null],
  ])("of %s, asked for %s, is %s", (all, asked, expected) => {
    expect(preferredVariant(choose(all), asked)).toBe(expected);
  });

  it.each([
    ["Q8_0", "m-Q8_0.gguf"],
    ["q4_k_m", "m-Q4_K_M.gguf"],
    ["UD-Q4_K_M", "m-UD-Q4_K_M.gguf"],
    ["m-Q4_0.gguf", "m-Q4_0.gguf"],
    ["IQ1_S", null],
    ["Q6_K", "onnx/model_q4.onnx"],
    ["0", "onnx/model_q4.onnx"],
  ])("of the GGUF type %s is %s", (type, expected) => {
    const all = [...base, "onnx/model_q4.onnx", "m-UD-Q4_K_M.gguf", ...gguf];
    expect(preferredVariant(choose(all), null, type)).toBe(expected);
  });
});
