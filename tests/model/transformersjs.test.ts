/** The shipped model folder as others load it: transformers.js on onnxruntime-web, which must write what we write. */
import { env, pipeline } from "@xenova/transformers";
import mjs from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import { expect, it } from "vitest";
import { createHandlers } from "../../src/worker/studio";

const never = new AbortController().signal;
const ignore = () => undefined;
const messages = [{ role: "user" as const, content: "Tell me a story about a cat." }];
const tokens = 24;

it("loads and generates in transformers.js, token for token as here", { timeout: 120_000 }, async () => {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/models/";
  env.useBrowserCache = false;
  env.useWasmCache = false;
  const runtime = env.backends.onnx.wasm;
  if (runtime) {
    runtime.wasmPaths = { mjs: new URL(mjs, import.meta.url).href, wasm: new URL(wasm, import.meta.url).href };
    runtime.numThreads = 1;
  }
  const generator = await pipeline("text-generation", "tabtune-tiny", { dtype: "q4", device: "wasm" });
  const output: unknown = await generator(messages, { max_new_tokens: tokens, do_sample: false });
  await generator.dispose();
  const theirs = JSON.stringify(output);

  const handlers = createHandlers(ignore, new URL("/", location.href));
  await handlers.openModel({ source: { kind: "embedded", id: "tabtune-tiny" } }, ignore, never);
  const greedy = { strength: 1, maxNewTokens: tokens, temperature: 0, topK: 0, topP: 1, seed: 1 };
  const { text } = await handlers.generate({ prompt: messages, run: null, ...greedy }, ignore, never);
  expect(text.length).toBeGreaterThan(40);
  expect(theirs).toContain(JSON.stringify({ role: "assistant", content: text }));
});
