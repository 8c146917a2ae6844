/** The curated list: each config is read by the studio, and gives the parameters that the model is known for. */
import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/hub";
import { parseBlueprint } from "../../src/model/blueprint";

/** As the model cards and the hub's own count of the checkpoint have them; shared embeddings count once. */
const parameters: Readonly<Record<string, number>> = {
  "HuggingFaceTB/SmolLM2-135M-Instruct": 134_515_008,
  "HuggingFaceTB/SmolLM2-360M-Instruct": 361_821_120,
  "Qwen/Qwen2.5-0.5B-Instruct": 494_032_768,
  "Qwen/Qwen3-0.6B": 596_049_920,
  "google/gemma-3-270m-it": 268_098_176,
  "meta-llama/Llama-3.2-1B-Instruct": 1_235_814_400,
  "openai-community/gpt2": 124_439_808,
  "EleutherAI/pythia-70m": 70_426_624,
  "EleutherAI/pythia-160m": 162_322_944,
};

describe("the catalogue", () => {
  it("lists these models, each once", () => {
    expect(catalogue.map(({ id }) => id)).toEqual(Object.keys(parameters));
  });

  it("names a copy, and only there, where the hub asks to accept a licence", () => {
    for (const { id, from, gate, mirrors } of catalogue) {
      expect(gate === null, id).toBe(from === id);
      expect(mirrors.includes(from), id).toBe(gate !== null);
    }
  });

  it.each(catalogue.map((entry) => [entry.id, entry] as const))("knows the size of %s", (id, { config, variant }) => {
    const { tensors } = parseBlueprint(config);
    const stored = tensors.filter(({ optional }) => !optional);
    const count = stored.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
    expect(count).toBe(parameters[id]);
    // Between 4 bits and 32 bits a weight.
    expect(variant.bytes / count).toBeGreaterThan(0.5);
    expect(variant.bytes / count).toBeLessThan(4.7);
  });
});
