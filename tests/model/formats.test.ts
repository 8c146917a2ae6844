/** Models in quantized file formats, on the GPU: logits against float64 on the values that the reference decoder gives. */
import { describe, expect, it } from "vitest";
import { Decoder } from "../../src/model/generation/decoder";
import { goldenReference, goldenTensors, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";
import { goldenModel } from "../support/model";

const device = await testDevice();

describe.each(["bnb/nf4", "bnb/nf4-double", "bnb/fp4"])("%s", (name) => {
  it("gives the logits of bitsandbytes' own values", async () => {
    const model = await goldenModel(device, name);
    const { rows } = await goldenReference(name);
    const expected = await goldenTensors(`${name}/logits.safetensors`);
    const actual: number[] = [];
    for (const { input_ids } of rows) {
      const decoder = await Decoder.create(device, model, { capacity: input_ids.length, adapter: null });
      for (const value of await decoder.appendAll(input_ids, 0)) actual.push(value);
      decoder.destroy();
    }
    const difference = relativeDifference(actual, expected.get("base")?.data ?? []);
    console.log(`${name} logits ‖Δ‖/‖ref‖ = ${difference.toExponential(2)}`);
    expect(difference).toBeLessThanOrEqual(1e-4);
    model.destroy();
  });
});
