"""Makes gguf-blocks.json and gguf/: what the Python package `gguf` decodes from random blocks, and whole models that it wrote.

gguf-blocks.json has for every tensor type two rows of random blocks (`raw`) and their values as little-endian float32
(`values`), both in base64. gguf/ has one tiny Llama with its tokenizer in several quantizations,
PyTorch's logits (float64) on the values that `gguf.dequantize` gives, and a SentencePiece vocabulary with the ids that
sentencepiece gives.

Run:  python tests/golden/gguf_files.py        (half a minute)
"""

from __future__ import annotations

import base64
import inspect
import io
import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.torch import save_file
from tokenizers import Regex, pre_tokenizers
from transformers.convert_slow_tokenizer import TikTokenConverter
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

from llama_models import CHAT_TEMPLATE, SPECS, in_double, make_model, make_tokenizer

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "gguf"
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
# Where the float16 factors of a block lie.
FACTORS = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
# The name of the file → the type of each matrix, by the end of its name.
MODELS = {
    "q8_0": {"": Type.Q8_0},
    "q4_0": {"": Type.Q4_0},
    "q4_1": {"": Type.Q4_1},
    "mixed": {
        "": Type.Q5_0, "attn_k.weight": Type.Q5_1, "attn_v.weight": Type.F16, "attn_output.weight": Type.BF16,
        "ffn_up.weight": Type.F32, "token_embd.weight": Type.Q8_0,
    },
}
SPEC = next(spec for spec in SPECS if spec.name == "llama-int4")


def b64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def blocks() -> dict:
    rng = np.random.default_rng(11)
    out = {}
    for name in TYPES:
        kind = Type[name]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        if name in ("F32", "F16", "BF16"):
            values = rng.normal(size=(2, 64)).astype(np.float32)
            raw = gguf.quantize(values, kind).view(np.uint8)
            columns = 64
        else:
            columns = 2 * block
            raw = rng.integers(0, 256, size=(2, 2 * size), dtype=np.uint8)
            # Random bits may be NaN as a factor; both signs and subnormal numbers stay in.
            for start in range(0, raw.shape[1], size):
                for at in FACTORS[name]:
                    factor = (rng.normal(size=2) * 10.0 ** rng.integers(-7, 1, size=2)).astype("<f2")
                    raw[:, start + at : start + at + 2] = factor.view(np.uint8).reshape(2, 2)
        values = gguf.dequantize(raw if name not in ("F32", "F16") else raw.view("<f4" if name == "F32" else "<f2"), kind)
        out[name] = {"id": int(kind), "shape": [2, columns], "raw": b64(raw), "values": b64(values.astype("<f4"))}
    return out


def gguf_name(name: str) -> str:
    parts = {
        "model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
        "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    }
    if name in parts:
        return parts[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{parts[rest.removesuffix('.weight')]}.weight"


def permute(weight: np.ndarray, heads: int) -> np.ndarray:
    """As convert_hf_to_gguf.py does for q and k of Llama."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def write_vocabulary(writer: gguf.GGUFWriter) -> None:
    data = json.loads(make_tokenizer(SPEC.config["vocab_size"]).to_str())
    tokens = sorted(data["model"]["vocab"], key=data["model"]["vocab"].get)
    special = {token["id"] for token in data["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if i in special else 1 for i in range(len(tokens))])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]])
    writer.add_pad_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def write_model(name: str, model: torch.nn.Module) -> None:
    """Writes the file and puts the values it stands for into `model`."""
    c = model.config
    writer = gguf.GGUFWriter(FOLDER / f"{name}.gguf", "llama")
    writer.add_name(f"golden {name}")
    writer.add_block_count(c.num_hidden_layers)
    writer.add_context_length(c.max_position_embeddings)
    writer.add_embedding_length(c.hidden_size)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    writer.add_head_count_kv(c.num_key_value_heads)
    writer.add_rope_dimension_count(c.head_dim)
    writer.add_rope_freq_base(c.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(c.rms_norm_eps)
    writer.add_vocab_size(c.vocab_size)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    write_vocabulary(writer)
    with torch.no_grad():
        for hf_name, p in model.named_parameters():
            own = gguf_name(hf_name)
            weight = p.numpy()
            if weight.ndim == 1:
                writer.add_tensor(own, weight.copy())
                continue
            kind = next(kind for end, kind in reversed(MODELS[name].items()) if own.endswith(end))
            heads = {"q": c.num_attention_heads, "k": c.num_key_value_heads}.get(own.removesuffix(".weight")[-1])
            in_file = permute(weight, heads) if ".attn_" in own and heads else weight
            data = gguf.quantize(in_file, kind)
            writer.add_tensor(own, data, raw_dtype=kind)
            p.copy_(torch.from_numpy(gguf.dequantize(gguf.quantize(weight, kind), kind).copy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


SENTENCES = [
    "the other brother is gathering the feathers of a mother hen", "in the beginning there was nothing but the sea and the sand",
    "she sells sea shells on the sea shore, and the shells she sells are sea shells", "to be or not to be, that is the question",
    "a stitch in time saves nine; better late than never", "the rain in Spain stays mainly in the plain, said the old man",
    "numbers such as 1, 22, 333 and 4444 are here as well", "über die Brücke gehen schöne Mädchen", "def main(): return [x for x in range(10)]",
]
TEXTS = [
    "the mother is there", " the  sea   shells\n\nthat she sells", "Übergang 🦙 to 12345", "x", "   ", "a\tb \u200b日本語 stitch", "▁the",
    "thethethe there there's nothing gathering",
]


def write_sentence_pieces() -> list[list[int]]:
    """A tokenizer trained on the spot, and the ids that sentencepiece itself gives. Settings as Llama's."""
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 3), model_writer=trained, model_type="bpe", vocab_size=400, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, num_threads=1, minloglevel=2,
        allow_whitespace_only_pieces=True,
    )
    sp = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    count = range(sp.vocab_size())
    kind = lambda i: 2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 1  # noqa: E731
    writer = gguf.GGUFWriter(FOLDER / "spm.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([sp.id_to_piece(i) for i in count])
    writer.add_token_scores([sp.get_score(i) for i in count])
    writer.add_token_types([kind(i) for i in count])
    writer.add_unk_token_id(sp.unk_id())
    writer.add_bos_token_id(sp.bos_id())
    writer.add_eos_token_id(sp.eos_id())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return [sp.encode(text) for text in TEXTS]


def splits() -> dict[str, dict[str, list]]:
    """What the tokenizers library splits a text into, by the patterns that transformers itself has for these models."""
    tiktoken = inspect.signature(TikTokenConverter.__init__).parameters["pattern"].default
    by_pattern = lambda pattern: [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]  # noqa: E731
    kinds = {
        "gpt-2": [pre_tokenizers.ByteLevel(False)],
        "smollm": [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)],
        "llama-bpe": by_pattern(tiktoken),
        "qwen2": by_pattern(PRETOKENIZE_REGEX),
    }
    texts = [*TEXTS, "I'LL say it's 1234567 or ½²; DON'T\u00a0!!\r\n\r\n  \u3000x\u0085y_z --> (a+b)?\n\n\n  if x:\n\t\treturn ٣٤ naïve e\u0301 \u0130 ſ"]
    return {
        name: {"texts": texts, "pieces": [[piece for piece, _ in pre_tokenizers.Sequence(kind).pre_tokenize_str(text)] for text in texts]}
        for name, kind in kinds.items()
    }


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    out = {"script": "tests/golden/gguf_files.py", "types": blocks()}
    (HERE / "gguf-blocks.json").write_text(json.dumps(out, indent=1) + "\n", "utf-8")
    rng = np.random.default_rng(12)
    ids = rng.integers(3, SPEC.config["vocab_size"], size=40).tolist()
    logits = {}
    for name in MODELS:
        model = make_model(SPEC)
        write_model(name, model)
        with in_double(), torch.no_grad():
            logits[name] = model.double()(torch.tensor([ids])).logits[0].float().contiguous()
    save_file(logits, FOLDER / "logits.safetensors")
    tokenizer = make_tokenizer(SPEC.config["vocab_size"])
    text = "In the end, <s>the others are coming to the station: 123 on time!\n  "
    reference = {
        "script": "tests/golden/gguf_files.py", "ids": ids, "text": text, "textIds": tokenizer.encode(text).ids,
        "pieces": [{"text": text, "ids": ids} for text, ids in zip(TEXTS, write_sentence_pieces())],
        "splits": splits(),
    }
    (FOLDER / "reference.json").write_text(json.dumps(reference) + "\n", "utf-8")


if __name__ == "__main__":
    main()
