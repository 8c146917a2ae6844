"""Makes gguf-models/: the golden model folders as GGUF files, by the rules of llama.cpp's convert_hf_to_gguf.py.

Names come from the tensor name map of the Python package `gguf`; order and values of rows are what the converter makes of
them: q and k of Llama and Mistral permuted, GPT-2's matrices turned to [out, in], q, k and v of GPT-NeoX taken apart, norm
weights of Gemma + 1, a tensor of factors for Llama 3's rotary scaling. Matrices keep the checkpoint's type, all else is F32.
Three keys are written that the converter leaves out, as llama.cpp takes them for granted where real models agree: window
and base of small Mistral and GPT-NeoX models, window pattern and attention scale of Gemma.

Run:  python tests/golden/gguf_models.py        (seconds; after the folders' own scripts)
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import MODEL_ARCH as Arch
from safetensors.torch import load_file

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "gguf-models"
ARCHS = {
    "llama": Arch.LLAMA, "mistral": Arch.LLAMA, "qwen2": Arch.QWEN2, "qwen3": Arch.QWEN3, "gemma3_text": Arch.GEMMA3,
    "gpt2": Arch.GPT2, "gpt_neox": Arch.GPTNEOX, "phi3": Arch.PHI3,
}
MODELS = [
    "llama3-rope", "llama-yarn", "llama-linear-rope", "mistral", "qwen2", "qwen3", "gemma3", "gpt2", "gpt-neox",
    "gpt-neox-serial", "phi3", "phi3-partial",
]


def rope_of(c: dict) -> dict:
    """Old and new configs alike: rope_type, rope_theta and what belongs to them."""
    rope = dict(c.get("rope_parameters") or c.get("rope_scaling") or {})
    rope.setdefault("rope_theta", c.get("rope_theta", c.get("rotary_emb_base", 10000.0)))
    rope.setdefault("rope_type", rope.get("type", "default"))
    rope.setdefault("partial_rotary_factor", c.get("partial_rotary_factor", c.get("rotary_pct", 1.0)))
    return rope


def llama3_factors(rope: dict, dim: int) -> np.ndarray:
    freqs = 1.0 / (rope["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim))
    low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    original = rope["original_max_position_embeddings"]
    out = []
    for freq in freqs:
        length = 2 * math.pi / freq
        if length < original / high:
            out.append(1.0)
        elif length > original / low:
            out.append(factor)
        else:
            smooth = (original / length - low) / (high - low)
            out.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(out, dtype=np.float32)


def permute(w: torch.Tensor, heads: int) -> torch.Tensor:
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def converted(name: str, w: torch.Tensor, c: dict, kind: str) -> torch.Tensor:
    if kind in ("llama", "mistral"):
        if ".q_proj." in name:
            return permute(w, c["num_attention_heads"])
        if ".k_proj." in name:
            return permute(w, c["num_key_value_heads"])
    if kind == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        return w.T
    if kind == "gpt_neox" and ".query_key_value." in name:
        heads = c["num_attention_heads"]
        parts = w.reshape(heads, 3, w.shape[0] // heads // 3, *w.shape[1:])
        return torch.cat([parts[:, i].reshape(-1, *w.shape[1:]) for i in range(3)])
    if kind == "gemma3_text" and name.endswith("norm.weight"):
        return w.float() + 1
    return w


def write_sizes(writer: gguf.GGUFWriter, c: dict, kind: str) -> None:
    hidden = c.get("hidden_size", c.get("n_embd"))
    heads = c.get("num_attention_heads", c.get("n_head"))
    head_dim = c.get("head_dim") or hidden // heads
    writer.add_block_count(c.get("num_hidden_layers", c.get("n_layer")))
    writer.add_context_length(c.get("max_position_embeddings", c.get("n_positions")))
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(c.get("intermediate_size", 4 * hidden))
    writer.add_head_count(heads)
    if "num_key_value_heads" in c:
        writer.add_head_count_kv(c["num_key_value_heads"])
    if c.get("head_dim"):
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if "rms_norm_eps" in c:
        writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    else:
        writer.add_layer_norm_eps(c.get("layer_norm_eps", c.get("layer_norm_epsilon")))
    if kind == "gpt_neox":
        writer.add_parallel_residual(c["use_parallel_residual"])
    if c.get("sliding_window") and c.get("use_sliding_window", True):
        writer.add_sliding_window(c["sliding_window"])
    elif kind == "phi3":
        writer.add_sliding_window(0)
    if kind == "gemma3_text":
        writer.add_sliding_window_pattern([each == "sliding_attention" for each in c["layer_types"]])
        writer.add_attention_scale(c["query_pre_attn_scalar"] ** -0.5)
    if kind != "gpt2":
        write_rotary(writer, c, kind, head_dim)


def write_rotary(writer: gguf.GGUFWriter, c: dict, kind: str, head_dim: int) -> None:
    rope = rope_of(c)
    dim = int(head_dim * rope["partial_rotary_factor"])
    if kind in ("llama", "mistral", "gpt_neox", "phi3"):
        writer.add_rope_dimension_count(dim)
    if kind != "gpt_neox" or rope["rope_theta"] != 10000:
        writer.add_rope_freq_base(rope["rope_theta"])
    if "rope_local_base_freq" in c:
        writer.add_rope_freq_base_swa(c["rope_local_base_freq"])
    if kind == "phi3":
        writer.add_rope_scaling_orig_ctx_len(c["original_max_position_embeddings"])
    if rope["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(rope["rope_type"]))
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if "beta_fast" in rope:
            writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
    if rope["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(rope, dim))


def write_vocabulary(writer: gguf.GGUFWriter, folder: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    vocab = data["model"]["vocab"]
    tokens = sorted(vocab, key=vocab.get)
    special = {token["id"] for token in data["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if i in special else gguf.TokenType.NORMAL for i in range(len(tokens))])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]])
    for key, add in (("pad", writer.add_pad_token_id), ("bos", writer.add_bos_token_id), ("eos", writer.add_eos_token_id)):
        add(vocab[config[f"{key}_token"]])
    writer.add_add_bos_token(False)
    writer.add_chat_template(config["chat_template"])


def convert(name: str) -> None:
    folder = HERE / name / "model"
    c = json.loads((folder / "config.json").read_text("utf-8"))
    kind = c["model_type"]
    arch = ARCHS[kind]
    writer = gguf.GGUFWriter(FOLDER / f"{name}.gguf", gguf.MODEL_ARCH_NAMES[arch])
    writer.add_name(f"golden {name}")
    write_sizes(writer, c, kind)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    write_vocabulary(writer, folder)
    names = gguf.get_tensor_name_map(arch, c.get("num_hidden_layers", c.get("n_layer")))
    for path in sorted(folder.glob("*.safetensors")):
        for hf_name, tensor in sorted(load_file(path).items()):
            if hf_name.endswith((".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq", ".attention.bias", ".masked_bias")):
                continue
            own = names.get_name(hf_name, try_suffixes=(".weight", ".bias"))
            assert own, hf_name
            w = converted(hf_name, tensor, c, kind)
            if w.ndim == 1 or w.dtype == torch.float32:
                writer.add_tensor(own, w.float().contiguous().numpy())
            elif w.dtype == torch.float16:
                writer.add_tensor(own, w.contiguous().numpy())
            else:
                writer.add_tensor(own, gguf.quantize(w.float().contiguous().numpy(), Type.BF16), raw_dtype=Type.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name in MODELS:
        convert(name)


if __name__ == "__main__":
    main()
