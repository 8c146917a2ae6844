"""Golden token ids of one tokenizer for each family of models, made with transformers.

Writes tests/golden/tokenizer-families.json: for each family where its files are (below ../shared/data, which is not part of
this repository, or in this JSON), ids and a digest of the decoded text of every probe, and eight
hexadecimal digits of a digest of the ids for each of the naughty strings; null and dashes where `comparable` says why not. A vocabulary in GGUF is read by transformers and
given the splitting that the model's own tokenizer.json has, which transformers' GGUF reader leaves out. The families whose
files are not at hand share one small vocabulary, trained here, behind the steps of their tokenizer.json.

Run:  python tests/golden/tokenizer_families.py        (a minute; needs ../shared/data)
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import unicodedata
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tokenizer import PROBES, SENTENCES

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared" / "data"
VOCABULARIES = SHARED / "models" / "gguf-vocab"
GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
TEXTS = [
    "", " ", "  ", "\n\n\n", "\r\n \r\n", "\t\t x", "a" * 300, "hello" + " " * 40 + "world", "1", "12", "123", "1234567890", "3.14e-10 0x7f",
    "½ ² ³ ٣٤٥ १२३ Ⅻ ⅻ 〇", "x²y₂ 10⁶", "‘quoted’ “text” — dash… ¿qué?", "!!!??? ... ,,, ;;; $5 +4 <tag> ^ | ~ `code`",
    "for (let i = 0; i < 10; i++) {\n\t\treturn a[i] ** 2; // ok\n}\n", "def f(x):\n    if x:\n        return x\n\n\n    return None\n",
    "I'll DON'T We'Re they'd 'S 'tis rock'n'roll", "Ünïcödé ñandú ŁÓDŹ straße İstanbul ſ ﬁ", "e\u0301 \u0065\u0301 \u1e9b\u0323 \uac00 \u1100\u1161",
    "Привет, мир! Γειά σου Κόσμε", "你好，世界！こんにちは世界。안녕하세요 세계", "مرحبا بالعالم שלום עולם नमस्ते दुनिया สวัสดีชาวโลก", "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇺🇳 🫠 ☃️",
    "zero\u200bwidth\u200djoiner\u2060word \ufeffbom\ufeff \ufeff x", "nbsp\u00a0here\u3000wide\u2003em\u2028line\u2029para \u0085 \u0085nel\u0085", "\u0000\u0001\u0007\u001b[0m\u007f\u0080",
    "\ue000\U000f0000\U0010fffd \ufffd \U0001d400\U00010400", "tail space ", " lead", "a  b   c    d", "mixed\n \n  \n\tend\n", "CamelCaseWord snake_case_word kebab-case iPhone's HTTPServer",
    "https://example.org/a?b=c&d=%20#frag user@example.org /usr/local/bin C:\\Windows", "▁underline▁ ▁▁two", "<s>text</s> <unk> <pad> <bos>x<eos>",
    "<|endoftext|>a<|endoftext|> b <|im_start|>user\nhi<|im_end|>\n", "<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n", "<|user|>\nhi <|end|> \n<|assistant|>\n x",
    *PROBES,
]


def gguf(name: str, normalizer: object = None, pre: object = None) -> PreTrainedTokenizerFast:
    tokenizer = AutoTokenizer.from_pretrained(VOCABULARIES, gguf_file=f"ggml-vocab-{name}.gguf")
    tokenizer.is_from_gguf = True
    if normalizer is not None:
        tokenizer.backend_tokenizer.normalizer = normalizer
        tokenizer.backend_tokenizer.pre_tokenizer = None
    if pre is not None:
        tokenizer.backend_tokenizer.pre_tokenizer = pre
    return tokenizer


def phi3() -> PreTrainedTokenizerFast:
    """Its special tokens take white space along, as in the model's own tokenizer.json; GGUF does not keep that."""
    data = json.loads(gguf("phi-3").backend_tokenizer.to_str())
    for token in data["added_tokens"]:
        token["rstrip"] = token["content"] not in ("<unk>", "<s>", "<|endoftext|>")
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(data)), clean_up_tokenization_spaces=False)


def split(pattern: str, behaviour: str = "isolated") -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Split(Regex(pattern), behaviour)


def byte_level(use_regex: bool = True) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def trained() -> dict[str, tuple[dict, dict]]:
    """tokenizer.json and tokenizer_config.json of families that differ in their steps alone."""
    sequence = pre_tokenizers.Sequence
    base = Tokenizer(models.BPE())
    base.pre_tokenizer = byte_level()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    base.train_from_iterator(
        [*SENTENCES, "    if x == 123:\n        y = 4567  # 89\n"] * 2,
        trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    pieces = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    pieces.normalizer = normalizers.Replace(" ", "▁")
    bytes_of = [f"<0x{i:02X}>" for i in range(256)]
    pieces.train_from_iterator(
        SENTENCES * 2, trainers.BpeTrainer(vocab_size=520, special_tokens=["<unk>", "<s>", "</s>", *bytes_of], show_progress=False)
    )
    steps = {
        "gpt-neox": (normalizers.NFC(), byte_level()),
        "smollm": (None, sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()])),
        "falcon": (None, sequence([
            pre_tokenizers.Punctuation("contiguous"), byte_level(), pre_tokenizers.Digits(individual_digits=False), split("[0-9][0-9][0-9]"),
        ])),
        "prefix": (None, sequence([pre_tokenizers.Punctuation(), split("\\s+", "merged_with_next"), pre_tokenizers.ByteLevel(add_prefix_space=True)])),
        "merged": (None, sequence([split("\\n", "merged_with_previous"), split("\\p{Lu}+", "contiguous"), split(GPT2), byte_level(False)])),
    }
    out = {}
    for name, (normalizer, pre) in steps.items():
        data = json.loads(base.to_str())
        data["normalizer"] = normalizer and json.loads(normalizer.__getstate__())
        data["pre_tokenizer"] = json.loads(pre.__getstate__())
        data["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
        if name == "gpt-neox":
            # As in the originals: runs of spaces behind the vocabulary, found in the normalized text.
            count = len(data["model"]["vocab"])
            plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
            data["added_tokens"] += [{"id": count + i, "content": " " * (24 - i), **plain} for i in range(23)]
        out[name] = (data, {"eos_token": "<|endoftext|>", "clean_up_tokenization_spaces": False})
    data = json.loads(pieces.to_str())
    for token in data["added_tokens"][3:]:
        assert token["content"].startswith("<0x")
    data["added_tokens"] = data["added_tokens"][:3]
    data["normalizer"] = None
    data["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    data["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ]}
    data["post_processor"] = {
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "clean_up_tokenization_spaces": False}
    out["mistral"] = (data, config)
    out["metaspace"] = ({**data, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}}, config)
    return out


def from_json(path: Path, eos: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_file=str(path), eos_token=eos, clean_up_tokenization_spaces=False)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def comparable(tokenizer: PreTrainedTokenizerFast, text: str) -> bool:
    """Not where a tiny vocabulary lacks a byte, which the Rust library leaves out before it merges, nor where transformers'
    reader of GGUF has put a token behind the vocabulary."""
    backend = tokenizer.backend_tokenizer
    vocab = tokenizer.get_vocab()
    own = backend.get_vocab_size(with_added_tokens=False)
    if getattr(tokenizer, "is_from_gguf", False) and vocab.get("<|endoftext|>", 0) >= own:
        return "<|endoftext|>" not in text
    if backend.model.unk_token or own > 3000:
        return True
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(unicodedata.normalize("NFC", text))
    return all(letter in vocab for piece, _ in letters for letter in piece)


def expectations(tokenizer: PreTrainedTokenizerFast, naughty: list[str]) -> dict:
    probes = []
    for text in TEXTS:
        if not comparable(tokenizer, text):
            probes.append(None)
            continue
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        special = tokenizer(text)["input_ids"]
        assert special == ids or len(special) == len(ids) + 1
        probes.append({"ids": ids, "decoded": digest(tokenizer.decode(ids, clean_up_tokenization_spaces=False))})
    plain = len(tokenizer("x", add_special_tokens=False)["input_ids"])
    return {
        "begins": tokenizer("x")["input_ids"][:-plain],
        "probes": probes,
        "naughty": "".join(
            digest(",".join(map(str, tokenizer(text, add_special_tokens=False)["input_ids"]))) if comparable(tokenizer, text) else "-" * 8
            for text in naughty
        ),
    }


def main() -> None:
    naughty = json.loads((SHARED / "conformance" / "naughty-strings" / "blns.json").read_text("utf-8"))
    tune = SHARED / "models" / "torchtune-tiny"
    sentence_pieces = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    coder = pre_tokenizers.Sequence([
        *map(split, ["[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+"]), pre_tokenizers.Digits(individual_digits=True), byte_level(False),
    ])
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()])
    families = []

    def add(name: str, made: PreTrainedTokenizerFast, **where: object) -> None:
        families.append({"name": name, **where, **expectations(made, naughty)})
        print(name)

    for name, path, eos in (
        ("gpt2", "conformance/gpt2-tokenizer-json/gpt2", "<|endoftext|>"),
        ("codegen", "models/onnx-tiny-random/tiny-random-gpt2-fp32", "<|endoftext|>"),
    ):
        add(name, from_json(SHARED / path / "tokenizer.json", eos), path=f"{path}/tokenizer.json", config={"eos_token": eos})
    for name, file, eos in (("llama3", "tokenizer.json", "!"), ("qwen2", "tiny_bpe_tokenizer.json", "<|im_end|>"), ("gemma", "tokenizer_gemma_cropped.json", "<eos>")):
        add(name, from_json(tune / file, eos), path=f"models/torchtune-tiny/{file}", config={"eos_token": eos})
    for name, tokenizer in (
        ("llama-spm", gguf("llama-spm", sentence_pieces)), ("phi-3", phi3()), ("gpt-2", gguf("gpt-2")),
        ("starcoder", gguf("starcoder", pre=digits)), ("deepseek-coder", gguf("deepseek-coder", pre=coder)),
    ):
        add(f"{name}.gguf", tokenizer, path=f"models/gguf-vocab/ggml-vocab-{name}.gguf")
    for name, (data, config) in trained().items():
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "tokenizer.json").write_text(json.dumps(data), "utf-8")
            add(name, PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json", **config), tokenizer=data, config=config)
    shared_models: dict[str, dict] = {}
    for family in families:
        if "tokenizer" not in family:
            continue
        kind = "pieces" if family["tokenizer"]["model"]["byte_fallback"] else "bytes"
        shared_models[kind] = family["tokenizer"].pop("model")
        family["model"] = kind
    out = {"script": "tests/golden/tokenizer_families.py", "texts": TEXTS, "models": shared_models, "families": families}
    path = HERE / "tokenizer-families.json"
    path.write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n", "utf-8")
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
