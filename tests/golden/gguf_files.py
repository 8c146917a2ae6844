"""Makes gguf-blocks.json and gguf/: what the Python package `gguf` decodes from random blocks, and whole models that it wrote.

gguf-blocks.json has for every tensor type two rows of random blocks (`raw`) and their values as little-endian float32
(`values`), both in base64. gguf/ has one tiny Llama with its tokenizer in several quantizations and another in K-quants,
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

from double import in_double
from llama_models import SPECS
from model_folders import CHAT_TEMPLATE, Spec, make_model, make_tokenizer

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
# Blocks of 256 need rows of 256; what is read from narrower activations stays in blocks of 32, as llama-quantize has it.
K_SPEC = Spec(
    name="k_quants", seed=55, model_type="llama", rank=4, alpha=8, lengths=(2,),
    config=dict(
        vocab_size=SPEC.config["vocab_size"], hidden_size=256, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, tie_word_embeddings=True, rms_norm_eps=1e-5, max_position_embeddings=256,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    ),
)
K_TYPES = {
    "": Type.Q4_K, "attn_v.weight": Type.Q6_K, "attn_output.weight": Type.Q8_0, "ffn_up.weight": Type.Q5_K,
    "ffn_down.weight": Type.Q5_1, "token_embd.weight": Type.Q6_K,
}


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


def k_blocks(shape: tuple[int, int], kind: Type, rng: np.random.Generator) -> np.ndarray:
    """Random blocks of about the size that weights have; the package can read K-quants but not make them."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    raw = rng.integers(0, 256, size=(shape[0], shape[1] // 256 * size), dtype=np.uint8)
    # Six bits of scale and four or five of weight are taken off the factor; weights of Q6_K lie on both sides of 0.
    factor = {Type.Q4_K: 1e-3, Type.Q5_K: 5e-4, Type.Q6_K: 5e-5}[kind]
    for start in range(0, raw.shape[1], size):
        for at, share in zip(FACTORS[kind.name], (1, 7)):
            value = (factor * share * (0.5 + rng.random(shape[0]))).astype("<f2")
            raw[:, start + at : start + at + 2] = value.view(np.uint8).reshape(-1, 2)
    return raw


def quantized(weight: np.ndarray, kind: Type, rng: np.random.Generator) -> np.ndarray:
    return k_blocks(weight.shape, kind, rng) if kind.name.endswith("_K") else gguf.quantize(weight, kind)


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


def unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    return weight.reshape(heads, weight.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def write_model(name: str, model: torch.nn.Module, types: dict[str, Type]) -> None:
    """Writes the file and puts the values it stands for into `model`."""
    c = model.config
    rng = np.random.default_rng(13)
    writer = gguf.GGUFWriter(FOLDER / f"{name}.gguf", "llama")
    writer.add_name(f"golden {name}")
    writer.add_block_count(c.num_hidden_layers)
    writer.add_context_length(c.max_position_embeddings)
    writer.add_embedding_length(c.hidden_size)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.num_attention_heads)
    writer.add_head_count_kv(c.num_key_value_heads)
    if c.head_dim * c.num_attention_heads != c.hidden_size:
        writer.add_key_length(c.head_dim)
        writer.add_value_length(c.head_dim)
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
            kind = next(kind for end, kind in reversed(types.items()) if own.endswith(end))
            heads = {"q": c.num_attention_heads, "k": c.num_key_value_heads}.get(own.removesuffix(".weight")[-1])
            rotated = ".attn_" in own and heads
            data = quantized(permute(weight, heads) if rotated else weight, kind, rng)
            writer.add_tensor(own, data, raw_dtype=kind)
            values = gguf.dequantize(data, kind)
            p.copy_(torch.from_numpy((unpermute(values, heads) if rotated else values).copy()))
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


def write_sentence_pieces(name: str) -> list[dict]:
    """A tokenizer trained on the spot, and the ids that sentencepiece itself gives. Settings as Llama's or as Gemma's."""
    gemma = name == "spm-gemma"
    symbols = ["<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "\n\n\n", *("▁" * i for i in range(2, 9)), "\t\t", "<table>"]
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 3), model_writer=trained, model_type="bpe", vocab_size=420 if gemma else 400,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, num_threads=1, minloglevel=2,
        allow_whitespace_only_pieces=True,
        **(dict(add_dummy_prefix=False, split_digits=True, user_defined_symbols=symbols) if gemma else {}),
    )
    sp = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    count = range(sp.vocab_size())
    own = set(symbols) if gemma else set()
    kind = lambda i: 2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 4 if sp.id_to_piece(i) in own else 1  # noqa: E731
    writer = gguf.GGUFWriter(FOLDER / f"{name}.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    # The converter writes the spaces of such tokens as spaces.
    writer.add_token_list([sp.id_to_piece(i).replace("▁", " ") if kind(i) == 4 else sp.id_to_piece(i) for i in count])
    writer.add_token_scores([sp.get_score(i) for i in count])
    writer.add_token_types([kind(i) for i in count])
    writer.add_unk_token_id(sp.unk_id())
    writer.add_bos_token_id(sp.bos_id())
    writer.add_eos_token_id(sp.eos_id())
    if gemma:
        writer.add_add_space_prefix(False)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    texts = TEXTS if not gemma else [text for text in TEXTS if text[0] != "▁"] + [
        "<start_of_turn>user\nthe mother  is\n\n\n   there<end_of_turn>\n<start_of_turn>model\n", "a b  c   d" + " " * 20 + "the\t\t\tsea 12 333<table>",
    ]
    return [{"text": text, "ids": sp.encode(text)} for text in texts]


def splits() -> dict[str, dict[str, list]]:
    """What the tokenizers library splits a text into, by the patterns that transformers itself has for these models."""
    tiktoken = inspect.signature(TikTokenConverter.__init__).parameters["pattern"].default
    split = lambda pattern: pre_tokenizers.Split(Regex(pattern), "isolated")  # noqa: E731
    by_pattern = lambda *patterns: [*map(split, patterns), pre_tokenizers.ByteLevel(False, use_regex=False)]  # noqa: E731
    upper, lower = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
    word = lambda end: rf"[^\r\n\p{{L}}\p{{N}}]?[{upper}]*[{lower}]+{end}|[^\r\n\p{{L}}\p{{N}}]?[{upper}]+[{lower}]*{end}"  # noqa: E731
    rest = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    cjk = "[一-龥ࠀ-一가-퟿]+"
    digits = pre_tokenizers.Digits(individual_digits=True)
    kinds = {
        "gpt-2": [pre_tokenizers.ByteLevel(False)],
        "smollm": [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)],
        "llama-bpe": by_pattern(tiktoken),
        "qwen2": by_pattern(PRETOKENIZE_REGEX),
        "tekken": by_pattern(word("") + r"|\p{N}" + rest),
        "gpt-4o": by_pattern(word("(?i:'s|'t|'re|'ve|'m|'ll|'d)?") + r"|\p{N}{1,3}" + rest),
        "deepseek-coder": [*by_pattern(r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", cjk)[:-1], digits, pre_tokenizers.ByteLevel(False, use_regex=False)],
        "falcon": [
            pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(False), pre_tokenizers.Digits(False),
            split("[0-9][0-9][0-9]"),
        ],
    }
    texts = [*TEXTS, "I'LL say it's 1234567 or ½²; DON'T\u00a0!!\r\n\r\n  \u3000x\u0085y_z --> (a+b)?\n\n\n  if x:\n\t\treturn ٣٤ naïve e\u0301 \u0130 ſ",
             "HelloWorld iPhone's ΑΒΓδε/usr/bin мир 999 x²y 12½3456 $5+<=>^`|~ a\ufeffb \u180e\u200bเกม 한국어 \U0001d400\U00010400"]
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
    for name, types in {**MODELS, "k_quants": K_TYPES}.items():
        model = make_model(K_SPEC if name == "k_quants" else SPEC)
        write_model(name, model, types)
        with in_double(), torch.no_grad():
            logits[name] = model.double()(torch.tensor([ids])).logits[0].float().contiguous()
    save_file(logits, FOLDER / "logits.safetensors")
    tokenizer = make_tokenizer(SPEC.config["vocab_size"])
    text = "In the end, <s>the others are coming to the station: 123 on time!\n  "
    reference = {
        "script": "tests/golden/gguf_files.py", "ids": ids, "text": text, "textIds": tokenizer.encode(text).ids,
        "pieces": {name: write_sentence_pieces(name) for name in ("spm", "spm-gemma")},
        "splits": splits(),
    }
    (FOLDER / "reference.json").write_text(json.dumps(reference) + "\n", "utf-8")


if __name__ == "__main__":
    main()
