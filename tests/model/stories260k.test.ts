/** stories260K, written as safetensors, ONNX and GGUF, tells the same 200 tokens as llama2.c from each, to the byte. */
import { describe, expect, it } from "vitest";
import { readBlueprint } from "../../src/model/blueprint";
import { Decoder } from "../../src/model/generation/decoder";
import { argmax } from "../../src/model/generation/sampling";
import { loadModel } from "../../src/model/load";
import { loadTokenizer } from "../../src/model/tokenizer";
import { openWeights } from "../../src/model/weights/registry";
import type { ModelFiles } from "../../src/model/weights/types";
import { testDevice } from "../support/gpu";
import { readStories, storiesAreHere, storiesFolder } from "../support/stories260k";
import { type Checkpoint, ggufModel, onnxFolder, safetensorsFolder } from "./llama-files";

const tokens = 200;
const beginning = 1;
const firstByte = 3;

/** The likeliest tokens after <s>. */
async function tell(files: ModelFiles, format: string, { tensors }: Checkpoint): Promise<readonly number[]> {
  const blueprint = await readBlueprint(files);
  const source = await openWeights(files, blueprint.tensors);
  expect(source.format).toBe(format);
  const model = await loadModel(device, blueprint, source);
  expect(model.parameters).toBe(tensors.reduce((sum, { data }) => sum + data.length / 4, 0));
  const decoder = await Decoder.create(device, model, { capacity: 1 + tokens, adapter: null });
  const ids: number[] = [];
  for (let last = beginning; ids.length < tokens; ids.push(last)) last = argmax(await decoder.append([last], 0));
  decoder.destroy();
  model.destroy();
  return ids;
}

/** The pieces' bytes one after another, and the line break with which llama2.c ends. */
function printed(ids: readonly number[], { pieces }: Checkpoint): string {
  const utf8 = new TextEncoder();
  const bytes = ids.flatMap((id) =>
    id >= firstByte && id < firstByte + 256 ? [id - firstByte] : [...utf8.encode(pieces[id]?.text)],
  );
  return `${new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes))}\n`;
}

const device = await testDevice();

if (storiesAreHere) {
  const { checkpoint, expected } = await readStories();

  describe("stories260K", () => {
    it("from safetensors", async () => {
      const ids = await tell(safetensorsFolder(checkpoint), "safetensors", checkpoint);
      expect(printed(ids, checkpoint)).toBe(expected);
    });

    it("from ONNX", async () => {
      const ids = await tell(onnxFolder(checkpoint), "onnx", checkpoint);
      expect(printed(ids, checkpoint)).toBe(expected);
    });

    it("from GGUF, with its tokenizer", async () => {
      const files = await ggufModel(checkpoint);
      if (!files) throw new TypeError("a single GGUF file is no model");
      const ids = await tell(files, "gguf", checkpoint);
      expect(printed(ids, checkpoint)).toBe(expected);
      const tokenizer = await loadTokenizer(files);
      // SentencePiece puts a space in front of every text and takes it off again; llama2.c prints it.
      const text = tokenizer.decode(ids, { skipSpecialTokens: true });
      expect(` ${text}\n`).toBe(expected);
      expect(tokenizer.encode(text)).toEqual([beginning, ...ids]);
    });
  });
} else {
  console.warn(`SKIPPED: stories260K in three formats: ${storiesFolder} is not here`);
  it.skip(`stories260K (skipped: ${storiesFolder} is not here)`, () => {});
}
