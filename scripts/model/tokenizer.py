"""Train the byte-level BPE tokenizer (4,096 tokens) and write its Hugging Face files.

Input:   OUT of prepare.py (train part only).
Output:  DIR/tokenizer.json and DIR/tokenizer_config.json (ChatML chat template; eos <|im_end|>,
         pad <|endoftext|>). Token ids 0, 1, 2 are <|endoftext|>, <|im_start|>, <|im_end|>.

Run:  python scripts/model/tokenizer.py --data DATA --out DIR
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

VOCAB = 4096
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# bytes of each source the merges are learnt from
BUDGET = {
    "tinystories": 4_000_000,
    "storybooks": 1_300_000,
    "fairytaleqa": 1_500_000,
    "taskmaster": 300_000,
    "tatoeba": 1_500_000,
    "common-voice": 700_000,
    "classic-books": 5_000_000,
}


def sample(data: Path, source: str, budget: int, rng: random.Random):
    rows = [json.loads(line)["text"] for line in (data / "train" / f"{source}.jsonl").open(encoding="utf-8")]
    rng.shuffle(rows)
    used = 0
    for text in rows:
        if used >= budget:
            return
        used += len(text)
        yield text


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--out", type=Path, required=True)
    args = ap.parse_args()
    rng = random.Random(0)
    texts = [t for source, n in BUDGET.items() for t in sample(args.data, source, n, rng)]
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tok.train_from_iterator(texts, trainer)
    if tok.get_vocab_size() != VOCAB:
        raise SystemExit(f"vocabulary has {tok.get_vocab_size()} tokens")
    args.out.mkdir(parents=True, exist_ok=True)
    tok.save(str(args.out / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "added_tokens_decoder": {
            str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
            for i, t in enumerate(SPECIAL)
        },
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "additional_special_tokens": ["<|im_start|>"],
        "clean_up_tokenization_spaces": False,
        "model_max_length": 512,
        "chat_template": CHAT_TEMPLATE,
    }
    (args.out / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
    text = "\n".join(texts[:2000])
    print(f"vocabulary {tok.get_vocab_size()}, {len(text.encode()) / len(tok.encode(text).ids):.3f} bytes per token")


if __name__ == "__main__":
    main()
