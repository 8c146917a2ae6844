/** PEFT adapters: byte for byte what PEFT writes, read back, and what is said about adapters that must not be written. */
import { readFile } from "node:fs/promises";
import { unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { adapterFault } from "../../src/export/check";
import { peft } from "../../src/export/peft";
import { peftConfigText } from "../../src/export/peft-config";
import type { BaseModel } from "../../src/export/types";
import { zipFiles } from "../../src/export/zip";
import { adapterModules, parseBlueprint } from "../../src/model/blueprint";
import type { Adapter } from "../../src/training/adapter";
import type { Bytes } from "../model/build-files";
import { adapter, base, qProj, readAdapter, run, vProj, weightsFile } from "./small-adapter";

const configFile = "adapter_config.json";

async function golden(model: string) {
  const read = async (file: string): Promise<Bytes> =>
    new Uint8Array(await readFile(new URL(`../golden/${model}/adapter/${file}`, import.meta.url)));
  return { config: await read(configFile), weights: await read(weightsFile) };
}

/** The modules of a golden model, as its config.json describes them. */
async function goldenBase(model: string): Promise<BaseModel> {
  const text = await readFile(new URL(`../golden/${model}/model/config.json`, import.meta.url), "utf-8");
  const modules = adapterModules(parseBlueprint(JSON.parse(text)));
  return { name: model, revision: null, modelType: "llama", weightFormat: "safetensors", license: null, modules };
}

describe.each(["llama-tied", "llama-untied", "llama-int4", "gpt2", "gpt-neox", "phi3"])(
  "the adapter that PEFT saved for %s",
  (model) => {
    it("is written again byte for byte", async () => {
      const [files, base] = await Promise.all([golden(model), goldenBase(model)]);
      const adapter = await readAdapter(files.config, files.weights, base);
      const written = await peft.write(adapter, { base, run: null });
      expect(written.map(({ path }) => path)).toEqual([configFile, weightsFile, "README.md"]);
      expect((await written[0]?.blob.text())?.trimEnd()).toBe(
        new TextDecoder().decode(files.config).replaceAll("\r\n", "\n").trimEnd(),
      );
      expect(new Uint8Array((await written[1]?.blob.arrayBuffer()) ?? new ArrayBuffer())).toEqual(files.weights);
    });
  },
);

describe("an exported adapter", () => {
  it("brings the chat template that it learned, unless that is the base model's own", async () => {
    const chatTemplate = "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}";
    const files = await peft.write(adapter, { base, run: null, chatTemplate });
    expect(await files.find(({ path }) => path === "chat_template.jinja")?.blob.text()).toBe(chatTemplate);
    expect(await files.find(({ path }) => path === "README.md")?.blob.text()).toContain("tokenizer.chat_template = ");
    const own = await peft.write(adapter, { base, run: null, chatTemplate: null });
    expect(own.map(({ path }) => path)).not.toContain("chat_template.jinja");
    expect(await own.at(-1)?.blob.text()).not.toContain("tokenizer.chat_template");
  });

  it("comes back equal", async () => {
    const [config, weights] = await peft.write(adapter, { base, run });
    const back = await readAdapter(
      await config?.blob.text(),
      new Uint8Array((await weights?.blob.arrayBuffer()) ?? new ArrayBuffer()),
      base,
    );
    expect(back).toEqual(adapter);
  });

  it("has an aligned header and names sorted", async () => {
    const [, weights] = await peft.write(adapter, { base, run });
    const bytes = new Uint8Array((await weights?.blob.arrayBuffer()) ?? new ArrayBuffer());
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header.__metadata__).toEqual({ format: "pt" });
    const prefix = "base_model.model.model.layers.0.self_attn";
    expect(Object.keys(header).slice(1)).toEqual(
      ["q_proj.lora_A", "q_proj.lora_B", "v_proj.lora_A", "v_proj.lora_B"].map((name) => `${prefix}.${name}.weight`),
    );
  });

  it("keeps whole numbers whole and floats floats, as Python does", () => {
    const text = peftConfigText({ ...adapter.config, dropout: 0, baseModel: 'o"rg/é\u007f' }, { revision: "main" });
    expect(text).toContain('"lora_alpha": 16,');
    expect(text).toContain('"lora_dropout": 0.0,');
    expect(text).toContain('"base_model_name_or_path": "o\\"rg/\\u00e9\\u007f",');
    expect(text).toContain('"revision": "main",');
    expect(text).toContain('"use_rslora": true,');
    expect(peftConfigText({ ...adapter.config, alpha: 12.5 }, { revision: null })).toContain('"lora_alpha": 12.5,');
    expect(Object.keys(JSON.parse(text)).length).toBe(41);
    expect(JSON.parse(text).base_model_name_or_path).toBe('o"rg/é\u007f');
  });

  it("has a card that says where it comes from", async () => {
    const card = (await (await peft.write(adapter, { base, run }))[2]?.blob.text()) ?? "";
    expect(card).toContain(
      '---\nbase_model: org/tiny-Llama\nlibrary_name: peft\npipeline_tag: text-generation\ntags:\n- "base_model:adapter:org/tiny-Llama"\n- lora\n- transformers\n---\n',
    );
    expect(card).toContain('AutoModelForCausalLM.from_pretrained(base, revision="0123abc")');
    expect(card).toContain("| scale of B·A | 11.3137 (alpha / √rank, rsLoRA) |");
    expect(card).toContain("| dataset | my\\|data \\# \\<b\\>.jsonl, 1,234 rows |");
    expect(card).toContain("| learning rate | 0.0002, cosine, 2 warm-up steps |");
    expect(card).toContain("| training loss, first and last step | 2.5000 → 1.2500 |");
    expect(card).toContain("| held-out loss, before and after | 2.4000 → 1.5000 |");
    expect(card).toContain("the licence of its base model (apache-2.0)");
    const imported = (await (await peft.write(adapter, { base, run: null }))[2]?.blob.text()) ?? "";
    expect(imported).not.toContain("## Training");
  });

  it("zips to the same bytes twice, and unzips", async () => {
    const files = await peft.write(adapter, { base, run });
    const date = new Date("2026-01-31T12:00:00Z");
    const [first, second] = await Promise.all([zipFiles(files, date), zipFiles(files, date)]);
    const bytes = new Uint8Array(await first.arrayBuffer());
    expect(new Uint8Array(await second.arrayBuffer())).toEqual(bytes);
    const entries = unzipSync(bytes);
    expect(Object.keys(entries)).toEqual([configFile, weightsFile, "README.md"]);
    expect(entries[weightsFile]).toEqual(new Uint8Array((await files[1]?.blob.arrayBuffer()) ?? new ArrayBuffer()));
  });
});

describe("an adapter that must not be written", () => {
  const spoilt = (data: Float32Array<ArrayBuffer>, at: number, value: number) => {
    const copy = data.slice();
    copy[at] = value;
    return copy;
  };
  it.each<[string, Adapter, string]>([
    [
      "NaN in A",
      { ...adapter, modules: [{ ...qProj, a: spoilt(qProj.a, 3, Number.NaN) }, vProj] },
      "Matrix A of model.layers.0.self_attn.q_proj holds NaN at element 3; the run diverged, train again with a lower learning rate.",
    ],
    [
      "infinity in B",
      { ...adapter, modules: [qProj, { ...vProj, b: spoilt(vProj.b, 0, Number.NEGATIVE_INFINITY) }] },
      "Matrix B of model.layers.0.self_attn.v_proj holds -Infinity at element 0;",
    ],
    [
      "a module missing",
      { ...adapter, modules: [qProj] },
      "The adapter lacks model.layers.0.self_attn.v_proj, which its targets q_proj, v_proj ask for.",
    ],
    [
      "a module too many",
      { ...adapter, config: { ...adapter.config, targetModules: ["q_proj"] } },
      "The adapter holds model.layers.0.self_attn.v_proj, which its targets q_proj leave out.",
    ],
    [
      "a module of another model",
      { ...adapter, modules: [qProj, { ...vProj, module: "model.layers.9.self_attn.v_proj" }] },
      "The adapter holds model.layers.9.self_attn.v_proj, which org/tiny-Llama does not have.",
    ],
    [
      "a module twice",
      { ...adapter, modules: [qProj, qProj, vProj] },
      "The adapter holds model.layers.0.self_attn.q_proj twice.",
    ],
    [
      "another width",
      { ...adapter, modules: [{ ...qProj, inFeatures: 8 }, vProj] },
      "The adapter's model.layers.0.self_attn.q_proj goes from 8 to 6 features, but that of org/tiny-Llama from 4 to 6;",
    ],
    [
      "another rank",
      { ...adapter, config: { ...adapter.config, rank: 3 } },
      "Matrix A of model.layers.0.self_attn.q_proj has 8 values; rank 3 asks for 12.",
    ],
    [
      "rank 0",
      { ...adapter, config: { ...adapter.config, rank: 0 } },
      "The adapter's rank is 0; it must be a whole number above 0.",
    ],
    [
      "alpha NaN",
      { ...adapter, config: { ...adapter.config, alpha: Number.NaN } },
      "The adapter's alpha is NaN; it must be a number.",
    ],
    [
      "nothing",
      { ...adapter, config: { ...adapter.config, targetModules: ["nope"] }, modules: [] },
      "The adapter is empty: no module of org/tiny-Llama matches its targets nope.",
    ],
  ])("%s", async (_, faulty, message) => {
    expect(peft.refuse(faulty, { base, run })).toContain(message);
    await expect(peft.write(faulty, { base, run })).rejects.toThrow(message);
  });

  it("while a sound one has no fault", () => expect(adapterFault(adapter, base)).toBeNull());
});
