"""Export a Hugging Face Llama folder to the transformers.js layout with 4-bit weights.

Input:   a folder with config.json, model.safetensors (one file or an index with shards) and
         tokenizer.json / tokenizer_config.json (optionally chat_template.jinja,
         generation_config.json), as written by LlamaForCausalLM.save_pretrained().
Output:  a folder with config.json, generation_config.json, tokenizer.json,
         tokenizer_config.json (chat_template inside) and onnx/model_q4.onnx.

The graph is built node by node with onnx.helper:
  inputs   input_ids int64 [batch, seq], attention_mask int64 [batch, total_seq],
           position_ids int64 [batch, seq],
           past_key_values.{i}.key/.value f32 [batch, kv_heads, past_seq, head_dim]
  outputs  logits f32 [batch, seq, vocab], present.{i}.key/.value f32
Linear layers are com.microsoft MatMulNBits (4 bits, blocks of 32 along the input axis, unsigned
with integer zero points, f32 scales); embeddings and norms stay f32. Node and initializer names
follow the module paths:
  node   /model/layers.0/self_attn/q_proj/MatMul_Q4
  data   model.layers.0.self_attn.q_proj.MatMul.weight_Q4    uint8 [out, blocks, 16]
         model.layers.0.self_attn.q_proj.MatMul.weight_scales  f32 [out * blocks]
         model.layers.0.self_attn.q_proj.MatMul.weight_zp      uint8 [out * ceil(blocks / 2)]
  (lm_head likewise, quantized on its own also when the embeddings are tied).

Run:
  python scripts/model/export_onnx.py MODEL_DIR OUT_DIR [--check]
  python scripts/model/export_onnx.py --check-only OUT_DIR

--check compares PyTorch on the dequantized weights with onnxruntime on the file: one full pass,
a cached decode in pieces, and a left-padded batch. It exits with status 1 above 1e-5.

Importable: quantize, dequantize, pack_nibbles, unpack_nibbles, export, dequantized_state_dict,
load_dequantized, OrtDecoder.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCK = 32
OPSET = 17
IR_VERSION = 8
MASK_VALUE = -1.0e9
Q_SUFFIX = ".MatMul.weight_Q4"
TOLERANCE = 1e-5
LAYER_LINEARS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)


# ---------------------------------------------------------------- quantization


def pack_nibbles(values: np.ndarray) -> np.ndarray:
    """uint8 values 0..15 [..., n] -> bytes [..., ceil(n / 2)], low nibble first.

    An odd row ends with an 8 in the unused high nibble, as onnxruntime's own quantizer writes it.
    """
    if values.shape[-1] % 2:
        values = np.concatenate([values, np.full_like(values[..., :1], 8)], axis=-1)
    return (values[..., 0::2] | (values[..., 1::2] << 4)).astype(np.uint8)


def unpack_nibbles(packed: np.ndarray, count: int) -> np.ndarray:
    """bytes [..., ceil(count / 2)] -> uint8 values 0..15 [..., count]."""
    out = np.empty(packed.shape[:-1] + (packed.shape[-1] * 2,), np.uint8)
    out[..., 0::2] = packed & 15
    out[..., 1::2] = packed >> 4
    return out[..., :count]


def quantize(weight: np.ndarray, block: int = BLOCK) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """f32 [out, in] -> (B uint8 [out, blocks, block / 2], scales f32 [out * blocks],
    zp uint8 [out * ceil(blocks / 2)]).

    Per block: range [min(w, 0), max(w, 0)] in 15 steps; the zero point is an integer, so 0 is exact.
    """
    weight = np.asarray(weight, np.float32)
    out_f, in_f = weight.shape
    blocks = -(-in_f // block)
    if blocks * block != in_f:
        weight = np.pad(weight, ((0, 0), (0, blocks * block - in_f)))
    w = weight.reshape(out_f, blocks, block)
    lo = np.minimum(w.min(-1), 0.0).astype(np.float32)
    hi = np.maximum(w.max(-1), 0.0).astype(np.float32)
    scale = ((hi - lo) / np.float32(15)).astype(np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))
    zero = np.clip(np.floor(-lo / scale + np.float32(0.5)), 0, 15).astype(np.uint8)
    q = np.floor(w / scale[..., None] + zero[..., None].astype(np.float32) + np.float32(0.5))
    q = np.clip(q, 0, 15).astype(np.uint8)
    return pack_nibbles(q), scale.reshape(-1), pack_nibbles(zero).reshape(-1)


def dequantize(
    b: np.ndarray, scales: np.ndarray, zp: np.ndarray | None, in_features: int, block: int = BLOCK
) -> np.ndarray:
    """Inverse of quantize(): f32 [out, in_features] with w = (q - zp) * scale (zp 8 when absent)."""
    out_f, blocks, _ = b.shape
    q = unpack_nibbles(b, block).astype(np.float32)
    if zp is None:
        zero = np.full((out_f, blocks), 8, np.float32)
    else:
        zero = unpack_nibbles(zp.reshape(out_f, -1), blocks).astype(np.float32)
    w = (q - zero[..., None]) * scales.astype(np.float32).reshape(out_f, blocks, 1)
    return np.ascontiguousarray(w.reshape(out_f, blocks * block)[:, :in_features])


# ---------------------------------------------------------------- graph


def _rope(config: dict) -> tuple[np.ndarray, float]:
    """(inv_freq f32 [head_dim / 2], factor on cos and sin)."""
    params = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = params.get("rope_type", params.get("type", "default"))
    head_dim = _head_dim(config)
    theta = params.get("rope_theta", config.get("rope_theta", 10000.0))
    if kind == "default":
        return (1.0 / theta ** (np.arange(0, head_dim, 2) / head_dim)).astype(np.float32), 1.0
    if kind in ("dynamic", "longrope"):
        raise SystemExit(f"rope type {kind!r} depends on the sequence length and is not supported")
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    rotary = LlamaRotaryEmbedding(LlamaConfig(**config))
    return rotary.inv_freq.float().numpy(), float(rotary.attention_scaling)


def _head_dim(config: dict) -> int:
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def init(self, name: str, array: np.ndarray) -> str:
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def i64(self, *values: int, scalar: bool = False) -> str:
        name = f"/const/i64/{'s' if scalar else ''}{'_'.join(map(str, values))}"
        return self.init(name, np.array(values[0] if scalar else values, np.int64))

    def f32(self, value: float) -> str:
        return self.init(f"/const/f32/{value!r}", np.array(value, np.float32))

    def op(self, kind: str, name: str, *inputs: str, outputs: list[str] | None = None, domain: str = "", **attrs):
        outs = outputs or [f"{name}/output_0"]
        self.nodes.append(helper.make_node(kind, list(inputs), outs, name=name, domain=domain, **attrs))
        return outs[0] if len(outs) == 1 else outs

    def linear(self, module: str, x: str, weight: np.ndarray, bias: np.ndarray | None, output: str | None = None):
        b, scales, zp = quantize(weight)
        path = "/" + module.replace(".", "/").replace("/layers/", "/layers.", 1)
        ends = [output] if output else None
        y = self.op(
            "MatMulNBits",
            f"{path}/MatMul_Q4",
            x,
            self.init(f"{module}{Q_SUFFIX}", b),
            self.init(f"{module}.MatMul.weight_scales", scales),
            self.init(f"{module}.MatMul.weight_zp", zp),
            outputs=None if bias is not None else ends,
            domain="com.microsoft",
            K=weight.shape[1],
            N=weight.shape[0],
            bits=4,
            block_size=BLOCK,
        )
        if bias is not None:
            y = self.op("Add", f"{path}/Add", y, self.init(f"{module}.bias", bias), outputs=ends)
        return y

    def rms_norm(self, path: str, x: str, weight_name: str, weight: np.ndarray, eps: float) -> str:
        sq = self.op("Pow", f"{path}/Pow", x, self.f32(2.0))
        mean = self.op("ReduceMean", f"{path}/ReduceMean", sq, axes=[-1], keepdims=1)
        root = self.op("Sqrt", f"{path}/Sqrt", self.op("Add", f"{path}/Add", mean, self.f32(eps)))
        return self.op("Mul", f"{path}/Mul", self.op("Div", f"{path}/Div", x, root), self.init(weight_name, weight))


def build_graph(config: dict, state: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The decoder graph for a Llama config and its f32 weights (Hugging Face names)."""
    g = _Graph()
    layers, heads = config["num_hidden_layers"], config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    head_dim, eps, vocab = _head_dim(config), config["rms_norm_eps"], config["vocab_size"]
    half = head_dim // 2
    if config.get("hidden_act", "silu") != "silu":
        raise SystemExit(f"hidden_act {config['hidden_act']!r} is not supported")

    embed = state["model.embed_tokens.weight"]
    x = g.op("Gather", "/model/embed_tokens/Gather", g.init("model.embed_tokens.weight", embed), "input_ids")

    # cos and sin from position_ids: [batch, 1, seq, head_dim]
    inv_freq, rope_factor = _rope(config)
    p = "/model/rotary_emb"
    pos = g.op("Cast", f"{p}/Cast", "position_ids", to=TensorProto.FLOAT)
    pos = g.op("Unsqueeze", f"{p}/Unsqueeze", pos, g.i64(1, 3))
    freqs = g.op("Mul", f"{p}/Mul", pos, g.init("model.rotary_emb.inv_freq", inv_freq))
    angles = g.op("Concat", f"{p}/Concat", freqs, freqs, axis=-1)
    cos, sin = g.op("Cos", f"{p}/Cos", angles), g.op("Sin", f"{p}/Sin", angles)
    if rope_factor != 1.0:
        cos = g.op("Mul", f"{p}/Cos_scale/Mul", cos, g.f32(rope_factor))
        sin = g.op("Mul", f"{p}/Sin_scale/Mul", sin, g.f32(rope_factor))

    # additive mask [batch, 1, seq, total]: key j is visible to query i when j <= past + i and mask[j] = 1
    p = "/model/mask"
    seq = g.op("Gather", f"{p}/seq/Gather", g.op("Shape", f"{p}/seq/Shape", "input_ids"), g.i64(1, scalar=True))
    total = g.op("Gather", f"{p}/total/Gather", g.op("Shape", f"{p}/total/Shape", "attention_mask"), g.i64(1, scalar=True))
    past = g.op("Sub", f"{p}/past/Sub", total, seq)
    keys = g.op("Range", f"{p}/keys/Range", g.i64(0, scalar=True), total, g.i64(1, scalar=True))
    queries = g.op("Range", f"{p}/queries/Range", past, total, g.i64(1, scalar=True))
    queries = g.op("Unsqueeze", f"{p}/queries/Unsqueeze", queries, g.i64(1))
    causal = g.op("LessOrEqual", f"{p}/LessOrEqual", keys, queries)
    visible = g.op("Cast", f"{p}/Cast", "attention_mask", to=TensorProto.BOOL)
    visible = g.op("Unsqueeze", f"{p}/Unsqueeze", visible, g.i64(1, 2))
    allowed = g.op("And", f"{p}/And", visible, causal)
    bias = g.op("Where", f"{p}/Where", allowed, g.f32(0.0), g.f32(MASK_VALUE))

    def heads_of(path: str, y: str, n: int) -> str:
        y = g.op("Reshape", f"{path}/Reshape", y, g.i64(0, 0, n, head_dim))
        return g.op("Transpose", f"{path}/Transpose", y, perm=[0, 2, 1, 3])

    def rotate(path: str, y: str) -> str:
        a, b = g.op("Split", f"{path}/Split", y, g.i64(half, half), outputs=[f"{path}/Split/a", f"{path}/Split/b"], axis=-1)
        turned = g.op("Concat", f"{path}/Concat", g.op("Neg", f"{path}/Neg", b), a, axis=-1)
        return g.op(
            "Add", f"{path}/Add", g.op("Mul", f"{path}/Mul_cos", y, cos), g.op("Mul", f"{path}/Mul_sin", turned, sin)
        )

    def repeat(path: str, y: str) -> str:
        if kv_heads == heads:
            return y
        y = g.op("Unsqueeze", f"{path}/Unsqueeze", y, g.i64(2))
        y = g.op("Expand", f"{path}/Expand", y, g.i64(1, 1, heads // kv_heads, 1, 1))
        return g.op("Reshape", f"{path}/Reshape", y, g.i64(0, heads, -1, head_dim))

    def linear(module: str, y: str, output: str | None = None) -> str:
        return g.linear(module, y, state[f"{module}.weight"], state.get(f"{module}.bias"), output)

    for i in range(layers):
        m, path = f"model.layers.{i}", f"/model/layers.{i}"
        h = g.rms_norm(f"{path}/input_layernorm", x, f"{m}.input_layernorm.weight", state[f"{m}.input_layernorm.weight"], eps)
        q = heads_of(f"{path}/self_attn/q_heads", linear(f"{m}.self_attn.q_proj", h), heads)
        k = heads_of(f"{path}/self_attn/k_heads", linear(f"{m}.self_attn.k_proj", h), kv_heads)
        v = heads_of(f"{path}/self_attn/v_heads", linear(f"{m}.self_attn.v_proj", h), kv_heads)
        q, k = rotate(f"{path}/self_attn/q_rotary", q), rotate(f"{path}/self_attn/k_rotary", k)
        k = g.op("Concat", f"{path}/self_attn/k_cache/Concat", f"past_key_values.{i}.key", k, outputs=[f"present.{i}.key"], axis=2)
        v = g.op("Concat", f"{path}/self_attn/v_cache/Concat", f"past_key_values.{i}.value", v, outputs=[f"present.{i}.value"], axis=2)
        k, v = repeat(f"{path}/self_attn/k_repeat", k), repeat(f"{path}/self_attn/v_repeat", v)
        kt = g.op("Transpose", f"{path}/self_attn/k_t/Transpose", k, perm=[0, 1, 3, 2])
        scores = g.op("MatMul", f"{path}/self_attn/scores/MatMul", q, kt)
        scores = g.op("Mul", f"{path}/self_attn/scores/Mul", scores, g.f32(head_dim**-0.5))
        scores = g.op("Add", f"{path}/self_attn/scores/Add", scores, bias)
        probs = g.op("Softmax", f"{path}/self_attn/Softmax", scores, axis=-1)
        ctx = g.op("MatMul", f"{path}/self_attn/context/MatMul", probs, v)
        ctx = g.op("Transpose", f"{path}/self_attn/context/Transpose", ctx, perm=[0, 2, 1, 3])
        ctx = g.op("Reshape", f"{path}/self_attn/context/Reshape", ctx, g.i64(0, 0, heads * head_dim))
        x = g.op("Add", f"{path}/Add_attn", x, linear(f"{m}.self_attn.o_proj", ctx))
        h = g.rms_norm(
            f"{path}/post_attention_layernorm", x, f"{m}.post_attention_layernorm.weight",
            state[f"{m}.post_attention_layernorm.weight"], eps,
        )
        gate = linear(f"{m}.mlp.gate_proj", h)
        act = g.op("Mul", f"{path}/mlp/act/Mul", gate, g.op("Sigmoid", f"{path}/mlp/act/Sigmoid", gate))
        act = g.op("Mul", f"{path}/mlp/Mul", act, linear(f"{m}.mlp.up_proj", h))
        x = g.op("Add", f"{path}/Add_mlp", x, linear(f"{m}.mlp.down_proj", act))

    h = g.rms_norm("/model/norm", x, "model.norm.weight", state["model.norm.weight"], eps)
    head = state.get("lm_head.weight", embed)
    g.linear("lm_head", h, head, state.get("lm_head.bias"), output="logits")

    def info(name: str, kind: int, *shape):
        return helper.make_tensor_value_info(name, kind, list(shape))

    batch, seq_d, past_d, total_d = "batch_size", "sequence_length", "past_sequence_length", "total_sequence_length"
    inputs = [
        info("input_ids", TensorProto.INT64, batch, seq_d),
        info("attention_mask", TensorProto.INT64, batch, total_d),
        info("position_ids", TensorProto.INT64, batch, seq_d),
    ]
    outputs = [info("logits", TensorProto.FLOAT, batch, seq_d, vocab)]
    for i in range(layers):
        for part in ("key", "value"):
            inputs.append(info(f"past_key_values.{i}.{part}", TensorProto.FLOAT, batch, kv_heads, past_d, head_dim))
            outputs.append(info(f"present.{i}.{part}", TensorProto.FLOAT, batch, kv_heads, total_d, head_dim))
    graph = helper.make_graph(g.nodes, "main_graph", inputs, outputs, list(g.initializers.values()))
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        ir_version=IR_VERSION,
        producer_name="tabtune",
    )
    onnx.checker.check_model(model)
    return model


# ---------------------------------------------------------------- reading


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """All tensors of a checkpoint folder as f32 arrays."""
    from safetensors import safe_open

    index = folder / "model.safetensors.index.json"
    files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    state = {}
    for file in files:
        with safe_open(str(folder / file), framework="pt") as f:
            for key in f.keys():
                state[key] = f.get_tensor(key).float().numpy()
    return state


def _tokenizer_files(src: Path, dst: Path) -> None:
    shutil.copyfile(src / "tokenizer.json", dst / "tokenizer.json")
    config = json.loads((src / "tokenizer_config.json").read_text("utf-8"))
    template = src / "chat_template.jinja"
    if "chat_template" not in config and template.exists():
        config["chat_template"] = template.read_text("utf-8")
    if config.get("tokenizer_class") in (None, "TokenizersBackend"):
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
    for key in ("name_or_path", "backend", "is_local"):
        config.pop(key, None)
    _write_json(dst / "tokenizer_config.json", config)


def _write_json(path: Path, data: dict) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


def export(src: Path | str, dst: Path | str) -> Path:
    """Write the whole transformers.js folder; returns the path of the ONNX file."""
    src, dst = Path(src), Path(dst)
    (dst / "onnx").mkdir(parents=True, exist_ok=True)
    config = json.loads((src / "config.json").read_text("utf-8"))
    if config.get("model_type") != "llama":
        raise SystemExit(f"model_type {config.get('model_type')!r}: only llama is supported")
    path = dst / "onnx" / "model_q4.onnx"
    onnx.save(build_graph(config, read_weights(src)), str(path))

    config["head_dim"] = _head_dim(config)
    rope = config.get("rope_parameters") or {}
    config.setdefault("rope_theta", rope.get("rope_theta", 10000.0))
    config.pop("_name_or_path", None)
    _write_json(dst / "config.json", config)
    gen = src / "generation_config.json"
    data = json.loads(gen.read_text("utf-8")) if gen.exists() else {}
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        if data.get(key) is None and config.get(key) is not None:
            data[key] = config[key]
    _write_json(dst / "generation_config.json", data)
    _tokenizer_files(src, dst)
    return path


def _as_proto(model) -> onnx.ModelProto:
    if isinstance(model, onnx.ModelProto):
        return model
    path = Path(model)
    return onnx.load(str(path / "onnx" / "model_q4.onnx" if path.is_dir() else path))


def dequantized_state_dict(model) -> dict:
    """Hugging Face named f32 torch tensors with the values the ONNX file computes with.

    `model` is a ModelProto, a path to model_q4.onnx, an exported folder, or a torch LlamaForCausalLM
    (whose linear weights are then rounded the way export() would). lm_head.weight is its own tensor
    also when the embeddings are tied: load it into a model with tie_word_embeddings=False.
    """
    import torch

    if hasattr(model, "state_dict"):
        out = {k: v.detach().float().cpu().clone() for k, v in model.state_dict().items()}
        out.setdefault("lm_head.weight", out["model.embed_tokens.weight"].clone())
        for key in list(out):
            if key.endswith("_proj.weight") or key == "lm_head.weight":
                w = out[key].numpy()
                out[key] = torch.from_numpy(dequantize(*quantize(w), w.shape[1]))
        return out
    proto = _as_proto(model)
    init = {t.name: t for t in proto.graph.initializer}
    out = {}
    for node in proto.graph.node:
        if node.op_type != "MatMulNBits":
            continue
        attrs = {a.name: a.i for a in node.attribute}
        parts = [numpy_helper.to_array(init[n]) for n in node.input[1:4] if n]
        zp = parts[2] if len(parts) > 2 else None
        module = node.input[1].removesuffix(Q_SUFFIX)
        w = dequantize(parts[0].reshape(attrs["N"], -1, attrs["block_size"] // 2), parts[1], zp, attrs["K"], attrs["block_size"])
        out[f"{module}.weight"] = torch.from_numpy(w)
    for name, tensor in init.items():
        if name.startswith(("model.", "lm_head.")) and name.endswith((".weight", ".bias")):
            out[name] = torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32).copy())
    return out


def load_dequantized(folder: Path | str):
    """A torch LlamaForCausalLM (f32, eager attention, untied head) with the weights of an exported folder."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = Path(folder)
    config = LlamaConfig(**json.loads((folder / "config.json").read_text("utf-8")))
    config.tie_word_embeddings = False
    config.dtype = "float32"
    config._attn_implementation = "eager"
    model = LlamaForCausalLM(config).float().eval()
    model.load_state_dict(dequantized_state_dict(folder))
    return model


class OrtDecoder:
    """Runs an exported folder or ONNX file in onnxruntime (CPU) with its key/value cache."""

    def __init__(self, path: Path | str, threads: int = 1) -> None:
        import onnxruntime as ort

        path = Path(path)
        if path.is_dir():
            path = path / "onnx" / "model_q4.onnx"
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.past_inputs = [i for i in self.session.get_inputs() if i.name.startswith("past_key_values.")]

    def empty_past(self, batch: int) -> list[np.ndarray]:
        return [np.zeros((batch, i.shape[1], 0, i.shape[3]), np.float32) for i in self.past_inputs]

    def __call__(self, ids, past=None, mask=None, positions=None) -> tuple[np.ndarray, list[np.ndarray]]:
        ids = np.asarray(ids, np.int64)
        past = past if past is not None else self.empty_past(ids.shape[0])
        start = past[0].shape[2]
        if mask is None:
            mask = np.ones((ids.shape[0], start + ids.shape[1]), np.int64)
        if positions is None:
            positions = np.clip(np.cumsum(mask, 1) - 1, 0, None)[:, start:]
        feeds = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
        feeds.update({i.name: p for i, p in zip(self.past_inputs, past)})
        logits, *present = self.session.run(None, feeds)
        return logits, present

    def generate(self, ids: list[int], max_new: int, stop: set[int]) -> list[int]:
        """Greedy continuation; the stop token is kept at the end."""
        logits, past = self(np.array([ids]))
        out: list[int] = []
        while len(out) < max_new:
            token = int(logits[0, -1].argmax())
            out.append(token)
            if token in stop:
                break
            logits, past = self(np.array([[token]]), past)
        return out


# ---------------------------------------------------------------- check


def check(folder: Path | str) -> bool:
    """PyTorch on dequantized weights against onnxruntime; prints the relative errors."""
    import torch

    model, runtime = load_dequantized(folder), OrtDecoder(folder)
    rng = np.random.default_rng(0)
    vocab = model.config.vocab_size
    ids = rng.integers(0, vocab, (2, 48))

    def ref(tokens, **kw):
        with torch.no_grad():
            return model(torch.from_numpy(np.asarray(tokens)), **kw).logits.numpy()

    def error(a, b):
        return float(np.linalg.norm(a - b) / np.linalg.norm(b))

    want = ref(ids)
    results = {"full pass": error(runtime(ids)[0], want)}
    pieces, past, at = [], None, 0
    for n in [20, 1, 1, 7] + [1] * 19:
        logits, past = runtime(ids[:, at : at + n], past)
        pieces.append(logits)
        at += n
    results["cached decode"] = error(np.concatenate(pieces, 1), want)
    mask = np.ones_like(ids)
    mask[0, :9] = 0
    positions = np.clip(np.cumsum(mask, 1) - 1, 0, None)
    padded = runtime(ids, mask=mask, positions=positions)[0]
    results["left padding"] = error(padded[0, 9:], ref(ids[:1, 9:])[0])
    ok = all(e <= TOLERANCE for e in results.values())
    for name, e in results.items():
        print(f"check {name:14s} |delta|/|ref| = {e:.2e} (limit {TOLERANCE:.0e})")
    print("check", "passed" if ok else "FAILED")
    return ok


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("paths", nargs="+", metavar="DIR", help="MODEL_DIR OUT_DIR, or OUT_DIR with --check-only")
    ap.add_argument("--check", action="store_true", help="compare with PyTorch after the export")
    ap.add_argument("--check-only", action="store_true", help="check an existing export")
    args = ap.parse_args()
    if len(args.paths) != (1 if args.check_only else 2):
        ap.error("expected MODEL_DIR OUT_DIR, or --check-only OUT_DIR")
    out = args.paths[-1]
    if not args.check_only:
        path = export(args.paths[0], out)
        print(f"wrote {path} ({path.stat().st_size:,} bytes)")
    if (args.check or args.check_only) and not check(out):
        sys.exit(1)


if __name__ == "__main__":
    main()
