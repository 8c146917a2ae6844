"""Golden ids and chat texts of small tokenizers, made with transformers.

Trains two tiny byte-level BPE tokenizers on the sentences below: "plain" without a beginning-of-text token, "llama" with
one that the post-processor adds, and takes the embedded model's tokenizer as it is. Writes tests/golden/tokenizer.json: for
each the folder's files (of the embedded model only the digest), ids with and without special tokens, decoded texts, and
rendered chats. To be run again when the embedded tokenizer changes.

Run:  python tests/golden/tokenizer.py        (transformers 5.18.0, tokenizers 0.23.3)
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "A tab in a browser trains a small language model, one step after another.",
    "Numbers such as 3.14159, 2026 and 1,000,000 are split; so are dates like 2026-01-31.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "def add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n",
    "Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis.",
    "Съешь ещё этих мягких французских булок, да выпей чаю.",
    "いろはにほへと ちりぬるを",
] * 3
PROBES = [
    "The quick brown fox",
    " leading space and trailing space ",
    "runs   of    spaces\tand\ttabs\n\n\nand lines\r\nend",
    "naïve café — “quotes” … №5 ½ ﬁ",
    "emoji 👩‍👩‍👧‍👦 🇺🇳 👍🏽 and a lone\u200dzero-width joiner",
    "中文，日本語、한국어 العربية עברית हिन्दी",
    "e\u0301 is not \u00e9 before normalization",
    "don't I'll we've they're it's I'M",
    "<|im_start|>user\nhello<|im_end|>",
    "text<|im_end|>text <|im_end|> text",
    "<|not_special|> <|im_start",
    "\u0000control\u0007 and \ufeffmark",
    "a" * 50 + " " * 20 + "1234567890" * 3,
    "\n",
]
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Blocks on lines of their own (trimmed by the environment), a loop variable, a namespace, an error, a test for None.
BLOCKS = """{{- bos_token }}
{%- set ns = namespace(turns=0) %}
{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content | trim + '<|im_end|>\\n' }}
{%- endif %}
{% if tools is not none %}
never
{% endif %}
{% for message in messages %}
    {% if message.role == 'tool' %}
        {{ raise_exception('tools are not allowed') }}
    {% elif message.role != 'system' %}
        {% set ns.turns = ns.turns + 1 %}
{{ '<|im_start|>' ~ message.role ~ ' ' ~ ns.turns }}
{{ message.content }}{{ eos_token if message.role == 'assistant' and not loop.last else '<|im_end|>' }}
    {% endif %}
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}"""
CHATS = [
    [{"role": "user", "content": "Hi  there\n"}],
    [
        {"role": "system", "content": "  Be brief. "},
        {"role": "user", "content": "Wie geht’s? 👋"},
        {"role": "assistant", "content": "Gut."},
        {"role": "user", "content": "<b>&amp;</b>"},
        {"role": "assistant", "content": ""},
    ],
]
EMBEDDED = "public/models/tabtune-tiny"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def write_folder(folder: Path, kind: str) -> dict:
    tok = Tokenizer(models.BPE())
    if kind == "plain":
        tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tok.post_processor = processors.ByteLevel(trim_offsets=False)
    else:
        pattern = (
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
            r"|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
        from tokenizers import Regex

        tok.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tok.train_from_iterator(SENTENCES, trainer)
    if kind == "llama":
        tok.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", pair="<|endoftext|> $A $B", special_tokens=[("<|endoftext|>", 0)]
        )
    tok.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|endoftext|>" if kind == "llama" else None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False,
    }
    files = {"tokenizer.json": json.loads((folder / "tokenizer.json").read_text("utf-8"))}
    if kind == "plain":
        config["chat_template"] = CHATML
    else:
        (folder / "chat_template.jinja").write_text(BLOCKS, "utf-8")
        files["chat_template.jinja"] = BLOCKS
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return {**files, "tokenizer_config.json": config}


def expectations(name: str, folder: Path) -> dict:
    tok = AutoTokenizer.from_pretrained(folder)
    probes = []
    for text in PROBES:
        with_special = tok(text)["input_ids"]
        probes.append(
            {
                "text": text,
                "ids": tok(text, add_special_tokens=False)["input_ids"],
                "idsWithSpecial": with_special,
                "decoded": tok.decode(with_special),
                "decodedPlain": tok.decode(with_special, skip_special_tokens=True),
            }
        )
    chats = []
    for messages in CHATS:
        for generation in (False, True):
            text = tok.apply_chat_template(messages, tokenize=False, add_generation_prompt=generation)
            ids = tok(text, add_special_tokens=False)["input_ids"]
            chats.append({"messages": messages, "addGenerationPrompt": generation, "text": text, "ids": ids})
    sizes = {"vocabSize": len(tok), "eosTokenId": tok.eos_token_id, "bosTokenId": tok.bos_token_id}
    return {"name": name, **sizes, "probes": probes, "chats": chats}


def main() -> None:
    tokenizers = []
    for kind in ("plain", "llama"):
        with tempfile.TemporaryDirectory() as name:
            files = write_folder(Path(name), kind)
            tokenizers.append({**expectations(kind, Path(name)), "files": files})
    embedded = Path(__file__).parents[2] / EMBEDDED
    digest = hashlib.sha256((embedded / "tokenizer.json").read_bytes()).hexdigest()
    out = {
        "script": "tests/golden/tokenizer.py",
        "tokenizers": tokenizers,
        "embedded": {**expectations(EMBEDDED, embedded), "sha256": digest},
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n", "utf-8")
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
