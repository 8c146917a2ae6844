/** safetensors: no change of bytes, header, state or index makes the reader crash or take memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelError, WeightsError } from "../../src/model/errors";
import { type Bytes, safetensorsFile } from "./build-files";
import { f32, fourBitParts, indexName, mebibyte, openAll, shards, tensorFile, u16, used } from "./safetensors-files";

describe("any damage to safetensors files", () => {
  const expectCalm = async (files: Readonly<Record<string, Bytes | string>>) => {
    const start = used();
    try {
      await openAll(files);
    } catch (error) {
      expect(error instanceof WeightsError || error instanceof ModelError, String(error)).toBe(true);
      if (error instanceof Error) expect(error.message).toMatch(/^[^\n]+\.$/);
    }
    expect(used() - start).toBeLessThan(64 * mebibyte);
  };
  const sound = tensorFile([
    ...fourBitParts(true),
    { name: "x.conv.weight", dtype: "F32", shape: [2, 4], data: f32(1, 2, 3, 4, 5, 6, 7, 8) },
    { name: "norm.weight", dtype: "BF16", data: u16(0x3f80, 0x4000) },
  ]);

  it("is an error sentence or a sound file, never a crash, and takes no memory", async () => {
    await openAll({ "model.safetensors": sound });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.option(fc.nat(sound.length), { freq: 4 }),
        async (changes, cut) => {
          const bytes = sound.slice(0, cut ?? sound.length);
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          await expectCalm({ "model.safetensors": bytes });
        },
      ),
      { numRuns: 1000, seed: 11 },
    );
  }, 120_000);

  it("holds for any values put into the header and the states", async () => {
    const headerLength = Number(new DataView(sound.buffer).getBigUint64(0, true));
    const json: Record<string, Record<string, unknown>> = JSON.parse(
      new TextDecoder().decode(sound.subarray(8, 8 + headerLength)),
    );
    const odd = fc.oneof(
      fc.constantFrom(
        0,
        -1,
        1,
        2,
        4,
        8,
        0.5,
        64,
        96,
        2 ** 31,
        2 ** 32,
        2 ** 53,
        1e300,
        null,
        "",
        "F32",
        "U8",
        "BF16",
        [],
        {},
      ),
      fc.jsonValue({ maxDepth: 2 }),
      fc.array(fc.oneof(fc.nat(300), fc.constantFrom(2 ** 32, 2 ** 53 - 1, -1)), { maxLength: 3 }),
    );
    const field = fc.constantFrom("dtype", "shape", "data_offsets");
    const stateField = fc.constantFrom(
      "quant_type",
      "blocksize",
      "shape",
      "dtype",
      "nested_blocksize",
      "nested_offset",
      "nested_dtype",
    );
    const parts = fourBitParts(true);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...Object.keys(json)), fc.oneof(field, fc.constant("")), odd), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.array(fc.tuple(stateField, odd), { minLength: 1, maxLength: 3 }),
        async (changes, stateChanges) => {
          const changed: Record<string, unknown> = structuredClone(json);
          for (const [name, key, value] of changes) {
            if (key === "") changed[name] = value;
            else changed[name] = { ...json[name], [key]: value };
          }
          await expectCalm({ "model.safetensors": safetensorsFile(changed, sound.slice(8 + headerLength)) });
          const withState = parts.map((given) => {
            if (!given.name.includes("quant_state")) return given;
            const fields = { ...JSON.parse(new TextDecoder().decode(given.data)), ...Object.fromEntries(stateChanges) };
            return { ...given, data: new TextEncoder().encode(JSON.stringify(fields)) };
          });
          await expectCalm({ "model.safetensors": tensorFile(withState) });
          await expectCalm({
            ...shards,
            [indexName]: JSON.stringify({ weight_map: Object.fromEntries(stateChanges) }),
          });
        },
      ),
      { numRuns: 500, seed: 12 },
    );
  }, 120_000);

  it("holds for any bytes behind any length", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.string({ maxLength: 200 }),
        async (tail, length, header) => {
          await expectCalm({ "model.safetensors": safetensorsFile(header, new Uint8Array(tail), length) });
          await expectCalm({ "model.safetensors": safetensorsFile(`{${header}}`, new Uint8Array(tail)) });
          await expectCalm({ ...shards, [indexName]: header });
        },
      ),
      { numRuns: 300, seed: 13 },
    );
  }, 120_000);
});
