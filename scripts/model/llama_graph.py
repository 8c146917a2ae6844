"""The Llama decoder as an ONNX graph, node by node; see export_onnx.py for its inputs, outputs and names."""

from __future__ import annotations

import numpy as np
import onnx
from int4 import BLOCK, quantize
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
MASK_VALUE = -1.0e9
Q_SUFFIX = ".MatMul.weight_Q4"


def _rope(config: dict) -> tuple[np.ndarray, float]:
    """(inv_freq f32 [head_dim / 2], factor on cos and sin)."""
    params = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = params.get("rope_type", params.get("type", "default"))
    head_dim = head_dim_of(config)
    theta = params.get("rope_theta", config.get("rope_theta", 10000.0))
    if kind == "default":
        return (1.0 / theta ** (np.arange(0, head_dim, 2) / head_dim)).astype(np.float32), 1.0
    if kind in ("dynamic", "longrope"):
        raise SystemExit(f"rope type {kind!r} depends on the sequence length and is not supported")
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    rotary = LlamaRotaryEmbedding(LlamaConfig(**config))
    return rotary.inv_freq.float().numpy(), float(rotary.attention_scaling)


def head_dim_of(config: dict) -> int:
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
    head_dim, eps, vocab = head_dim_of(config), config["rms_norm_eps"], config["vocab_size"]
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
