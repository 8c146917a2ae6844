/** onnxruntime-web runs the same ONNX files in the same browser; its logits are a second opinion on ours. */
import { describe, expect, it } from "vitest";
import { ModelSlot } from "../../src/worker/model-slot";
import { compare, selfCheck } from "../../src/worker/self-check";
import { openIn } from "../support/model-slot";

const slot = new ModelSlot(new URL("/", location.href), () => undefined);

describe("the self-check", () => {
  it("agrees on the embedded model", async () => {
    await openIn(slot, { kind: "embedded", id: "tabtune-tiny" });
    const phases: string[] = [];
    const result = await selfCheck(slot.current, ({ phase }) => phases.push(phase));
    console.log(
      `tabtune-tiny over ${result.tokens} tokens: ‖Δ‖/‖ref‖ = ${result.relativeDifference.toExponential(2)}, top-1 ${result.top1Agreement}`,
    );
    expect(result.tokens).toBeGreaterThan(10);
    expect(result.relativeDifference).toBeLessThanOrEqual(1e-3);
    expect(result.top1Agreement).toBeGreaterThan(0.9);
    expect(result.agrees).toBe(true);
    expect(phases).toEqual(["loading onnxruntime", "running onnxruntime", "running our kernels"]);
  });

  it("agrees on the golden 4-bit model", async () => {
    const base = new URL("../golden/llama-int4/model/", import.meta.url).href;
    const paths = ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model_q4.onnx"];
    await openIn(slot, { kind: "url", name: "llama-int4", base, paths });
    const result = await selfCheck(slot.current, () => undefined);
    console.log(`llama-int4 over ${result.tokens} tokens: ‖Δ‖/‖ref‖ = ${result.relativeDifference.toExponential(2)}`);
    expect(result.relativeDifference).toBeLessThanOrEqual(1e-3);
  });

  it("says so where the numbers differ", () => {
    const theirs = Float32Array.of(1, 2, 3, 4, 0, 0);
    const ours = Float32Array.of(1, 2, 3, 3, 4, 0);
    const { agrees, top1Agreement, relativeDifference } = compare(ours, theirs, 2);
    expect(agrees).toBe(false);
    expect(top1Agreement).toBe(0.5);
    expect(relativeDifference).toBeCloseTo(Math.sqrt(17 / 30), 6);
  });
});
