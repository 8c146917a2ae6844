/** The worker's open datasets with a real model: which looks at the same rows are kept, and for whom. */
import { describe, expect, it } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { surveyLimits } from "../../src/data/survey/survey";
import { DataSlot } from "../../src/worker/data-slot";
import { ModelSlot } from "../../src/worker/model-slot";
import type { DataSource } from "../../src/worker/protocol";
import { openIn } from "../support/model-slot";

const ignore = () => undefined;
const never = new AbortController().signal;

describe("open datasets", () => {
  /** What a slot does for one look: true where it read the rows again. */
  async function looker(limits = surveyLimits) {
    const slot = new ModelSlot(new URL("/", location.href), ignore);
    await openIn(slot, { kind: "embedded", id: "tabtune-tiny" });
    const datasets = new DataSlot(limits);
    const look = async (data: DataSource, seed: number, during: () => void = ignore): Promise<boolean> => {
      let read = false;
      const onProgress = ({ phase }: { readonly phase: string }) => {
        if (!phase.startsWith("tokenizing") || read) return;
        read = true;
        during();
      };
      const lease = await datasets.open(slot.current, data, { maxLength: 64, seed }, { onProgress }, never);
      lease.release();
      return read;
    };
    return { datasets, look };
  }
  const lines = ["One little bird sang.", "Two little birds sang.", "Three birds flew home."];
  const blob = new File([lines.map((text) => `${JSON.stringify({ text })}\n`).join("")], "rows.jsonl");
  const data: DataSource = { name: blob.name, files: [{ name: blob.name, blob }], options: dataDefaults };

  it("are looked at again for another seed where the seed draws anything", async () => {
    const whole = await looker();
    const seeds = [1, 2, 1] as const;
    const looks = async (look: typeof whole.look, source: DataSource) => {
      const found: boolean[] = [];
      for (const seed of seeds) found.push(await look(source, seed));
      return found;
    };
    expect(await looks(whole.look, data)).toEqual([true, false, false]);
    expect(await looks(whole.look, { ...data, options: { ...dataDefaults, evalShare: 0.4 } })).toEqual([
      true,
      true,
      false,
    ]);
    // A small file of many tokens, as compressed ones are, is looked at by a sample too.
    const sample = await looker({ ...surveyLimits, tokens: 1 });
    expect(await looks(sample.look, data)).toEqual([true, true, false]);
  });

  it("are forgotten with their model, also where the look ends later", async () => {
    const { datasets, look } = await looker();
    expect(await look(data, 1, () => datasets.forgetModel())).toBe(true);
    expect([await look(data, 1), await look(data, 1)]).toEqual([true, false]);
  });
});
