/** Writes a float32 Llama in the three formats: safetensors, ONNX as optimum exports it, GGUF as llama.cpp converts it. */
import { ggufFolder } from "../../src/model/gguf-folder";
import type { ModelFiles } from "../../src/model/weights/types";
import { type Bytes, type GgufValue, ggufFile } from "../support/gguf";
import { folderOf, type NodeInit, onnxFile, rawTensor, type TensorInit } from "./build-files";
import { tensorFile } from "./safetensors-files";

export interface CheckpointTensor {
  /** Hugging Face name. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Little-endian float32. */
  readonly data: Bytes;
}

export interface Checkpoint {
  /** config.json, every field that a Llama has. */
  readonly config: {
    readonly vocab_size: number;
    readonly hidden_size: number;
    readonly intermediate_size: number;
    readonly num_hidden_layers: number;
    readonly num_attention_heads: number;
    readonly num_key_value_heads: number;
    readonly max_position_embeddings: number;
    readonly rms_norm_eps: number;
    readonly rope_theta: number;
    readonly tie_word_embeddings: boolean;
    readonly bos_token_id: number;
    readonly eos_token_id: number;
  };
  readonly tensors: readonly CheckpointTensor[];
  /** SentencePiece BPE: <unk>, <s>, </s>, the 256 bytes, then texts with plain spaces. */
  readonly pieces: readonly { readonly text: string; readonly score: number }[];
}

export function safetensorsFolder({ config, tensors }: Checkpoint): ModelFiles {
  const file = tensorFile(tensors.map((tensor) => ({ ...tensor, dtype: "F32" })));
  return folderOf({ "config.json": JSON.stringify(config), "model.safetensors": file });
}

/** Embedding and norms keep their names; matrices lie [in, out] under numbers, and the products carry the modules' paths. */
export function onnxFolder({ config, tensors }: Checkpoint): ModelFiles {
  const nodes: NodeInit[] = [];
  const initializers: TensorInit[] = [];
  const product = ({ name, shape, data }: CheckpointTensor): void => {
    const initializer = `onnx::MatMul_${400 + initializers.length}`;
    initializers.push(rawTensor(initializer, 1, shape.toReversed(), transposed(data, shape)));
    nodes.push(node("MatMul", name, "MatMul", ["hidden", initializer]));
  };
  for (const tensor of tensors) {
    const { name, shape, data } = tensor;
    const embedding = name === "model.embed_tokens.weight";
    if (shape.length === 2 && !embedding) {
      product(tensor);
      continue;
    }
    initializers.push(rawTensor(name, 1, shape, data));
    nodes.push(
      embedding ? node("Gather", name, "Gather", [name, "input_ids"]) : node("Mul", name, "Mul_1", [name, "hidden"]),
    );
    // A tied output matrix is exported as a matrix of its own.
    if (embedding && config.tie_word_embeddings) product({ ...tensor, name: "lm_head.weight" });
  }
  return folderOf({ "config.json": JSON.stringify(config), "onnx/model.onnx": onnxFile(nodes, initializers) });
}

function node(opType: string, name: string, last: string, input: string[]): NodeInit {
  const path = `/${name.replace(/\.weight$/, "").replace(/\.(?!\d)/g, "/")}/${last}`;
  return { name: path, opType, input, output: [`${path}_output_0`] };
}

function transposed(data: Bytes, [rows = 0, columns = 0]: readonly number[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(data.slice().buffer);
  return Float32Array.from(values, (_, k) => values[(k % rows) * columns + Math.floor(k / rows)] ?? Number.NaN);
}

const ggufNames: readonly (readonly [string, string])[] = [
  ["model.embed_tokens", "token_embd"],
  ["model.norm", "output_norm"],
  ["lm_head", "output"],
  ["model.layers", "blk"],
  ["input_layernorm", "attn_norm"],
  ["post_attention_layernorm", "ffn_norm"],
  ["self_attn.q_proj", "attn_q"],
  ["self_attn.k_proj", "attn_k"],
  ["self_attn.v_proj", "attn_v"],
  ["self_attn.o_proj", "attn_output"],
  ["mlp.gate_proj", "ffn_gate"],
  ["mlp.up_proj", "ffn_up"],
  ["mlp.down_proj", "ffn_down"],
];

/** A single file, tokenizer included, seen as a folder; null where it is not taken for one. */
export function ggufModel(checkpoint: Checkpoint): Promise<ModelFiles | null> {
  const { config, tensors } = checkpoint;
  const headDim = config.hidden_size / config.num_attention_heads;
  const file = ggufFile({
    metadata: ggufMetadata(checkpoint, headDim),
    tensors: tensors.map(({ name, shape, data }) => ({
      name: ggufNames.reduce((text, [from, to]) => text.replace(from, to), name),
      type: 0,
      shape,
      data: /self_attn\.[qk]_proj/.test(name) ? neighbours(data, headDim, 4 * config.hidden_size) : data,
    })),
  });
  return ggufFolder([{ path: "model.gguf", blob: new Blob([file]) }]);
}

/** Rows (2, n/2) of each head become (n/2, 2): llama.cpp rotates neighbours. */
function neighbours(data: Bytes, headDim: number, rowBytes: number): Bytes {
  const turned = new Uint8Array(data.length);
  for (let row = 0; row * rowBytes < data.length; row++) {
    const within = row % headDim;
    const to = row - within + 2 * (within % (headDim / 2)) + Math.floor(within / (headDim / 2));
    turned.set(data.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes);
  }
  return turned;
}

/** llama.cpp's token types. */
const tokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

function ggufMetadata({ config, pieces }: Checkpoint, headDim: number): readonly (readonly [string, GgufValue])[] {
  const types = pieces.map(({ text }, id) => {
    if (id < 3) return id === 0 ? tokenType.unknown : tokenType.control;
    return /^<0x[0-9A-F]{2}>$/.test(text) ? tokenType.byte : tokenType.normal;
  });
  return [
    ["general.architecture", ["text", "llama"]],
    ["llama.block_count", ["u32", config.num_hidden_layers]],
    ["llama.context_length", ["u32", config.max_position_embeddings]],
    ["llama.embedding_length", ["u32", config.hidden_size]],
    ["llama.feed_forward_length", ["u32", config.intermediate_size]],
    ["llama.attention.head_count", ["u32", config.num_attention_heads]],
    ["llama.attention.head_count_kv", ["u32", config.num_key_value_heads]],
    ["llama.attention.layer_norm_rms_epsilon", ["f32", config.rms_norm_eps]],
    ["llama.rope.freq_base", ["f32", config.rope_theta]],
    ["llama.rope.dimension_count", ["u32", headDim]],
    ["tokenizer.ggml.model", ["text", "llama"]],
    ["tokenizer.ggml.tokens", ["texts", pieces.map(({ text }) => text.replaceAll(" ", "▁"))]],
    ["tokenizer.ggml.scores", ["list", "f32", pieces.map(({ score }) => score)]],
    ["tokenizer.ggml.token_type", ["list", "i32", types]],
    ["tokenizer.ggml.bos_token_id", ["u32", config.bos_token_id]],
    ["tokenizer.ggml.eos_token_id", ["u32", config.eos_token_id]],
  ];
}
