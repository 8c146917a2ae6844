"""Held-out bits per byte of a checkpoint and of its 4-bit file, and unedited greedy samples.

Input:   DATA of prepare.py (held-out part); a Hugging Face folder and/or an exported folder.
Output:  tables on the standard output; with --json FILE also as JSON.

Every document is scored on its own after <|endoftext|>. The f32 model runs in PyTorch, the 4-bit
file in onnxruntime. --limit bounds the bytes taken per source (whole documents, in file order).

Run:  python scripts/model/evaluate.py --data DATA [--model HF_DIR] [--onnx EXPORT_DIR] [--samples]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from transformers import LlamaForCausalLM

from export_onnx import OrtDecoder
from prepare import SOURCES
from training import EOT, IM_END, IM_START, bits_per_byte, load_tokenizer, read_rows, text_nats

STORY_SOURCES = ("tinystories", "storybooks", "fairytaleqa")
SAMPLES = [
    "Once upon a time",
    "One day, a boy named Tom went to the river.",
    [{"role": "user", "content": "Hello! How are you?"}],
    [{"role": "user", "content": "What should I cook for dinner?"}],
    [{"role": "user", "content": "Tell me a story about a cat."}],
]


def measure(name: str, model_fn, tok, data: Path, limit: int) -> dict:
    total: dict[str, list] = {}
    for source in SOURCES:
        texts, size = [], 0
        for row in read_rows(data / "heldout" / f"{source}.jsonl"):
            texts.append(row["text"])
            size += len(row["text"].encode())
            if size >= limit:
                break
        total[source] = list(text_nats(model_fn, tok, texts))
    out = {s: round(bits_per_byte(*v), 4) for s, v in total.items()}
    for label, group in (("stories", STORY_SOURCES), ("all", tuple(SOURCES))):
        out[label] = round(bits_per_byte(sum(total[s][0] for s in group), sum(total[s][1] for s in group)), 4)
    print(name, "bits per byte:", out, flush=True)
    return out


def sample(decoder: OrtDecoder, tok, prompt, max_new: int = 160) -> tuple[str, bool]:
    """(continuation, whether it ended by itself)."""
    if isinstance(prompt, str):
        ids = tok.encode(prompt).ids
    else:
        ids = []
        for m in prompt:
            ids += [IM_START] + tok.encode(m["role"] + "\n" + m["content"]).ids + [IM_END] + tok.encode("\n").ids
        ids += [IM_START] + tok.encode("assistant\n").ids
    out = decoder.generate(ids, max_new, {EOT, IM_END})
    return tok.decode(out), out[-1] in (EOT, IM_END)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", type=Path)
    ap.add_argument("--model", type=Path)
    ap.add_argument("--onnx", type=Path)
    ap.add_argument("--samples", action="store_true")
    ap.add_argument("--limit", type=int, default=60_000)
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    tok = load_tokenizer(args.onnx or args.model)
    results: dict = {}
    if args.data and args.model:
        model = LlamaForCausalLM.from_pretrained(args.model).float().eval()
        with torch.no_grad():
            results["f32"] = measure("f32", lambda x: model(x).logits, tok, args.data, args.limit)
    decoder = OrtDecoder(args.onnx, args.threads) if args.onnx else None
    if args.data and decoder:
        results["q4"] = measure("q4 ", lambda x: torch.from_numpy(decoder(x.numpy())[0]), tok, args.data, args.limit)
    if args.samples and decoder:
        for prompt in SAMPLES:
            text, ended = sample(decoder, tok, prompt)
            results.setdefault("samples", []).append({"prompt": prompt, "text": text, "ended": ended})
            print(f"\n> {prompt if isinstance(prompt, str) else prompt[-1]['content']}\n{text}\n[{'ended' if ended else 'cut'}]")
    if args.json:
        args.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
