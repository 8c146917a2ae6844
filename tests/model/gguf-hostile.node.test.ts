/** GGUF: what is said about broken and hostile files, and that no file makes the reader crash or take memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelError, TokenizerError, WeightsError } from "../../src/model/errors";
import {
  type Bytes,
  f32Bytes,
  type GgufParts,
  type GgufTensorParts,
  type GgufValue,
  ggufFile,
  llamaMetadata,
  openWhole,
  withKey,
} from "../support/gguf";

const output = { name: "output.weight", type: 0, shape: [4, 16], data: f32Bytes(Array(64).fill(0.5)) } as const;
const norm = { name: "output_norm.weight", type: 0, shape: [16], data: f32Bytes(Array(16).fill(1)) } as const;
const sound: GgufParts = { metadata: llamaMetadata, tensors: [output, norm] };
const soundFile = ggufFile(sound);
const withParts = (parts: Partial<GgufParts>) => ggufFile({ ...sound, ...parts });
const withTensor = (patch: Partial<GgufTensorParts>) => withParts({ tensors: [{ ...output, ...patch }, norm] });
const withMetadata = (key: string, value: GgufValue | null) => withParts({ metadata: withKey(key, value) });
/** A key whose value is this list header: element type, count, then bytes. */
const list = (type: number, count: bigint, bytes: number[] = []): Bytes => {
  const value = new Uint8Array(12 + bytes.length);
  new DataView(value.buffer).setUint32(0, type, true);
  new DataView(value.buffer).setBigUint64(4, count, true);
  value.set(bytes, 12);
  return value;
};
const text = (length: bigint): Bytes => {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigUint64(0, length, true);
  return value;
};
const hidden = "llama.embedding_length";

describe("a GGUF file that is broken or lies", () => {
  it("is read where it is neither", () => openWhole(soundFile));

  it.each<[string, Bytes, string]>([
    ["empty", new Uint8Array(), "model.gguf has 0 bytes, too few for a GGUF file; download it again."],
    [
      "HTML instead",
      new TextEncoder().encode("<!doctype html><html></html>"),
      'model.gguf begins with "<!do" instead of "GGUF"; it is not a GGUF file, download it again.',
    ],
    ["an older format", withParts({ magic: "ggjt" }), 'begins with "ggjt" instead of "GGUF"'],
    ["version 1", withParts({ version: 1 }), "is GGUF version 1; only versions 2 and 3 can be read"],
    ["version 0", withParts({ version: 0 }), "is GGUF version 0; only versions 2 and 3 can be read"],
    ["big-endian", withParts({ version: 3 * 2 ** 24 }), "that is a file for big-endian machines"],
    [
      "2^63 tensors",
      withParts({ tensorCount: 2n ** 63n }),
      "says that it has 9223372036854776000 tensors; more than 20000",
    ],
    [
      "2^53 keys",
      withParts({ keyCount: 2n ** 53n }),
      "says that it has 9007199254740992 metadata keys; more than 10000",
    ],
    ["more tensors than described", withParts({ tensorCount: 3, tensors: [norm] }), "model.gguf: "],
    [
      "cut in the metadata",
      soundFile.slice(0, 200),
      "the name of metadata key 5 at byte 184 should end at byte 209, but the file has 200 bytes; it is cut off",
    ],
    ["cut in the tensors", soundFile.slice(0, -4), "should lie at bytes"],
    [
      "a key of 2^62 bytes",
      ggufFile({ keyCount: 1, metadata: [] }).map((byte, i) => (i === 31 ? 64 : byte)),
      "the name of metadata key 1 has 4611686018427388000 bytes; at most 256 are read",
    ],
    [
      "a key twice",
      withParts({ metadata: [...llamaMetadata, ["llama.block_count", ["u32", 2]]] }),
      "gives the key llama.block_count twice",
    ],
    [
      "an unknown value type",
      withMetadata("x", ["raw", 13, new Uint8Array(8)]),
      "the key x has the unknown value type 13",
    ],
    ["a text of 2^63 bytes", withMetadata("x", ["raw", 8, text(2n ** 63n)]), "the value of x at byte"],
    ["a list of 2^53 numbers", withMetadata("x", ["raw", 9, list(4, 2n ** 53n)]), "the value of x at byte"],
    [
      "a list of 2^60 texts",
      withMetadata("x", ["raw", 9, list(8, 2n ** 60n)]),
      "the key x says that it lists 1152921504606847000 texts; the file has room for",
    ],
    [
      "a list of lists",
      withMetadata("x", ["raw", 9, list(9, 1n, [...list(4, 0n)])]),
      "the key x is a list of value type 9; only lists of numbers and texts",
    ],
    [
      "a list with a lying text",
      withMetadata("x", ["raw", 9, list(8, 1n, [...text(2n ** 52n)])]),
      "a text of x at byte",
    ],
    [
      "alignment 24",
      withMetadata("general.alignment", ["u32", 24]),
      "the key general.alignment is 24; it must be a power of two",
    ],
    [
      "alignment 0",
      withMetadata("general.alignment", ["u32", 0]),
      "the key general.alignment is 0; it must be a whole number from 8",
    ],
    [
      "alignment as text",
      withMetadata("general.alignment", ["text", "32"]),
      "the key general.alignment is a text of 2 bytes",
    ],
    ["a tensor twice", withParts({ tensors: [output, output] }), 'lists the tensor "output.weight" twice'],
    [
      "an offset between",
      withTensor({ offset: 4 }),
      'tensor "output.weight" lies at offset 4, which is no multiple of the file\'s alignment 32',
    ],
    ["an offset of 2^63", withTensor({ offset: 2n ** 63n }), "should lie at bytes 9223372036854776"],
    [
      "overlapping tensors",
      withParts({ tensors: [output, { ...norm, offset: 128 }] }),
      'the tensors "output.weight" and "output_norm.weight" overlap',
    ],
    ["no dims", withTensor({ shape: [] }), 'tensor "output.weight" has 0 dims; it must have 1 to 4'],
    ["five dims", withTensor({ shape: [1, 1, 1, 4, 16] }), 'tensor "output.weight" has 5 dims; it must have 1 to 4'],
    ["a dim of 0", withTensor({ shape: [0, 16] }), 'tensor "output.weight" has the impossible shape [0, 16]'],
    ["2^53 columns", withTensor({ shape: [1, 2n ** 53n] }), "has the impossible shape [1, 9007199254740992]"],
    [
      "dims whose product overflows",
      withTensor({ shape: [2n ** 30n, 2n ** 30n] }),
      "has the impossible shape [1073741824, 1073741824]",
    ],
    ["a bomb of a shape", withTensor({ shape: [2 ** 20, 2 ** 20] }), 'tensor "output.weight" should lie at bytes'],
    [
      "half a block",
      withTensor({ type: 8, shape: [1, 16] }),
      'tensor "output.weight" has rows of 16, but Q8_0 comes in blocks of 32',
    ],
    [
      "an unsupported type",
      withTensor({ type: 20 }),
      'tensor "output.weight" has the type IQ4_NL (20); only F32, F16, BF16, Q4_0,',
    ],
    ["an unknown type", withTensor({ type: 4_000_000_000 }), "has the type 4000000000; only F32"],
    [
      "a quantized vector",
      withTensor({ type: 8, shape: [32], data: new Uint8Array(34) }),
      "is Q8_0 with 1 dims; only matrices can be quantized",
    ],
    [
      "half a head",
      withTensor({ name: "blk.0.attn_q.weight", shape: [4, 16] }),
      'tensor "blk.0.attn_q.weight" has 4 rows, which is no whole number of heads',
    ],
    [
      "NaN",
      withTensor({ data: f32Bytes(Array(64).fill(Number.NaN)) }),
      'tensor "output.weight" holds NaN or infinity at element 0',
    ],
    [
      "an infinite scale",
      withTensor({ type: 8, shape: [2, 32], data: new Uint8Array(68).map((_, i) => (i === 35 ? 0x7c : 0)) }),
      'tensor "output.weight" holds NaN or infinity in row 1',
    ],
    [
      "no architecture",
      withMetadata("general.architecture", null),
      'general.architecture is ""; supported are llama, qwen2, qwen3, gemma3, gpt2, gptneox, phi3 (Mistral and SmolLM',
    ],
    [
      "another architecture",
      withMetadata("general.architecture", ["text", "mamba"]),
      'general.architecture is "mamba"; supported are llama',
    ],
    ["an adapter", withMetadata("general.type", ["text", "adapter"]), 'holds no model: general.type is "adapter"'],
    ["one part of three", withMetadata("split.count", ["u32", 3]), "is one of 3 parts, which cannot be read"],
    [
      "old blocks",
      withMetadata("general.quantization_version", ["u32", 1]),
      "the key general.quantization_version is 1; it must be 2",
    ],
    ["no width", withMetadata(hidden, null), `the key ${hidden} is missing; it must be a whole number from 1 to 65536`],
    [
      "a width of 2^63",
      withMetadata(hidden, ["u64", 2n ** 63n]),
      `the key ${hidden} is 9223372036854776000; it must be`,
    ],
    ["a width as text", withMetadata(hidden, ["text", "16"]), `the key ${hidden} is a text of 2 bytes; it must be`],
    ["a width that is no number", withMetadata(hidden, ["f32", Number.NaN]), `the key ${hidden} is NaN; it must be`],
    [
      "heads that do not divide",
      withMetadata("llama.attention.head_count", ["u32", 3]),
      "llama.attention.head_count is 3; it must be a divisor of llama.embedding_length, 16",
    ],
    [
      "an odd head",
      withMetadata("llama.attention.key_length", ["u32", 7]),
      "llama.attention.key_length is 7; it must be even",
    ],
    [
      "values of another width",
      withMetadata("llama.attention.value_length", ["u32", 4]),
      "llama.attention.value_length is 4; it must be llama.attention.key_length, 8",
    ],
    [
      "partly rotated heads",
      withMetadata("llama.rope.dimension_count", ["u32", 4]),
      "llama.rope.dimension_count is 4; it must be the head size, 8",
    ],
    [
      "scaled positions",
      withMetadata("llama.rope.scaling.type", ["text", "spiral"]),
      'it must be none, linear, yarn or longrope, not "spiral"',
    ],
    [
      "an endless scale",
      withMetadata("llama.rope.scale_linear", ["f32", Number.POSITIVE_INFINITY]),
      "the key llama.rope.scale_linear is Infinity; it must be a number from 0 to 1000000",
    ],
    [
      "factors of another head",
      withParts({ tensors: [output, { ...norm, name: "rope_freqs.weight" }] }),
      'tensor "rope_freqs.weight" is F32 of shape [16]; it must be 4 floating-point factors',
    ],
    [
      "a window of 2^40",
      withMetadata("llama.attention.sliding_window", ["u64", 2n ** 40n]),
      "the key llama.attention.sliding_window is 1099511627776; it must be a whole number from 0 to 4294967295",
    ],
    [
      "a model that looks ahead",
      withMetadata("llama.attention.causal", ["bool", 0]),
      "the key llama.attention.causal is false; it must be true",
    ],
    [
      "a name with a line feed",
      withTensor({ name: "output\n.weight" }),
      'the name of tensor 1 is "output\\n.weight"; a name has no control characters',
    ],
    [
      "experts",
      withMetadata("llama.expert_count", ["u32", 8]),
      "the key llama.expert_count is 8; it must be 0; mixtures of experts",
    ],
    [
      "a width for each layer",
      withMetadata("llama.feed_forward_length", ["list", "i32", [24]]),
      "llama.feed_forward_length is a list of 1 values; it must be a whole number",
    ],
    [
      "a token that is no UTF-8",
      withMetadata("tokenizer.ggml.tokens", ["raw", 9, list(8, 1n, [...text(1n), 0xff])]),
      "tokenizer.ggml.tokens[0] is not valid UTF-8",
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
});

describe("any damage to a GGUF file", () => {
  const taken = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const expectCalm = async (bytes: Bytes) => {
    const start = taken();
    try {
      await openWhole(bytes);
    } catch (error) {
      const ours = [WeightsError, TokenizerError, ModelError].some((known) => error instanceof known);
      expect(ours, String(error)).toBe(true);
      if (error instanceof Error) expect(error.message).toMatch(/\.$/);
    }
    expect(taken() - start).toBeLessThan(64 * 1024 * 1024);
  };

  it("is an error sentence or a sound file, never a crash, and takes no memory", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(soundFile.length - 1), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.option(fc.nat(soundFile.length), { freq: 4 }),
        async (changes, cut) => {
          const bytes = soundFile.slice(0, cut ?? soundFile.length);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          await expectCalm(bytes);
        },
      ),
      { numRuns: 1500, seed: 7 },
    );
  }, 120_000);

  it("holds for any bytes behind the magic and the version, and for lengths put in anywhere", async () => {
    const lengths = fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(soundFile.length - 8),
        lengths,
        async (tail, at, length) => {
          const head = soundFile.slice(0, 8);
          await expectCalm(Uint8Array.from([...head, ...tail]));
          const bytes = soundFile.slice();
          new DataView(bytes.buffer).setBigUint64(at, length, true);
          await expectCalm(bytes);
        },
      ),
      { numRuns: 600, seed: 8 },
    );
  }, 120_000);
});
