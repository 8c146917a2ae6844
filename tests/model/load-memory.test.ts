/** A model of 600 MB goes to the GPU in pieces: script memory stays small, also where it is quantized on the way. */
import { afterAll, describe, expect, it } from "vitest";
import type { PlannedBuffer } from "../../src/engine/tensor";
import { parseBlueprint } from "../../src/model/blueprint";
import { type LoadedModel, type LoadOptions, loadModel } from "../../src/model/load";
import { toFloat32 } from "../../src/model/weights/bytes";
import { openSafetensors } from "../../src/model/weights/safetensors";
import { testDevice } from "../support/gpu";

const megabyte = 2 ** 20;
const allowed = 256 * megabyte;
const hidden = 2048;
const vocabulary = 80_000;
const embedding = "model.embed_tokens.weight";

const blueprint = parseBlueprint({
  model_type: "llama",
  vocab_size: vocabulary,
  hidden_size: hidden,
  intermediate_size: 9_728,
  num_hidden_layers: 2,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: "silu",
  tie_word_embeddings: true,
  bos_token_id: 0,
  eos_token_id: 1,
});

/**
 * bf16 values from ±2⁻⁷ to ±2⁻⁵, one run of them repeated: such a Blob takes hardly any memory itself, and its slices, which copy
 * the runs they cut until they are collected, take little. No number of rows is a
 * run, so that a piece in the wrong place shows.
 */
const run = Uint16Array.from(
  { length: 100_003 },
  (_, i) => (0x3c00 + ((i * 7919) % 256)) | (((i * 31) % 7) & 1 ? 0x8000 : 0),
);

function weightFile(): Blob {
  let end = 0;
  const entries = blueprint.tensors
    .filter(({ optional }) => !optional)
    .map(({ name, shape }): [string, unknown] => {
      const start = end;
      end += 2 * shape.reduce((product, size) => product * size, 1);
      return [name, { dtype: "BF16", shape, data_offsets: [start, end] }];
    });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = new BigUint64Array([BigInt(header.length)]);
  const part = new Blob([run]);
  const whole = Array.from({ length: Math.floor(end / part.size) }, () => part);
  return new Blob([length, header, ...whole, part.slice(0, end % part.size)]);
}

/** Bytes of script values and their buffers, garbage that has not been collected included. */
function heap(): number {
  const { memory } = performance as Performance & { readonly memory?: { readonly usedJSHeapSize: number } };
  return memory?.usedJSHeapSize ?? Number.NaN;
}

const device = await testDevice();
const file = weightFile();
const lines: string[] = [];
afterAll(() => console.info(lines.join("\n")));

/** Loads the file and gives the model with the most that scripts held meanwhile. */
async function load(options: LoadOptions): Promise<{ readonly model: LoadedModel; readonly peak: number }> {
  const before = heap();
  let peak = before;
  const look = () => {
    peak = Math.max(peak, heap());
  };
  const clock = setInterval(look, 10);
  const started = performance.now();
  try {
    const source = await openSafetensors(file, "model.safetensors", blueprint.tensors);
    const model = await loadModel(device, blueprint, source, { ...options, onProgress: look });
    const mb = (bytes: number) => `${(bytes / megabyte).toFixed(0)} MB`;
    lines.push(
      `${mb(file.size)} ${options.quantization ? `to ${options.quantization}` : "as they are"}: ${mb(model.bytes)} on the GPU, ` +
        `script memory from ${mb(before)} to at most ${mb(peak)}, ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
    return { model, peak };
  } finally {
    clearInterval(clock);
  }
}

/** The embedding's last row: as the file has it, and the two ends of its buffers on the GPU. */
async function lastRow({ tensors }: LoadedModel) {
  const source = await openSafetensors(file, "model.safetensors", blueprint.tensors);
  const { form, data } = await source.read(embedding, { first: vocabulary - 1, count: 1 });
  const planned = tensors.find(({ spec }) => spec.name === embedding);
  if (form !== "bf16" || !planned) throw new TypeError(`The file holds ${form}.`);
  const tail = (buffer: PlannedBuffer | null, bytes: number) =>
    buffer ? device.read(buffer.gpu, buffer.bytes - bytes, bytes) : Promise.reject(new TypeError("no such buffer"));
  return { planned, values: toFloat32(form, data), tail };
}

describe("loading 600 MB of bf16", { timeout: 180_000, retry: 0 }, () => {
  it("as it is, one tensor larger than 256 MB", async () => {
    expect(file.size).toBeGreaterThan(600 * megabyte);
    const { model, peak } = await load({});
    expect(peak).toBeLessThan(allowed);
    const { planned, values, tail } = await lastRow(model);
    expect(planned.data.bytes).toBeGreaterThan(allowed);
    expect(toFloat32("bf16", new Uint8Array(await tail(planned.data, 2 * hidden)))).toEqual(values);
    model.destroy();
  });

  it("as int4, the embedding as int8", async () => {
    const { model, peak } = await load({ quantization: "int4" });
    expect(peak).toBeLessThan(allowed);
    expect(new Set(model.tensors.map(({ layout }) => layout.form))).toEqual(new Set(["int8", "int4", "f32"]));
    const { planned, values, tail } = await lastRow(model);
    const codes = new Int8Array(await tail(planned.data, hidden));
    const scales = new Float32Array(await tail(planned.scales, hidden / 8));
    for (const [i, value] of values.entries()) {
      const scale = scales[Math.floor(i / 32)] ?? Number.NaN;
      expect(Math.abs((codes[i] ?? Number.NaN) * scale - value)).toBeLessThan(0.6 * scale);
    }
    model.destroy();
  });
});
