"""Held-out bits per byte of a checkpoint, of its 4-bit file and of stories260K, and unedited greedy samples.

Input:   DATA of prepare.py (held-out part); a Hugging Face folder and/or an exported folder and/or the
         folder of stories260K (see stories260k.py).
Output:  tables on the standard output; with --json FILE also as JSON.

Every document is scored on its own after the model's start token, in windows of 512 of the model's own
tokens. All models get the same documents: --limit bounds the bytes taken per source (whole documents,
in file order). The f32 model runs in PyTorch, the 4-bit file in onnxruntime. With both, the script ends
with status 1 when their bits per byte over all sources are more than 2 percent apart.

--samples: five texts and five conversations, greedy, from the 4-bit file, with fixed prompts. A text
prompt is encoded as the shipped tokenizer does it, without a start token.

Run:  python scripts/model/evaluate.py --data DATA [--model HF_DIR] [--onnx EXPORT_DIR] [--baseline STORIES260K_DIR]
                                       [--samples] [--json FILE] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from export_onnx import OrtDecoder
from prepare import SOURCES
from scoring import Scorer, baseline, bits, checkpoint, file_hashes, onnx_file
from training import EOT, IM_END, IM_START, load_tokenizer, read_rows

STORY_SOURCES = ("tinystories", "storybooks", "fairytaleqa")
MOST_APART = 0.02
TEXT_PROMPTS = [
    "Once upon a time",
    "One day, a boy named Tom went to the river.",
    "The old man looked at the sea and",
    "Every morning, the teacher",
    "A king had three daughters.",
]
# what the user says in turn; the model answers each
CHAT_PROMPTS = [
    ["Hello! How are you?", "What is your name?"],
    ["What should I cook for dinner?"],
    ["Tell me a story about a cat."],
    ["What do dogs like to eat?"],
    ["I am sad today."],
]


def held_out(data: Path, limit: int) -> dict[str, list[str]]:
    """Per source its first documents until they hold `limit` bytes."""
    texts: dict[str, list[str]] = {}
    for source in SOURCES:
        texts[source], size = [], 0
        for row in read_rows(data / "heldout" / f"{source}.jsonl"):
            texts[source].append(row["text"])
            size += len(row["text"].encode())
            if size >= limit:
                break
    return texts


def sizes(texts: dict[str, list[str]]) -> dict[str, int]:
    return with_groups({s: sum(len(t.encode()) for t in rows) for s, rows in texts.items()})


def with_groups(sums: dict) -> dict:
    return {**sums, "stories": sum(sums[s] for s in STORY_SOURCES), "all": sum(sums.values())}


def measure(name: str, scorer: Scorer, texts: dict[str, list[str]]) -> dict[str, float]:
    total = with_groups({source: bits(scorer, rows) for source, rows in texts.items()})
    out = {key: round(total[key] / size, 4) for key, size in sizes(texts).items()}
    print(f"{name:12s} bits per byte: {out}", flush=True)
    return out


def compare(f32: dict[str, float], q4: dict[str, float]) -> dict:
    """How far the 4-bit file is from the f32 model, over all sources and where it is farthest."""
    apart = {key: q4[key] / f32[key] - 1 for key in f32}
    worst = max(SOURCES, key=lambda s: abs(apart[s]))
    return {
        "all": round(apart["all"], 5),
        "worst_source": worst,
        "worst": round(apart[worst], 5),
        "limit": MOST_APART,
        "within_limit": abs(apart["all"]) <= MOST_APART,
    }


def turn(tok, role: str, text: str) -> list[int]:
    return [IM_START] + tok.encode(f"{role}\n{text}").ids + [IM_END] + tok.encode("\n").ids


def continue_text(decoder: OrtDecoder, tok, prompt: str, most: int) -> dict:
    out = decoder.generate(tok.encode(prompt).ids, most, {EOT, IM_END})
    return {"kind": "text", "prompt": prompt, "text": tok.decode(out), "ended": out[-1] in (EOT, IM_END)}


def converse(decoder: OrtDecoder, tok, prompts: list[str], most: int) -> dict:
    ids: list[int] = []
    turns = []
    for prompt in prompts:
        ids += turn(tok, "user", prompt)
        out = decoder.generate(ids + [IM_START] + tok.encode("assistant\n").ids, most, {EOT, IM_END})
        answer = tok.decode(out)
        ids += turn(tok, "assistant", answer)
        turns.append({"user": prompt, "assistant": answer, "ended": out[-1] in (EOT, IM_END)})
    return {"kind": "chat", "turns": turns}


def samples(folder: Path, threads: int, most: int) -> list[dict]:
    decoder, tok = OrtDecoder(folder, threads), load_tokenizer(folder)
    out = [continue_text(decoder, tok, p, most) for p in TEXT_PROMPTS]
    out += [converse(decoder, tok, p, most) for p in CHAT_PROMPTS]
    for s in out:
        pairs = [(t["user"], t["assistant"], t["ended"]) for t in s["turns"]] if "turns" in s else [(s["prompt"], s["text"], s["ended"])]
        for prompt, text, ended in pairs:
            print(f"\n> {prompt}\n{text}\n[{'ended' if ended else 'cut'}]")
    return out


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", type=Path)
    ap.add_argument("--model", type=Path)
    ap.add_argument("--onnx", type=Path)
    ap.add_argument("--baseline", type=Path, help="folder of stories260K")
    ap.add_argument("--samples", action="store_true")
    ap.add_argument("--limit", type=int, default=60_000, help="bytes per source")
    ap.add_argument("--max-new", type=int, default=160, help="tokens of a sample at most")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    if args.samples and not args.onnx:
        ap.error("--samples needs --onnx EXPORT_DIR")
    torch.set_num_threads(args.threads)
    results: dict = {"sha256": file_hashes(args.model, args.onnx)}
    if args.data:
        texts = held_out(args.data, args.limit)
        results |= {"limit": args.limit, "bytes": sizes(texts), "documents": {s: len(t) for s, t in texts.items()}}
        scorers = {
            "f32": args.model and checkpoint(args.model),
            "q4": args.onnx and onnx_file(args.onnx, args.threads),
            "stories260K": args.baseline and baseline(args.baseline),
        }
        results["bits_per_byte"] = {name: measure(name, s, texts) for name, s in scorers.items() if s}
        if args.model and args.onnx:
            c = results["q4_against_f32"] = compare(results["bits_per_byte"]["f32"], results["bits_per_byte"]["q4"])
            verdict = "within" if c["within_limit"] else "NOT within"
            print(f"q4 against f32: {c['all']:+.2%} over all, {c['worst']:+.2%} on {c['worst_source']}; {verdict} {MOST_APART:.0%}")
    if args.samples:
        results["max_new_tokens"] = args.max_new
        results["samples"] = samples(args.onnx, args.threads, args.max_new)
    if args.json:
        args.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if not results.get("q4_against_f32", {"within_limit": True})["within_limit"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
