/** GGUF files of every architecture that are broken or lie: what is said, and that none makes the reader crash or take memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelError, TokenizerError, WeightsError } from "../../src/model/errors";
import { format } from "../../src/model/weights/gguf";
import {
  type Bytes,
  f32Bytes,
  type GgufKeys,
  type GgufParts,
  type GgufTensorParts,
  type GgufValue,
  ggufFile,
  ggufFiles,
  halves,
  metadataOf,
  openWhole,
} from "../support/gguf";

const embedding = halves("token_embd.weight", 4, 16);
const layerNorm: GgufKeys = [["gpt2.attention.layer_norm_epsilon", ["f32", 1e-5]]];
const neoxNorm: GgufKeys = [["gptneox.attention.layer_norm_epsilon", ["f32", 1e-5]]];

/** A list in metadata that says it has 2^53 entries. */
const endless = (type: number): GgufValue => {
  const header = new Uint8Array(12);
  new DataView(header.buffer).setUint32(0, type, true);
  new DataView(header.buffer).setBigUint64(4, 2n ** 53n, true);
  return ["raw", 9, header];
};
const file = (id: string, more: GgufKeys, tensors: readonly GgufTensorParts[] = [embedding]): Bytes =>
  ggufFile({ metadata: metadataOf(id, more), tensors });

describe("a file of some architecture that is broken or lies", () => {
  const phi = (name: string, ...shape: number[]) => [embedding, halves(name, ...shape)];
  it.each<[string, Bytes, string]>([
    [
      "mixtures of experts",
      file("qwen2moe", []),
      'general.architecture is "qwen2moe"; supported are llama, qwen2, qwen3, gemma3, gpt2, gptneox, phi3 (Mistral and SmolLM are llama; mixtures of experts are not built)',
    ],
    [
      "experts in a llama",
      file("qwen3", [["qwen3.expert_count", ["u32", 8]]]),
      "the key qwen3.expert_count is 8; it must be 0; mixtures of experts are not supported",
    ],
    [
      "more tokens than rows",
      file("qwen2", [], [halves("token_embd.weight", 3, 16)]),
      "the key tokenizer.ggml.tokens is a list of 4 values; it must be a list of at most 3 tokens, the rows of token_embd.weight",
    ],
    [
      "keys of another architecture",
      ggufFile({ metadata: metadataOf("llama", [["general.architecture", ["text", "qwen2"]]]), tensors: [] }),
      "the key qwen2.embedding_length is missing",
    ],
    [
      "no norm",
      file("gpt2", [["gpt2.attention.head_count_kv", ["u32", 2]]]),
      "the key gpt2.attention.layer_norm_epsilon is missing",
    ],
    [
      "grouped heads in GPT-2",
      file("gpt2", layerNorm),
      "the key gpt2.attention.head_count is 2; it must be what splits gpt2.embedding_length, 16, evenly",
    ],
    [
      "heads of another width in GPT-NeoX",
      file("gptneox", [
        ...neoxNorm,
        ["gptneox.attention.head_count_kv", ["u32", 2]],
        ["gptneox.attention.key_length", ["u32", 6]],
      ]),
      "the key gptneox.attention.head_count is 2; it must be what splits",
    ],
    [
      "key heads that do not divide",
      file("qwen2", [
        ["qwen2.attention.head_count", ["u32", 4]],
        ["qwen2.attention.head_count_kv", ["u32", 3]],
        ["qwen2.rope.dimension_count", ["u32", 4]],
      ]),
      "the key qwen2.attention.head_count_kv is 3; it must be a divisor of qwen2.attention.head_count, 4",
    ],
    [
      "2^31 heads",
      file("qwen3", [["qwen3.attention.head_count", ["u32", 2 ** 31]]]),
      "qwen3.attention.head_count is 2147483648; it must be a whole number from 1 to 1024",
    ],
    [
      "2^62 layers",
      file("gemma3", [["gemma3.block_count", ["u64", 2n ** 62n]]]),
      "gemma3.block_count is 4611686018427388000; it must be a whole number from 1 to 1000",
    ],
    [
      "layers listed for another number",
      file("gemma3", [
        ["gemma3.attention.sliding_window", ["u32", 8]],
        ["gemma3.attention.sliding_window_pattern", ["list", "bool", [1, 0]]],
      ]),
      "gemma3.attention.sliding_window_pattern is a list of 2 values; it must be a list of 1 flags",
    ],
    [
      "layers listed as numbers",
      file("gemma3", [
        ["gemma3.attention.sliding_window", ["u32", 8]],
        ["gemma3.attention.sliding_window_pattern", ["list", "u32", [1]]],
      ]),
      "gemma3.attention.sliding_window_pattern is a list of 1 values; it must be a list of at most 1048576 flags",
    ],
    [
      "2^53 flags",
      file("gemma3", [["gemma3.attention.sliding_window_pattern", endless(7)]]),
      "the value of gemma3.attention.sliding_window_pattern at byte",
    ],
    [
      "2^53 scores",
      file("phi3", [["tokenizer.ggml.scores", endless(6)]]),
      "the value of tokenizer.ggml.scores at byte",
    ],
    [
      "2^53 texts",
      file("gpt2", [["tokenizer.ggml.merges", endless(8)]]),
      "the key tokenizer.ggml.merges says that it lists 9007199254740992 texts",
    ],
    [
      "a scale of attention that is 0",
      file("gemma3", [["gemma3.attention.scale", ["f32", 0]]]),
      "gemma3.attention.scale is 0; it must be a number from 0.000001 to 1000000",
    ],
    [
      "a soft cap",
      file("gemma3", [["gemma3.final_logit_softcapping", ["f32", 30]]]),
      "gemma3.final_logit_softcapping is 30; it must be absent; soft caps are not supported",
    ],
    [
      "a window where there is none",
      file("qwen2", [["qwen2.attention.sliding_window", ["u32", 8]]]),
      "qwen2.attention.sliding_window is 8; it must be absent; sliding windows are not supported",
    ],
    [
      "a window and biases",
      file("llama", [["llama.attention.sliding_window", ["u32", 8]]], [embedding, halves("blk.0.attn_q.bias", 16)]),
      "llama.attention.sliding_window is 8; it must be absent in a model with biases",
    ],
    [
      "more turned than there is",
      file("phi3", [["phi3.rope.dimension_count", ["u32", 10]]]),
      "phi3.rope.dimension_count is 10; it must be even and at most the head size, 8",
    ],
    [
      "an odd number turned",
      file("gptneox", [
        ...neoxNorm,
        ["gptneox.attention.head_count_kv", ["u32", 2]],
        ["gptneox.rope.dimension_count", ["u32", 3]],
      ]),
      "gptneox.rope.dimension_count is 3; it must be even",
    ],
    [
      "partly turned heads in Qwen",
      file("qwen3", [["qwen3.rope.dimension_count", ["u32", 4]]]),
      "qwen3.rope.dimension_count is 4; it must be the head size, 8",
    ],
    [
      "long factors alone",
      file("phi3", [], phi("rope_factors_long.weight", 4)),
      "lacks the tensor rope_factors_short.weight, which scales the rotary embeddings",
    ],
    [
      "factors of another head",
      file("phi3", [], [...phi("rope_factors_long.weight", 4), halves("rope_factors_short.weight", 3)]),
      'tensor "rope_factors_short.weight" is F32 of shape [3]; it must be 4 floating-point factors',
    ],
    [
      "a matrix of factors",
      file("llama", [], phi("rope_freqs.weight", 2, 2)),
      'tensor "rope_freqs.weight" is F32 of shape [2, 2]; it must be 4 floating-point factors',
    ],
    [
      "a factor of 0",
      file("llama", [], [embedding, { ...halves("rope_freqs.weight", 4), data: f32Bytes([1, 0, 1, 1]) }]),
      'tensor "rope_freqs.weight" holds the factor 0 at 1; factors are from 1e-6 to 1e6',
    ],
    [
      "a factor that is no number",
      file("llama", [], [embedding, { ...halves("rope_freqs.weight", 4), data: f32Bytes([1, Number.NaN, 1, 1]) }]),
      'tensor "rope_freqs.weight" holds NaN or infinity at element 1',
    ],
    [
      "two scalings",
      file("llama", [["llama.rope.scaling.factor", ["f32", 2]]], phi("rope_freqs.weight", 4)),
      "llama.rope.scaling.factor is 2; it must be absent, as the tensor rope_freqs.weight scales",
    ],
    [
      "YaRN of another kind",
      file("qwen2", [
        ["qwen2.rope.scaling.type", ["text", "yarn"]],
        ["qwen2.rope.scaling.yarn_log_multiplier", ["f32", 0.1]],
      ]),
      "qwen2.rope.scaling.yarn_log_multiplier is 0.10000000149011612; it must be absent or 0",
    ],
    [
      "YaRN without end",
      file("qwen2", [
        ["qwen2.rope.scaling.type", ["text", "yarn"]],
        ["qwen2.rope.scaling.yarn_beta_fast", ["f32", Number.POSITIVE_INFINITY]],
      ]),
      "qwen2.rope.scaling.yarn_beta_fast is Infinity",
    ],
    [
      "a tensor of another architecture",
      file("llama", [], phi("blk.0.attn_qkv.weight", 48, 16)),
      'tensor "blk.0.attn_qkv.weight" has no place in the llama model that the metadata describe',
    ],
    [
      "a tensor of no architecture",
      file("qwen2", [], phi("constructor", 4)),
      'tensor "constructor" has no place in the qwen2 model',
    ],
    [
      "a module that is no module",
      file("qwen2", [], phi("blk.0.constructor.weight", 4, 4)),
      'tensor "blk.0.constructor.weight" has no place in the qwen2 model',
    ],
    [
      "rows of fewer heads",
      file(
        "gptneox",
        [...neoxNorm, ["gptneox.attention.head_count_kv", ["u32", 2]]],
        phi("blk.0.attn_qkv.weight", 24, 16),
      ),
      'tensor "blk.0.attn_qkv.weight" has 24 rows, which is no whole number of heads',
    ],
    [
      "a quantized norm",
      file(
        "gemma3",
        [],
        [embedding, { name: "output_norm.weight", type: 8, shape: [1, 32], data: new Uint8Array(34) }],
      ),
      'tensor "output_norm.weight" is Q8_0 with 2 dims',
    ],
    [
      "NaN in the part of a head",
      file(
        "gptneox",
        [...neoxNorm, ["gptneox.attention.head_count_kv", ["u32", 2]]],
        [
          embedding,
          {
            ...halves("blk.0.attn_qkv.weight", 48, 1),
            data: f32Bytes(Array.from({ length: 48 }, (_, i) => (i === 24 ? Number.NaN : 1))),
          },
        ],
      ),
      'tensor "blk.0.attn_qkv.weight" holds NaN or infinity at element 32',
    ],
  ])("%s", async (_, bytes, expected) => {
    const error = await openWhole(bytes).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WeightsError);
    const { message } = error instanceof Error ? error : { message: "" };
    expect(message).toContain(expected);
    expect(message).toMatch(/^model\.gguf[ :][^\n]*\.$/);
  });

  it("names a tensor that the model has no use for", async () => {
    const files = ggufFiles(file("qwen2", [], [embedding, halves("blk.7.attn_q.weight", 16, 16)]));
    await expect(
      format.open(files, ["model.gguf"], [{ name: "model.embed_tokens.weight", shape: [4, 16] }]),
    ).rejects.toThrow('tensor "blk.7.attn_q.weight" has no place in the qwen2 model');
  });
});

describe("any damage to a file of any architecture", () => {
  const sound: readonly GgufParts[] = [
    { metadata: metadataOf("qwen3"), tensors: [embedding, halves("blk.0.attn_q_norm.weight", 8)] },
    {
      metadata: metadataOf("gemma3", [
        ["gemma3.attention.sliding_window", ["u32", 8]],
        ["gemma3.attention.sliding_window_pattern", ["list", "bool", [1]]],
      ]),
      tensors: [embedding, halves("output_norm.weight", 16)],
    },
    {
      metadata: metadataOf("gptneox", [...neoxNorm, ["gptneox.attention.head_count_kv", ["u32", 2]]]),
      tensors: [embedding, halves("blk.0.attn_qkv.weight", 48, 16)],
    },
    {
      metadata: metadataOf("phi3", [["phi3.rope.scaling.original_context_length", ["u32", 16]]]),
      tensors: [embedding, halves("rope_factors_long.weight", 4), halves("rope_factors_short.weight", 4)],
    },
    {
      metadata: metadataOf("gpt2", [...layerNorm, ["gpt2.attention.head_count_kv", ["u32", 2]]]),
      tensors: [embedding],
    },
    {
      metadata: metadataOf("llama"),
      tensors: [embedding, halves("rope_freqs.weight", 4), halves("blk.0.attn_q.weight", 16, 16)],
    },
  ];
  const files = sound.map((parts) => ggufFile(parts));
  const taken = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  it("is sound before", async () => {
    for (const bytes of files) await openWhole(bytes);
  });

  it("is an error sentence or a sound file, never a crash, and takes no memory", async () => {
    const change = fc.tuple(
      fc.nat(),
      fc.constantFrom(1, 4, 8),
      fc.constantFrom(0n, 1n, 255n, 2n ** 31n, 2n ** 53n, 2n ** 64n - 1n),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (index, changes) => {
          const bytes = (files[index] ?? new Uint8Array()).slice();
          for (const [at, width, value] of changes) {
            const view = new DataView(new ArrayBuffer(8));
            view.setBigUint64(0, value, true);
            bytes.set(new Uint8Array(view.buffer, 0, width), at % (bytes.length - 8));
          }
          const start = taken();
          try {
            await openWhole(bytes);
          } catch (error) {
            const ours = [WeightsError, TokenizerError, ModelError].some((known) => error instanceof known);
            expect(ours, String(error)).toBe(true);
            if (error instanceof Error) expect(error.message).toMatch(/\.$/);
          }
          expect(taken() - start).toBeLessThan(64 * 1024 * 1024);
        },
      ),
      { numRuns: 1500, seed: 9 },
    );
  }, 120_000);
});
