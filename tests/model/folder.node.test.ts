/** Model folders from files and from HTTP, and the checks on config.json. */
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type ModelConfig, parseConfig, readConfig } from "../../src/model/config";
import { filesFolder, httpFolder, readText } from "../../src/model/folder";

const blob = (text: string) => new Blob([text]);
const minimal = [
  { path: "config.json", blob: blob("{}") },
  { path: "tokenizer.json", blob: blob("{}") },
];

describe("filesFolder", () => {
  it.each(["", "SmolLM/", "./SmolLM/", "/SmolLM/", "a\\"])('takes off the prefix "%s"', async (prefix) => {
    const files = ["config.json", "tokenizer.json", "onnx/model_q4.onnx"].map((path) => ({
      path: prefix + path,
      blob: blob(path),
    }));
    const folder = filesFolder("m", files);
    expect(folder.paths).toEqual(["config.json", "tokenizer.json", "onnx/model_q4.onnx"]);
    expect(await readText(folder, "onnx/model_q4.onnx", 100)).toBe("onnx/model_q4.onnx");
  });

  it.each([
    [[], "m is not a model folder: config.json and tokenizer.json are missing (it is empty)."],
    [
      ["a.txt", "b/config.json"],
      "m is not a model folder: config.json and tokenizer.json are missing (it holds a.txt, b/config.json).",
    ],
    [["x/config.json"], "m is not a model folder: tokenizer.json is missing (it holds config.json)."],
    [["a/config.json", "b/tokenizer.json"], "config.json and tokenizer.json are missing"],
  ])("refuses %j", (paths, message) => {
    expect(() =>
      filesFolder(
        "m",
        paths.map((path) => ({ path, blob: blob("") })),
      ),
    ).toThrow(message);
  });

  it("names a file that is missing, too large, or no text", async () => {
    const folder = filesFolder("m", [...minimal, { path: "x.json", blob: new Blob([new Uint8Array([0xff, 0xfe])]) }]);
    await expect(folder.open("model.safetensors")).rejects.toThrow(
      "m has no file model.safetensors; add it to the folder.",
    );
    await expect(readText(folder, "config.json", 1)).rejects.toThrow(
      "config.json of m has 2 bytes, more than the 1 that are read",
    );
    await expect(readText(folder, "x.json", 10)).rejects.toThrow("x.json of m cannot be read as UTF-8 text");
  });
});

describe("httpFolder", () => {
  it("fetches each file once and escapes its path", async () => {
    const asked: string[] = [];
    const fetchFile: typeof fetch = async (url) => {
      asked.push(String(url));
      return new Response("text");
    };
    const folder = httpFolder("m", "https://x.test/a", ["config.json", "tokenizer.json", "on nx/m.onnx"], fetchFile);
    expect(await (await folder.open("on nx/m.onnx")).text()).toBe("text");
    await folder.open("on nx/m.onnx");
    expect(asked).toEqual(["https://x.test/a/on%20nx/m.onnx"]);
    await expect(folder.open("other")).rejects.toThrow("m has no file other");
  });

  it("tries again after a failure and says why it failed", async () => {
    let calls = 0;
    const fetchFile: typeof fetch = async () => {
      calls += 1;
      if (calls === 1) return new Response("", { status: 404 });
      if (calls === 2) throw new TypeError("Failed to fetch");
      return new Response("ok");
    };
    const folder = httpFolder("m", "https://x.test/", ["config.json", "tokenizer.json"], fetchFile);
    await expect(folder.open("config.json")).rejects.toThrow(
      "config.json of m could not be fetched from https://x.test/config.json (HTTP status 404); check the address and the connection.",
    );
    await expect(folder.open("config.json")).rejects.toThrow("(Failed to fetch)");
    expect(await (await folder.open("config.json")).text()).toBe("ok");
  });
});

const valid = {
  model_type: "llama",
  vocab_size: 2048,
  hidden_size: 192,
  intermediate_size: 512,
  num_hidden_layers: 4,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
  hidden_act: "silu",
  bos_token_id: null,
  eos_token_id: 2,
};

describe("parseConfig", () => {
  it("reads a Llama config", () => {
    expect(parseConfig(valid, ["llama"])).toEqual({
      modelType: "llama",
      vocabSize: 2048,
      hiddenSize: 192,
      intermediateSize: 512,
      numLayers: 4,
      numHeads: 6,
      numKeyValueHeads: 2,
      headDim: 32,
      rmsNormEps: 1e-5,
      ropeTheta: 10000,
      maxPositions: 512,
      tieWordEmbeddings: true,
      attentionBias: false,
      mlpBias: false,
      bosTokenId: null,
      eosTokenIds: [2],
    } satisfies ModelConfig);
  });

  it.each([
    [{ rope_theta: undefined, rope_parameters: { rope_theta: 5e5, rope_type: "default" } }, 5e5],
    [{ rope_theta: 1e6, rope_scaling: null }, 1e6],
    [{ rope_theta: undefined }, 1e4],
    [{ rope_scaling: { type: "default" } }, 1e4],
  ])("takes the rotary base from %j", (patch, theta) => {
    expect(parseConfig({ ...valid, ...patch }, ["llama"]).ropeTheta).toBe(theta);
  });

  it.each([
    [
      { model_type: "gpt_neox" },
      'config.json: model_type is "gpt_neox"; it must be one of the supported llama; pick another model.',
    ],
    [{ model_type: undefined }, "config.json: model_type is missing; it must be a text."],
    [{ vocab_size: undefined }, "config.json: vocab_size is missing; it must be a whole number from 1 to 4194304."],
    [{ vocab_size: 1e15 }, "config.json: vocab_size is 1000000000000000; it must be a whole number from 1 to 4194304."],
    [{ hidden_size: "192" }, 'config.json: hidden_size is "192"; it must be a whole number from 1 to 65536.'],
    [{ hidden_size: -1 }, "config.json: hidden_size is -1;"],
    [{ num_hidden_layers: 2 ** 53 }, "config.json: num_hidden_layers is 9007199254740992;"],
    [{ num_hidden_layers: 1.5 }, "config.json: num_hidden_layers is 1.5;"],
    [
      { num_attention_heads: 7 },
      "config.json: head_dim is missing and would be 27.428571428571427; it must be a whole number, write it into the file.",
    ],
    [
      { num_key_value_heads: 4 },
      "config.json: num_key_value_heads is 4; it must be a divisor of num_attention_heads, 6.",
    ],
    [{ head_dim: 33 }, "config.json: head_dim is 33; it must be a multiple of 4, at most 256, pick another model."],
    [{ head_dim: 34 }, "config.json: head_dim is 34; it must be a multiple of 4, at most 256, pick another model."],
    [{ head_dim: 260 }, "config.json: head_dim is 260; it must be a multiple of 4, at most 256, pick another model."],
    [
      { hidden_size: 36 },
      "config.json: head_dim is missing and would be 6; it must be a multiple of 4, at most 256, pick another model.",
    ],
    [{ rms_norm_eps: 0 }, "config.json: rms_norm_eps is 0; it must be a number from 1e-12 to 1."],
    [
      { hidden_act: "gelu" },
      'config.json: hidden_act is "gelu"; it must be silu; other activations are not supported.',
    ],
    [{ tie_word_embeddings: "yes" }, 'config.json: tie_word_embeddings is "yes"; it must be true or false.'],
    [
      { rope_scaling: { rope_type: "llama3", factor: 8 } },
      'config.json: rope_scaling: rope_type is "llama3"; it must be default; scaled rotary embeddings are not supported yet.',
    ],
    [{ rope_parameters: { rope_type: "yarn" } }, 'config.json: rope_parameters: rope_type is "yarn";'],
    [{ rope_scaling: 5 }, "config.json: rope_scaling must be a JSON object, not 5; use the file of the model."],
    [{ eos_token_id: ["x"] }, 'config.json: eos_token_id is ["x"]; it must be a token id or a list of token ids.'],
    [{ partial_rotary_factor: 0.5 }, "config.json: partial_rotary_factor is 0.5; it must be 1;"],
  ])("refuses %j", (patch, message) => {
    expect(() => parseConfig({ ...valid, ...patch }, ["llama"])).toThrow(message);
  });

  it.each([4, 80, 256])("takes heads of %i", (headDim) => {
    expect(parseConfig({ ...valid, head_dim: headDim }, ["llama"]).headDim).toBe(headDim);
  });

  it("refuses what is no object", () => {
    expect(() => parseConfig([1], ["llama"])).toThrow(
      "config.json must be a JSON object, not [1]; use the file of the model.",
    );
  });
});

describe("readConfig", () => {
  const withFiles = (config: string, generation?: string) =>
    filesFolder("m", [
      { path: "config.json", blob: blob(config) },
      { path: "tokenizer.json", blob: blob("{}") },
      ...(generation === undefined ? [] : [{ path: "generation_config.json", blob: blob(generation) }]),
    ]);

  it("adds the stop tokens of generation_config.json", async () => {
    const folder = withFiles(JSON.stringify(valid), '{"eos_token_id": [2, 0]}');
    expect((await readConfig(folder, ["llama"])).eosTokenIds).toEqual([2, 0]);
  });

  it("names the broken file", async () => {
    await expect(readConfig(withFiles("{"), ["llama"])).rejects.toThrow("config.json of m is not valid JSON (");
    await expect(readConfig(withFiles(JSON.stringify(valid), '{"eos_token_id": -1}'), ["llama"])).rejects.toThrow(
      "generation_config.json: eos_token_id is -1; it must be a token id or a list of token ids.",
    );
  });

  it("reads the embedded model", async () => {
    const root = new URL("../../public/models/", import.meta.url);
    const names = await readdir(root);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const text = await readFile(new URL(`${name}/config.json`, root), "utf-8");
      expect((await readConfig(withFiles(text), ["llama"])).modelType).toBe("llama");
    }
  });
});
