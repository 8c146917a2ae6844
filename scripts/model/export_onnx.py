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
from int4 import dequantize, pack_nibbles, quantize, unpack_nibbles
from llama_graph import Q_SUFFIX, build_graph, head_dim_of
from onnx import numpy_helper

__all__ = [
    "OrtDecoder",
    "dequantize",
    "dequantized_state_dict",
    "export",
    "load_dequantized",
    "pack_nibbles",
    "quantize",
    "unpack_nibbles",
]

TOLERANCE = 1e-5


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

    config["head_dim"] = head_dim_of(config)
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
