/** Decoding with a cache: token by token equals all at once, text comes in whole characters and stops where it should. */
import { describe, expect, it } from "vitest";
import { Decoder } from "../../src/model/generation/decoder";
import { generate } from "../../src/model/generation/generate";
import { adapterScale } from "../../src/training/adapter";
import { goldenAdapter, goldenReference, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";
import { goldenModel } from "../support/model";
import { random } from "../support/random";

const device = await testDevice();
const model = await goldenModel(device, "llama-tied");
const { rows } = await goldenReference("llama-tied");
const longest = rows.reduce((best, row) => (row.input_ids.length > best.input_ids.length ? row : best));
const ids = longest.input_ids;
const { config, modules } = await goldenAdapter("llama-tied/adapter");
const adapter = { ...config, scale: adapterScale(config), matrices: modules };
const vocab = model.output.rows;

const greedy = { temperature: 0, topK: 0, topP: 1, uniform: random(1).uniform, strength: 1, stopIds: [] as number[] };
const never = new AbortController().signal;
const decode = (tokens: readonly number[]) => tokens.map((token) => `<${token}>`).join("");

describe("Decoder", () => {
  it("gives the same logits token by token as all at once, past the first chunk", async () => {
    expect(ids.length).toBeGreaterThan(64);
    const whole = await Decoder.create(device, model, { capacity: ids.length, adapter });
    const all = await whole.appendAll(ids, 1);
    whole.destroy();
    const stepwise = await Decoder.create(device, model, { capacity: ids.length, adapter });
    let worst = 0;
    for (const [position, id] of ids.entries()) {
      const logits = await stepwise.append([id], 1);
      worst = Math.max(worst, relativeDifference(logits, all.subarray(position * vocab, (position + 1) * vocab)));
    }
    expect(stepwise.length).toBe(ids.length);
    stepwise.destroy();
    console.log(`cached decode against full forward: worst ‖Δ‖/‖ref‖ = ${worst.toExponential(2)}`);
    expect(worst).toBeLessThanOrEqual(1e-5);
  });
});

describe("generate", () => {
  const run = async (options: Partial<Parameters<typeof generate>[2]>, capacity = 40) => {
    const decoder = await Decoder.create(device, model, { capacity, adapter });
    const pieces: string[] = [];
    const settings = { ...greedy, maxNewTokens: 8, decode, signal: never, ...options };
    const result = await generate(decoder, ids.slice(0, 5), settings, (piece) => pieces.push(piece));
    decoder.destroy();
    return { ...result, pieces };
  };

  it("streams what it returns and repeats itself", async () => {
    const first = await run({});
    expect(first.ids).toHaveLength(8);
    expect(first.stopped).toBe("length");
    expect(first.pieces.join("")).toBe(first.text);
    expect((await run({})).ids).toEqual(first.ids);
  });

  it("ends before a stop token, at the model's length and when aborted", async () => {
    const { ids: free } = await run({});
    const stop = free[3] as number;
    const ended = await run({ stopIds: [stop] });
    expect(ended.ids).toEqual(free.slice(0, free.indexOf(stop)));
    expect(ended.stopped).toBe("eos");
    expect((await run({}, 9)).ids).toHaveLength(4);
    expect((await run({ signal: AbortSignal.abort() })).stopped).toBe("aborted");
  });

  it("holds a split character back until it is whole", async () => {
    const halves = (tokens: readonly number[]) => "é".repeat(tokens.length >> 1) + (tokens.length % 2 ? "\ufffd" : "");
    const { pieces, text } = await run({ decode: halves, maxNewTokens: 4 });
    expect(pieces).toEqual(["é", "é"]);
    expect(text).toBe("éé");
  });
});
