"""Teach the pretrained model to take turns (ChatML) and to end its turn with <|im_end|>.

Input:   DATA of prepare.py (train part), the folder of pretrain.py, --chatterbot DIR (the English
         files of the ChatterBot corpus; their two-turn exchanges of short, common words are used).
Output:  a Hugging Face folder like pretrain.py's.

Conversations: everyday.py (written for this project; facts as JSON among them), ChatterBot,
Taskmaster dialogues, FairytaleQA questions with and without the passage that holds the answer, and
requests for a story answered with a short TinyStories text. Only the assistant's words and its
<|im_end|> count in the loss. Two of three batches are plain text, so that free continuation keeps
improving while the learning rate cools down.

Run:  python scripts/model/chat.py --data DATA --model PRETRAINED --out DIR [--steps 3000]
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import yaml
from transformers import LlamaForCausalLM

from everyday import conversations, structured
from prepare import clean, words
from training import EOT, IGNORE, IM_END, IM_START, Progress, device, fit, load_tokenizer, read_rows, save, stream

TEXT_WEIGHTS = {"tinystories": 2.0, "storybooks": 2.0, "fairytaleqa": 1.0, "taskmaster": 0.5, "tatoeba": 1.0, "common-voice": 0.5, "classic-books": 0.25}  # fmt: skip
CHATTERBOT = ("greetings", "conversations", "emotion", "food", "health", "botprofile", "movies", "sports")
DEFAULT_CHATTERBOT = Path(__file__).resolve().parents[3] / "shared/data/datasets/chatterbot/chatterbot_corpus/data/english"
MAX_TOKENS = 384
STOP_WORDS = set("time there they them their that this with have were would could said when what very named once upon little day big small was lived wet tall brave kind new old long shiny".split())
NOUN = re.compile(r"\ba (?:[a-z]+ )?(?:[a-z]+ )?([a-z]{3,9})(?= (?:named|called|who|that|and|in|with|on)\b|[,.])")
STORY_REQUESTS = ["Tell me a story about a {}.", "Can you tell me a story about a {}?", "Write a short story about a {}.", "I want a story about a {}."]  # fmt: skip
PLAIN_REQUESTS = ["Tell me a story.", "Can you tell me a story?", "Write a short story.", "I want to hear a story."]


def sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", '"')) else ".")


def fairytale(rows: list[dict], rng: random.Random):
    for row in rows:
        text = row["text"].replace("\n", " ")
        for qa in row["questions"]:
            answer = sentence(qa["answer"])
            if len(answer) > 120:
                continue
            at = text.lower().find(qa["answer"].lower().rstrip("."))
            if at < 0 or len(qa["answer"]) < 4:
                if rng.random() < 0.3:
                    yield [{"role": "user", "content": sentence(qa["question"])}, {"role": "assistant", "content": answer}]
                continue
            begin = max(text.rfind(". ", 0, at), text.rfind("! ", 0, at), text.rfind("? ", 0, at)) + 1
            end = text.find(". ", at)
            passage = text[begin : end + 1 if end > 0 else len(text)].strip()
            if len(passage) < 400:
                content = f"{passage}\n{sentence(qa['question'])}"
                yield [{"role": "user", "content": content}, {"role": "assistant", "content": answer}]


def taskmaster(rows: list[dict]):
    for row in rows:
        turns: list[dict] = []
        for line in row["text"].split("\n"):
            m = re.match(r"(User|Assistant): (.+)", line)
            if not m:
                break
            role = m[1].lower()
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += " " + m[2]
            elif turns or role == "user":
                turns.append({"role": role, "content": m[2].strip()})
        if turns and turns[-1]["role"] == "user":
            turns.pop()
        if turns:
            yield turns


def stories(rows: list[dict], rng: random.Random):
    """Requests that name a noun of the first sentences ("a ... dog named", "a dog who", ...)."""
    for row in rows:
        text = row["text"]
        if not 200 < len(text) < 1000:
            continue
        first = " ".join(text.split("\n")[0].split(". ")[:2])
        nouns = [w for w in NOUN.findall(first) if w not in STOP_WORDS]
        ask = rng.choice(STORY_REQUESTS).format(nouns[0]) if nouns and rng.random() < 0.7 else rng.choice(PLAIN_REQUESTS)
        yield [{"role": "user", "content": ask}, {"role": "assistant", "content": text}]


def chatterbot(folder: Path, common: set[str]):
    """Question and first answer of each exchange, of common words only."""
    for name in CHATTERBOT:
        for exchange in yaml.safe_load((folder / f"{name}.yml").read_text("utf-8"))["conversations"]:
            turns = [clean(str(turn)) for turn in exchange[:2]]
            if len(turns) < 2 or max(map(len, turns)) > 140 or not all(w in common for t in turns for w in words(t)):
                continue
            question, answer = turns
            yield [{"role": "user", "content": sentence(question)}, {"role": "assistant", "content": sentence(answer)}]


def encode(tok, messages: list[dict]) -> tuple[list[int], list[int]]:
    """Token ids in ChatML and labels that hide everything but the assistant's turns."""
    newline = tok.encode("\n").ids
    ids: list[int] = []
    labels: list[int] = []
    for m in messages:
        head = [IM_START] + tok.encode(m["role"] + "\n").ids
        body = tok.encode(m["content"]).ids + [IM_END]
        ids += head + body + newline
        show = m["role"] == "assistant"
        labels += [IGNORE] * len(head) + (body if show else [IGNORE] * len(body)) + [IGNORE] * len(newline)
    return ids, labels


def chat_batches(rows, size: int, rng: random.Random):
    """Endless batches of about `size` tokens, rows of similar length, right padding."""
    while True:
        order = sorted(rows, key=lambda r: len(r[0]) + rng.random() * 8)
        groups, group = [], []
        for row in order:
            if group and len(row[0]) * (len(group) + 1) > size:
                groups.append(group)
                group = []
            group.append(row)
        groups.append(group)
        rng.shuffle(groups)
        for group in groups:
            width = max(len(ids) for ids, _ in group)
            yield (
                torch.tensor([ids + [EOT] * (width - len(ids)) for ids, _ in group]),
                torch.tensor([lab + [IGNORE] * (width - len(lab)) for _, lab in group]),
            )


def mixed(chat, text: np.ndarray, size: int):
    at = 0
    for step in itertools.count():
        if step % 3 == 0:
            yield next(chat)
            continue
        if at + size > len(text):
            at = 0
        ids = torch.from_numpy(text[at : at + size].astype(np.int64)).view(-1, 512)
        at += size
        yield ids, ids


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--model", type=Path, required=True)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--chatterbot", type=Path, default=DEFAULT_CHATTERBOT)
    ap.add_argument("--steps", type=int, default=3000)
    ap.add_argument("--tokens-per-step", type=int, default=2048)
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--muon-lr", type=float, default=0.012)
    ap.add_argument("--max-minutes", type=float, default=30)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--seed", type=int, default=2)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    rng = random.Random(args.seed)
    tok = load_tokenizer(args.model)

    def rows(source: str) -> list[dict]:
        return read_rows(args.data / "train" / f"{source}.jsonl")

    everyday = list(conversations(rng))
    frequency = Counter(w for source in ("tinystories", "tatoeba") for r in rows(source) for w in words(r["text"]))
    common = {w for w, _ in frequency.most_common(3000)}
    parts = {
        "everyday": everyday * 3,
        "structured": list(structured(rng, 300)),
        "chatterbot": list(chatterbot(args.chatterbot, common)) * 2,
        "taskmaster": rng.sample(list(taskmaster(rows("taskmaster"))), 700),
        "fairytaleqa": rng.sample(list(fairytale(rows("fairytaleqa"), rng)), 1500),
        "stories": rng.sample(list(stories(rows("tinystories"), rng)), 900),
    }
    encoded = {k: [encode(tok, m) for m in v] for k, v in parts.items()}
    encoded = {k: [r for r in v if len(r[0]) <= MAX_TOKENS] for k, v in encoded.items()}
    for name, v in encoded.items():
        print(f"{name}: {len(v)} conversations, {sum(len(r[0]) for r in v):,} tokens", flush=True)
    text = stream(tok, args.data, TEXT_WEIGHTS, np.random.default_rng(args.seed))
    chat = chat_batches([r for v in encoded.values() for r in v], args.tokens_per_step, rng)
    model = LlamaForCausalLM.from_pretrained(args.model)
    info = json.loads((args.model / "training.json").read_text())
    info["chat"] = fit(
        model.to(device()),
        mixed(chat, text, args.tokens_per_step),
        Progress(args.steps, args.max_minutes),
        args.lr,
        args.muon_lr,
        cooldown=0.9,
        log=lambda s: print(s, flush=True),
    )
    info["chat"]["conversations"] = {k: len(v) for k, v in encoded.items()}
    save(model, args.out, args.model, info)
    print(info)


if __name__ == "__main__":
    main()
