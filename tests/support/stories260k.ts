/**
 * stories260K, the smallest llama2.c model, out of ../shared/data: as a Llama checkpoint under Hugging Face's names. llama2.c
 * rotates neighbours of a head and transformers its two halves, so the rows of q and k are reordered
 * (scripts/model/stories260k.py reads the same files).
 */
import type { Checkpoint, CheckpointTensor } from "../model/llama-files";

const urls = import.meta.glob<string>("../../../shared/data/models/stories260k/*", {
  query: "?url",
  import: "default",
  eager: true,
});

export const storiesFolder = "../shared/data/models/stories260k";
export const storiesAreHere = Object.keys(urls).length > 0;

/** A file of the folder is missing or not what it is taken for. */
class StoriesError extends Error {
  override readonly name = "StoriesError";
}

const magic = 0x616b3432;
/** Bytes before the weights of an export of version 1. */
const headerBytes = 256;

export interface Stories {
  readonly checkpoint: Checkpoint;
  /** What llama2.c prints: 200 greedy tokens after <s>, and a line break. */
  readonly expected: string;
}

export async function readStories(): Promise<Stories> {
  const checkpoint = readCheckpoint(await bytesOf("checkpoint_v1.bin"), await bytesOf("tokenizer.bin"));
  return { checkpoint, expected: new TextDecoder().decode(await bytesOf("EXPECTED-greedy-200.txt")) };
}

async function bytesOf(name: string): Promise<ArrayBuffer> {
  const url = Object.entries(urls).find(([path]) => path.endsWith(`/${name}`))?.[1];
  if (url === undefined) throw new StoriesError(`${storiesFolder} has no ${name}.`);
  const response = await fetch(url);
  if (!response.ok) throw new StoriesError(`${url} answers ${response.status}.`);
  return response.arrayBuffer();
}

function readCheckpoint(file: ArrayBuffer, tokenizer: ArrayBuffer): Checkpoint {
  const view = new DataView(file);
  if (view.getUint32(0, true) !== magic || view.getInt32(4, true) !== 1) {
    throw new StoriesError("checkpoint_v1.bin is no llama2.c checkpoint of version 1.");
  }
  const field = (index: number): number => view.getInt32(8 + 4 * index, true);
  const dim = field(0);
  const hidden = field(1);
  const layers = field(2);
  const heads = field(3);
  const kvHeads = field(4);
  const vocab = field(5);
  const headDim = dim / heads;
  const tied = view.getUint8(36) === 1;
  const tensors: CheckpointTensor[] = [];
  let at = headerBytes;
  const take = (name: string, shape: readonly number[]): void => {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    const data = new Uint8Array(file, at, bytes);
    at += bytes;
    tensors.push({ name, shape, data: /[qk]_proj/.test(name) ? halves(data, headDim, 4 * dim) : data });
  };
  const everyLayer = (module: string, shape: readonly number[]): void => {
    for (let layer = 0; layer < layers; layer++) take(`model.layers.${layer}.${module}.weight`, shape);
  };
  everyLayer("input_layernorm", [dim]);
  everyLayer("post_attention_layernorm", [dim]);
  take("model.norm.weight", [dim]);
  take("model.embed_tokens.weight", [vocab, dim]);
  everyLayer("self_attn.q_proj", [dim, dim]);
  everyLayer("self_attn.k_proj", [kvHeads * headDim, dim]);
  everyLayer("self_attn.v_proj", [kvHeads * headDim, dim]);
  everyLayer("self_attn.o_proj", [dim, dim]);
  everyLayer("mlp.gate_proj", [hidden, dim]);
  everyLayer("mlp.down_proj", [dim, hidden]);
  everyLayer("mlp.up_proj", [hidden, dim]);
  if (!tied) take("lm_head.weight", [vocab, dim]);
  if (at !== file.byteLength) throw new StoriesError(`checkpoint_v1.bin has ${file.byteLength} bytes, not ${at}.`);
  const config = {
    model_type: "llama",
    vocab_size: vocab,
    hidden_size: dim,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    max_position_embeddings: field(6),
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: "silu",
    tie_word_embeddings: tied,
    bos_token_id: 1,
    eos_token_id: 2,
  };
  return { config, tensors, pieces: readPieces(tokenizer, vocab) };
}

/** Rows (n/2, 2) of each head become (2, n/2). */
function halves(data: Uint8Array<ArrayBuffer>, headDim: number, rowBytes: number): Uint8Array<ArrayBuffer> {
  const turned = new Uint8Array(data.length);
  for (let row = 0; row * rowBytes < data.length; row++) {
    const within = row % headDim;
    const to = row - within + Math.floor(within / 2) + (within % 2) * (headDim / 2);
    turned.set(data.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes);
  }
  return turned;
}

/** int32 longest piece; of each piece float32 score, int32 length, bytes. The marks of sequences stand between line breaks. */
function readPieces(file: ArrayBuffer, count: number): Checkpoint["pieces"] {
  const view = new DataView(file);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let at = 4;
  const pieces = Array.from({ length: count }, (_, id) => {
    const score = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    const text = utf8.decode(new Uint8Array(file, at + 8, length));
    at += 8 + length;
    return { text: id < 3 ? text.trim() : text, score };
  });
  if (at !== file.byteLength) throw new StoriesError(`tokenizer.bin has ${file.byteLength} bytes, not ${at}.`);
  return pieces;
}
