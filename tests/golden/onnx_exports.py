"""Makes onnx-exports/: random tiny models as optimum and ONNX Runtime's model builder export them.

optimum-<architecture>/ keeps of the graph the nodes that take weights and what follows them directly; builder-<architecture>/
is the builder's output, builder-<architecture>-int4/ the same quantized. <kind>.json holds, by folder and Hugging Face name, the
logical shape and the SHA-256 of the float32 values: PyTorch's own, or for quantized ones what onnxruntime decodes. Of Gemma's
norms it is (1 + w) - 1 in float32, since both exporters store 1 + w.

The two exporters want different versions of transformers, so each runs in an environment of its own:

    python tests/golden/onnx_exports.py optimum   (torch 2.13.0, transformers 4.57.3, optimum 2.1.0, optimum-onnx 0.1.0)
    python tests/golden/onnx_exports.py builder   (torch 2.13.0, transformers 5.18.0, onnxruntime-genai 0.18.0, onnx_ir 1.1.0)
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
import transformers
from onnx import numpy_helper
from onnx_variants import digests, run, widened
from onnxruntime.quantization import QuantType, quantize_dynamic

HERE = Path(__file__).resolve().parent
OUT = HERE / "onnx-exports"
TOKENIZER = HERE / "llama-tied" / "model"
SEED = 21
LLAMA = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 12,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
NEOX = {key: value for key, value in LLAMA.items() if key != "num_key_value_heads"}


def configs() -> dict[str, transformers.PretrainedConfig]:
    t = transformers
    return {
        "llama": t.LlamaConfig(**LLAMA, tie_word_embeddings=False, attention_bias=True, mlp_bias=True),
        "mistral": t.MistralConfig(**LLAMA, sliding_window=16, tie_word_embeddings=False),
        "qwen2": t.Qwen2Config(**LLAMA, tie_word_embeddings=True),
        "qwen3": t.Qwen3Config(**LLAMA, head_dim=12, tie_word_embeddings=True),
        "gemma3_text": t.Gemma3TextConfig(**LLAMA, head_dim=12, sliding_window=16, query_pre_attn_scalar=12),
        "phi3": t.Phi3Config(**LLAMA, tie_word_embeddings=False, original_max_position_embeddings=64),
        "gpt2": t.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=12, n_positions=32, bos_token_id=0, eos_token_id=1),
        "gpt_neox": t.GPTNeoXConfig(**NEOX),
    }


def random_model(name: str) -> torch.nn.Module:
    torch.manual_seed(SEED)
    model = transformers.AutoModelForCausalLM.from_config(configs()[name]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Vectors begin as ones and zeros, and exporters merge equal ones.
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def values_of(name: str, model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Parameters as [out, in]."""
    values = {}
    for key, parameter in model.named_parameters():
        array = parameter.detach().numpy()
        module = model.get_submodule(key.rsplit(".", 1)[0])
        if type(module).__name__ == "Conv1D" and array.ndim == 2:
            array = array.T
        if name == "gemma3_text" and array.ndim == 1:
            array = (np.float32(1) + array) - np.float32(1)
        values[key] = np.ascontiguousarray(array)
    return values


def weights_only(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without the nodes that neither take a weight nor follow one that does."""
    inits = {t.name: t for t in model.graph.initializer if np.prod(t.dims) > 1 and t.data_type in (1, 2, 3)}
    scalars = {t.name for t in model.graph.initializer if not t.dims and t.name.endswith(("_scale", "_zero_point"))}
    kept = [n for n in model.graph.node if any(i in inits or i in scalars for i in n.input)]
    for _ in range(2):
        outputs = {o for n in kept for o in n.output}
        follow = ("Cast", "Mul", "DequantizeLinear", "MatMul")
        names = {n.name for n in kept}
        kept += [n for n in model.graph.node if n.name not in names and n.op_type in follow and outputs & set(n.input)]
    taken = {i for n in kept for i in n.input}
    small = onnx.ModelProto()
    small.ir_version, small.producer_name = model.ir_version, model.producer_name
    small.opset_import.extend(model.opset_import)
    small.graph.name = model.graph.name
    small.graph.node.extend(kept)
    small.graph.initializer.extend(t for t in model.graph.initializer if t.name in taken)
    return small


def export_optimum() -> dict[str, dict]:
    from optimum.exporters.onnx import main_export

    values = {}
    for name in configs():
        with tempfile.TemporaryDirectory() as folder:
            model = random_model(name)
            model.save_pretrained(f"{folder}/in")
            transformers.AutoTokenizer.from_pretrained(TOKENIZER).save_pretrained(f"{folder}/in")
            main_export(f"{folder}/in", output=f"{folder}/out", task="text-generation-with-past", do_validation=False)
            exported = Path(folder) / "out" / "model.onnx"
            save(f"optimum-{name}", "model.onnx", weights_only(onnx.load(exported)))
            values[f"optimum-{name}"] = digests(values_of(name, model))
            if name not in ("gpt2", "qwen2"):
                continue
            # As the scripts of transformers.js quantize.
            quantize_dynamic(
                exported,
                f"{folder}/int8.onnx",
                weight_type=QuantType.QInt8,
                per_channel=True,
                extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True},
            )
            small = weights_only(onnx.load(f"{folder}/int8.onnx"))
            save(f"optimum-{name}-int8", "model_quantized.onnx", small)
            values[f"optimum-{name}-int8"] = digests(quantized_values(small, values_of(name, model)))
    return values


def quantized_values(model: onnx.ModelProto, plain: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What DequantizeLinear makes of the quantized initializers; the others as they are."""
    inits, found = widened(model), dict(plain)
    for node in model.graph.node:
        quantized = [i for i in node.input if i.endswith("_quantized") and i in inits]
        if node.op_type not in ("MatMulInteger", "Gather") or not quantized:
            continue
        stem = quantized[0].removesuffix("_quantized")
        name = node.name.rsplit("/", 1)[0].strip("/").replace("/", ".") + ".weight"
        parts = [quantized[0], stem + "_scale", stem + "_zero_point"]
        array = run(onnx.helper.make_node("DequantizeLinear", parts, ["y"], axis=1), inits, {})
        found[name] = array if node.op_type == "Gather" else array.T
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def export_builder() -> dict[str, dict]:
    from onnxruntime_genai.models.builder import create_model, parse_extra_options
    from builders.base import Model  # as the builder itself imports it

    # 0.18.0 expects Gemma 3's rotary settings as transformers 4 kept them.
    transformers.Gemma3TextConfig.rope_local_base_freq = 10000.0
    make_rope_init = Model.make_rope_init

    def flat(self: Model, config: transformers.PretrainedConfig) -> None:
        config.rope_parameters = config.rope_parameters.get("full_attention", config.rope_parameters)
        make_rope_init(self, config)

    Model.make_rope_init = flat
    values = {}
    for name in ("llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3"):
        plain = values_of(name, random_model(name))
        for precision, provider, end in (("fp32", "cpu", ""), ("int4", "webgpu", "-int4")):
            if end and name not in ("llama", "qwen2", "phi3"):
                continue
            with tempfile.TemporaryDirectory() as folder:
                random_model(name).save_pretrained(f"{folder}/in")
                transformers.AutoTokenizer.from_pretrained(TOKENIZER).save_pretrained(f"{folder}/in")
                options = (name, f"{folder}/in", f"{folder}/out", precision, provider, f"{folder}/cache")
                create_model(*options, **parse_extra_options(*options, ["int4_block_size=32"] if end else []))
                target = OUT / f"builder-{name}{end}"
                target.mkdir(parents=True, exist_ok=True)
                for file in ("model.onnx", "model.onnx.data"):
                    shutil.copy(Path(folder) / "out" / file, target / file)
                model = onnx.load(target / "model.onnx")
                values[target.name] = digests(packed_values(model, plain) if end else plain)
    return values


def packed_values(model: onnx.ModelProto, plain: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What onnxruntime decodes of the builder's quantized and packed matrices; vectors as float16 has them."""
    whole = {name.replace(".attn.", ".self_attn."): array for name, array in decoded_products(model).items()}
    found = {}
    for name, array in plain.items():
        if array.ndim == 1:
            found[name] = array.astype(np.float16).astype(np.float32)
        elif name in whole:
            found[name] = whole[name]
        elif "embed_tokens" in name:
            embedding = [t for t in model.graph.initializer if t.name == name]
            found[name] = numpy_helper.to_array(embedding[0]).astype(np.float32) if embedding else whole["lm_head.weight"]
        elif "gate_up_proj" in name:
            found[name] = np.concatenate([whole[name.replace("gate_up", part)] for part in ("gate", "up")])
        else:
            before, part = name.removesuffix("_proj.weight").rsplit(".", 1)
            sizes = [plain[f"{before}.{p}_proj.weight"].shape[0] for p in "qkv"]
            at = "qkv".index(part)
            packed = whole[f"{before}.qkv_proj.weight"]
            found[name] = packed[sum(sizes[:at]) : sum(sizes[: at + 1])]
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def decoded_products(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    inits, found = widened(model), {}
    for node in model.graph.node:
        if node.op_type != "MatMulNBits":
            continue
        columns = next(a.i for a in node.attribute if a.name == "K")
        exact = onnx.NodeProto.FromString(node.SerializeToString())
        del exact.attribute[:]
        # Without accuracy_level, which would round the identity to 8 bits.
        exact.attribute.extend(a for a in node.attribute if a.name != "accuracy_level")
        name = node.name.rsplit("/", 1)[0].strip("/").replace("/", ".") + ".weight"
        found[name] = run(exact, inits, {node.input[0]: np.eye(columns, dtype=np.float32)}).T
    return found


def save(folder: str, file: str, model: onnx.ModelProto) -> None:
    (OUT / folder).mkdir(parents=True, exist_ok=True)
    onnx.save(model, OUT / folder / file)


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) == 2 else ""
    if kind not in ("optimum", "builder"):
        raise SystemExit("say optimum or builder")
    for old in OUT.glob(f"{kind}-*"):
        shutil.rmtree(old)
    values = export_optimum() if kind == "optimum" else export_builder()
    out = {"script": "tests/golden/onnx_exports.py", "folders": values}
    (OUT / f"{kind}.json").write_text(json.dumps(out, indent=1) + "\n", "utf-8")
    for path in sorted(OUT.rglob("*")):
        if path.is_file():
            print(path.relative_to(OUT), path.stat().st_size)


if __name__ == "__main__":
    main()
