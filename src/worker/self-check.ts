/** A second opinion: the same model file and prompt through transformers.js on onnxruntime-web, compared with our kernels. */
import { AutoModelForCausalLM, env, Tensor } from "@xenova/transformers";
import mjs from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import { Decoder } from "../model/generation/decoder";
import { argmax } from "../model/generation/sampling";
import type { ModelFiles } from "../model/weights/types";
import { StudioError } from "./errors";
import type { OpenModel } from "./model-slot";
import type { ProgressEvent, SelfCheckSummary } from "./protocol";

const prompt = "Once upon a time, a small dog went into the big green forest and met a friend.";
const mostTokens = 48;
/** ‖ours − theirs‖ / ‖theirs‖ up to which the kernels are trusted. */
const tolerance = 1e-3;
/** transformers.js asks for files as URLs; this one stands for the open folder. */
const folderName = "open-model";

/** Serves the open folder to transformers.js and nothing else: no request leaves the page for a model. */
function serveFolder(files: ModelFiles): void {
  const root = `/${folderName}/`;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/";
  env.useBrowserCache = false;
  env.useWasmCache = false;
  env.fetch = async (input: string | URL | Request) => {
    const url = input instanceof Request ? input.url : String(input);
    const path = url.slice(url.indexOf(root) + root.length);
    if (!url.includes(root) || !files.paths.includes(path)) return new Response(null, { status: 404 });
    const blob = await files.open(path);
    return new Response(blob, { headers: { "content-length": String(blob.size) } });
  };
}

/** Throws `StudioError` where the folder has no fitting ONNX file, or the second runtime cannot run it. */
export async function selfCheck(open: OpenModel, emit: (event: ProgressEvent) => void): Promise<SelfCheckSummary> {
  const { files, onnxDtype, tokenizer, device, model, info } = open;
  if (onnxDtype === null) {
    throw new StudioError(
      "bad-input",
      `${info.name} has no ONNX file that onnxruntime computes from the same values; its kernels were checked when it was opened.`,
    );
  }
  const ids = tokenizer.encode(prompt, { addSpecialTokens: true }).slice(0, mostTokens);

  emit({ phase: "loading onnxruntime", done: 0, total: 3 });
  serveFolder(files);
  const runtime = env.backends.onnx.wasm;
  if (runtime) {
    // Both files from our own origin: the runtime would otherwise fetch them from elsewhere.
    runtime.wasmPaths = { mjs: new URL(mjs, import.meta.url).href, wasm: new URL(wasm, import.meta.url).href };
    runtime.numThreads = 1;
  }
  let theirs: Float32Array;
  try {
    const other = await AutoModelForCausalLM.from_pretrained(folderName, { dtype: onnxDtype, device: "wasm" });
    emit({ phase: "running onnxruntime", done: 1, total: 3 });
    const dims = [1, ids.length];
    const output: unknown = await other({
      input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), dims),
      attention_mask: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), dims),
    });
    theirs = logitsOf(output);
    await other.dispose();
  } catch (error) {
    throw new StudioError(
      "bad-input",
      `onnxruntime could not run ${info.name} (${error instanceof Error ? error.message : String(error)}); its kernels were checked against plain arithmetic when it was opened.`,
    );
  }

  emit({ phase: "running our kernels", done: 2, total: 3 });
  const decoder = await Decoder.create(device, model, { capacity: ids.length, adapter: null });
  try {
    const ours = await decoder.appendAll(ids, 0);
    return { prompt, tokens: ids.length, ...compare(ours, theirs, ids.length) };
  } finally {
    decoder.destroy();
  }
}

function logitsOf(output: unknown): Float32Array {
  if (typeof output === "object" && output !== null && "logits" in output) {
    const { logits } = output;
    if (logits instanceof Tensor && logits.data instanceof Float32Array) return logits.data;
  }
  throw new StudioError("internal", "onnxruntime gave no logits.");
}

/** Both [rows, vocab], row-major. */
export function compare(
  ours: Float32Array,
  theirs: Float32Array,
  rows: number,
): Pick<SelfCheckSummary, "relativeDifference" | "top1Agreement" | "agrees"> {
  if (ours.length !== theirs.length) {
    return { relativeDifference: Number.POSITIVE_INFINITY, top1Agreement: 0, agrees: false };
  }
  let difference = 0;
  let reference = 0;
  for (let index = 0; index < theirs.length; index += 1) {
    const [a, b] = [ours[index] as number, theirs[index] as number];
    difference += (a - b) ** 2;
    reference += b ** 2;
  }
  const width = theirs.length / rows;
  let same = 0;
  for (let row = 0; row < rows; row += 1) {
    const range = [row * width, (row + 1) * width] as const;
    if (argmax(ours.subarray(...range)) === argmax(theirs.subarray(...range))) same += 1;
  }
  const relativeDifference = Math.sqrt(difference / reference);
  return { relativeDifference, top1Agreement: same / rows, agrees: relativeDifference <= tolerance };
}
