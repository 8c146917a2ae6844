/** PEFT adapter folders that cannot be read, and what is said about them. */
import { beforeAll, describe, expect, it } from "vitest";
import { peft } from "../../src/export/peft";
import { type Bytes, safetensorsFile } from "../model/build-files";
import { adapter, base, qProj, readAdapter, run, values } from "./small-adapter";

describe("an adapter folder that cannot be read", () => {
  let config: Record<string, unknown> = {};
  let weights: Bytes = new Uint8Array();
  beforeAll(async () => {
    const [configBlob, weightsBlob] = await peft.write(adapter, { base, run });
    config = JSON.parse((await configBlob?.blob.text()) ?? "");
    weights = new Uint8Array((await weightsBlob?.blob.arrayBuffer()) ?? new ArrayBuffer());
  });

  it.each<[Record<string, unknown>, string]>([
    [
      { peft_type: undefined },
      'adapter_config.json: peft_type is missing; it must be "LORA"; other adapters cannot be read.',
    ],
    [{ peft_type: "IA3" }, 'adapter_config.json: peft_type is "IA3";'],
    [{ lora_alpha: undefined }, "adapter_config.json: lora_alpha is missing; it must be a number above 0."],
    [{ lora_alpha: "16" }, 'adapter_config.json: lora_alpha is "16"; it must be a number above 0.'],
    [{ r: 0 }, "adapter_config.json: r is 0; it must be a whole number from 1 to 4096."],
    [{ r: 2 ** 53 }, "adapter_config.json: r is 9007199254740992;"],
    [
      { r: 4 },
      "Matrix A of model.layers.0.self_attn.q_proj is [2, 4], but adapter_config.json says r = 4; the two files are of different adapters.",
    ],
    [
      { target_modules: undefined },
      "adapter_config.json: target_modules is missing; it must be a list of module names.",
    ],
    [{ target_modules: [] }, "adapter_config.json: target_modules is []; it must be a list of module names."],
    [
      { target_modules: ["q_proj"] },
      "adapter_model.safetensors adapts model.layers.0.self_attn.v_proj, which target_modules of adapter_config.json (q_proj) leaves out; PEFT would ignore it, add the name.",
    ],
    [
      { target_modules: ["q_proj", "v_proj", "up_proj"] },
      "adapter_config.json targets up_proj, but adapter_model.safetensors has no matrices for it; the two files are of different adapters.",
    ],
    [{ use_dora: true }, "adapter_config.json: use_dora is true, which cannot be read; train it without DoRA."],
    [
      { modules_to_save: ["lm_head"] },
      'adapter_config.json: modules_to_save is ["lm_head"], which cannot be read; train it with LoRA matrices only.',
    ],
    [{ bias: "all" }, 'adapter_config.json: bias is "all"; it must be "none"; trained biases cannot be read.'],
    [
      { rank_pattern: { q_proj: 4 } },
      'adapter_config.json: rank_pattern is {"q_proj":4}, which cannot be read; train it with one rank.',
    ],
    [{ alpha_pattern: { q_proj: 4 } }, "adapter_config.json: alpha_pattern is"],
    [
      { init_lora_weights: "pissa" },
      'adapter_config.json: init_lora_weights is "pissa"; it must be true: other starts change the base model',
    ],
    [{ use_rslora: "yes" }, 'adapter_config.json: use_rslora is "yes"; it must be as PEFT writes it.'],
    [{ lora_dropout: 1 }, "adapter_config.json: lora_dropout is 1; it must be as PEFT writes it."],
  ])("config %j", async (patch, message) => {
    await expect(readAdapter({ ...config, ...patch }, weights, base)).rejects.toThrow(message);
  });

  it.each([
    ["{", "adapter_config.json is not valid JSON; save the adapter again."],
    ["[]", "adapter_config.json must be a JSON object; use the file that PEFT saved."],
  ])("config text %s", async (text, message) => {
    await expect(readAdapter(text, weights, base)).rejects.toThrow(message);
  });

  type Tensors = Record<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>;
  const prefix = "base_model.model.model.layers.0.self_attn";
  const sound: Tensors = {
    [`${prefix}.q_proj.lora_A.weight`]: { shape: [2, 4], data: qProj.a },
    [`${prefix}.q_proj.lora_B.weight`]: { shape: [6, 2], data: qProj.b },
  };
  const file = (tensors: Tensors): Bytes => {
    let end = 0;
    const header = Object.fromEntries(
      Object.entries(tensors).map(([name, { shape, data }]) => {
        const start = end;
        end += data.byteLength;
        return [name, { dtype: "F32", shape, data_offsets: [start, end] }];
      }),
    );
    return safetensorsFile(
      header,
      new Uint8Array(Object.values(tensors).flatMap(({ data }) => Array.from(new Uint8Array(data.buffer)))),
    );
  };

  it.each<[string, Tensors, string]>([
    [
      "a tensor that is no LoRA matrix",
      { ...sound, "base_model.model.lm_head.weight": { shape: [1], data: values(1, 1) } },
      'adapter_model.safetensors holds the tensor "base_model.model.lm_head.weight", which is no LoRA matrix; names must be base_model.model.MODULE.lora_A.weight or .lora_B.weight.',
    ],
    [
      "DoRA magnitudes",
      { ...sound, [`${prefix}.q_proj.lora_magnitude_vector`]: { shape: [6], data: values(6, 1) } },
      'lora_magnitude_vector", which is no LoRA matrix;',
    ],
    [
      "B missing",
      { [`${prefix}.q_proj.lora_A.weight`]: { shape: [2, 4], data: qProj.a } },
      "adapter_model.safetensors lacks matrix B of model.layers.0.self_attn.q_proj; save the adapter again.",
    ],
    [
      "A twice",
      { ...sound, [`${prefix}.q_proj.lora_A.default.weight`]: { shape: [2, 4], data: qProj.a } },
      "adapter_model.safetensors holds matrix A of model.layers.0.self_attn.q_proj twice; save the adapter again.",
    ],
    [
      "a module of another model",
      { "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight": { shape: [2, 4], data: qProj.a } },
      "adapter_model.safetensors adapts transformer.h.0.attn.c_attn, which org/tiny-Llama does not have; open the base model that it was trained on.",
    ],
    [
      "three dimensions",
      { ...sound, [`${prefix}.q_proj.lora_A.weight`]: { shape: [2, 2, 2], data: qProj.a } },
      'q_proj.lora_A.weight" has shape [2, 2, 2]; a LoRA matrix has two dimensions.',
    ],
    [
      "A and B swapped",
      {
        [`${prefix}.q_proj.lora_A.weight`]: { shape: [6, 2], data: qProj.b },
        [`${prefix}.q_proj.lora_B.weight`]: { shape: [2, 4], data: qProj.a },
      },
      "Matrix A of model.layers.0.self_attn.q_proj is [6, 2], but adapter_config.json says r = 2;",
    ],
    [
      "another width",
      { ...sound, [`${prefix}.q_proj.lora_A.weight`]: { shape: [2, 3], data: values(6, 1) } },
      "adapter_model.safetensors does not fit: The adapter's model.layers.0.self_attn.q_proj goes from 3 to 6 features, but that of org/tiny-Llama from 4 to 6;",
    ],
    [
      "NaN",
      {
        ...sound,
        [`${prefix}.q_proj.lora_A.weight`]: { shape: [2, 4], data: Float32Array.from({ length: 8 }, () => Number.NaN) },
      },
      "holds NaN or infinity at element 0",
    ],
    ["nothing", {}, "adapter_config.json targets q_proj, but adapter_model.safetensors has no matrices for it"],
  ])("weights with %s", async (_, tensors, message) => {
    await expect(readAdapter({ ...config, target_modules: ["q_proj"] }, file(tensors), base)).rejects.toThrow(message);
  });

  it("but a half-precision file with the adapter's name inside can", async () => {
    const half = new Uint8Array(Uint16Array.from([0x3c00, 0xc000, ...new Array<number>(18).fill(0)]).buffer);
    const bytes = safetensorsFile(
      {
        [`${prefix}.q_proj.lora_A.default.weight`]: { dtype: "F16", shape: [2, 4], data_offsets: [0, 16] },
        [`${prefix}.q_proj.lora_B.default.weight`]: { dtype: "BF16", shape: [6, 2], data_offsets: [16, 40] },
      },
      half,
    );
    const minimal = { peft_type: "LORA", r: 2, lora_alpha: 8, target_modules: ".*q_proj" };
    const back = await readAdapter(minimal, bytes, base);
    expect(back.config).toEqual({
      baseModel: "org/tiny-Llama",
      rank: 2,
      alpha: 8,
      rslora: false,
      dropout: 0,
      targetModules: ["q_proj"],
    });
    expect(back.modules[0]?.a).toEqual(Float32Array.from([1, -2, 0, 0, 0, 0, 0, 0]));
  });
});
