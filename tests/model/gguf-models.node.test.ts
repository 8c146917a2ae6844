/** Every architecture from GGUF against its own safetensors folder (tests/golden/gguf_models.py): tensors, pieces of them, config. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Blueprint } from "../../src/model/architecture";
import { readBlueprint } from "../../src/model/blueprint";
import { ggufFolder } from "../../src/model/gguf-folder";
import { loadTokenizer } from "../../src/model/tokenizer";
import { format as ggufFormat } from "../../src/model/weights/gguf";
import { nameInSource } from "../../src/model/weights/names";
import { format as safetensorsFormat } from "../../src/model/weights/safetensors";
import type { ModelFiles, WeightFormat, WeightSource } from "../../src/model/weights/types";
import { valuesOf } from "../support/gguf";
import { goldenFolder } from "../support/golden";

const folder = new URL("../golden/gguf-models/", import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(/\.gguf$/, ""));

interface Opened {
  readonly files: ModelFiles;
  readonly blueprint: Blueprint;
  readonly source: WeightSource;
}

async function open(files: ModelFiles, format: WeightFormat): Promise<Opened> {
  const blueprint = await readBlueprint(files);
  return { files, blueprint, source: await format.open(files, format.match(files.paths), blueprint.tensors) };
}

async function openGguf(name: string): Promise<Opened> {
  const blob = new Blob([new Uint8Array(readFileSync(new URL(`${name}.gguf`, folder)))]);
  const files = await ggufFolder([{ path: `${name}.gguf`, blob }]);
  if (!files) throw new Error("no folder");
  return open(files, ggufFormat);
}

const json = async (files: ModelFiles): Promise<Readonly<Record<string, unknown>>> =>
  JSON.parse(await (await files.open("config.json")).text());

/** Said otherwise in the file on purpose; what the network makes of them is compared. */
const otherwise = new Set(["rope_scaling", "rope_parameters", "rope_theta", "sliding_window", "eos_token_id"]);

describe.each(names)("%s", (name) => {
  it("has the tensors of its safetensors folder, whole and in pieces", async () => {
    const gguf = await openGguf(name);
    const { blueprint, source: safetensors } = await open(goldenFolder(`${name}/model`), safetensorsFormat);
    const shifted = gguf.source.held?.some((note) => note.includes("1 + w")) ?? false;
    expect(shifted).toBe(name === "gemma3");
    let compared = 0;
    for (const { name: tensor, shape, optional } of blueprint.tensors) {
      const stored = nameInSource(tensor, blueprint, safetensors);
      if (optional && !safetensors.tensors.has(stored)) continue;
      const info = gguf.source.tensors.get(tensor);
      expect(info?.shape, tensor).toEqual(shape);
      const whole = valuesOf(await gguf.source.read(tensor));
      expect(whole, tensor).toEqual(valuesOf(await safetensors.read(stored)));
      compared++;
      if (shape.length === 1) continue;
      const [rows, columns] = shape;
      const step = info?.rowStep ?? 1;
      for (const count of [step, 3 * step]) {
        for (let first = 0; first < rows; first += count) {
          const piece = await gguf.source.read(tensor, { first, count: Math.min(count, rows - first) });
          const end = Math.min(first + count, rows);
          expect(piece.shape).toEqual([end - first, columns]);
          expect(valuesOf(piece), tensor).toEqual(whole.subarray(first * columns, end * columns));
        }
      }
    }
    expect(compared).toBe(gguf.source.tensors.size);
  });

  it("has its config and tokenizer", async () => {
    const { files, blueprint } = await openGguf(name);
    const golden = goldenFolder(`${name}/model`);
    const expected = await readBlueprint(golden);
    const { rotaries, ...config } = blueprint.config;
    const { rotaries: expectedRotaries, ...expectedConfig } = expected.config;
    // Mistral without a window is a Llama.
    expect(config).toEqual(expectedConfig);
    expect(blueprint.tensors).toEqual(expected.tensors);
    expect(rotaries.map(({ label, factor, maxPositions }) => [label, factor, maxPositions])).toEqual(
      expectedRotaries.map(({ label, factor, maxPositions }) => [label, factor, maxPositions]),
    );
    for (const [index, { inverseFrequencies }] of rotaries.entries()) {
      const reference = expectedRotaries[index]?.inverseFrequencies ?? new Float32Array();
      expect(inverseFrequencies.length).toBe(reference.length);
      // A division by a factor and one by its reciprocal differ in the last bit.
      for (const [pair, value] of inverseFrequencies.entries())
        expect(Math.abs(value / (reference[pair] ?? Number.NaN) - 1)).toBeLessThan(2 ** -22);
    }
    const given = await json(golden);
    const made = await json(files);
    const same = Object.keys(made).filter((key) => given[key] !== undefined && !otherwise.has(key));
    expect(same.length).toBeGreaterThan(8);
    for (const key of same) expect(made[key], key).toEqual(given[key]);
    const text = "In the <s>beginning 12 34\n";
    expect((await loadTokenizer(files)).encode(text)).toEqual((await loadTokenizer(golden)).encode(text));
  });
});
