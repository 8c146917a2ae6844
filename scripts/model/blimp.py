"""BLiMP accuracy: how often the grammatical sentence of a minimal pair has the higher probability.

Input:   BLiMP.zip of https://github.com/alexwarstadt/blimp (67 paradigms of 1,000 pairs, CC BY 4.0); a
         Hugging Face folder and/or an exported folder and/or the folder of stories260K.
Output:  per model the accuracy in all, per field, phenomenon and paradigm on the standard output (all but
         the paradigms) and with --json FILE as JSON.

Each sentence stands alone after the model's start token; the sum of the log-probabilities of its tokens
decides, without regard to length. A tie counts as wrong; chance is one half. The 4-bit file runs in
onnxruntime. Equal sentences are scored once. Some files write the field syntax_semantics with a slash; it
is one field here.

Run:  python scripts/model/blimp.py BLIMP_ZIP [--model HF_DIR] [--onnx EXPORT_DIR] [--baseline STORIES260K_DIR]
                                    [--limit PAIRS_PER_PARADIGM] [--json FILE] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch

from scoring import Scorer, baseline, checkpoint, file_hashes, log_probs, onnx_file

LARGEST_FILE = 2_000_000


@dataclass(frozen=True)
class Pair:
    good: str
    bad: str
    field: str
    phenomenon: str
    paradigm: str


def read_pairs(path: Path, limit: int | None) -> list[Pair]:
    """All pairs in the order of the file names, `limit` of each paradigm at most."""
    pairs = []
    with zipfile.ZipFile(path) as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jsonl") and PurePosixPath(n).name[0] not in "._")
        for name in names:
            if archive.getinfo(name).file_size > LARGEST_FILE:
                raise SystemExit(f"{path}: {name} has more than {LARGEST_FILE:,} bytes; is this BLiMP.zip?")
            for line in archive.read(name).decode("utf-8").splitlines()[:limit]:
                row = json.loads(line)
                pairs.append(Pair(row["sentence_good"], row["sentence_bad"], row["field"].replace("/", "_"), row["linguistics_term"], row["UID"]))
    if not pairs:
        raise SystemExit(f"{path}: no .jsonl file with sentence pairs; give BLiMP.zip of alexwarstadt/blimp")
    return pairs


def accuracy(pairs: list[Pair], right: list[bool], key: str) -> dict[str, dict]:
    groups: dict[str, list[bool]] = {}
    for pair, good in zip(pairs, right):
        groups.setdefault(getattr(pair, key), []).append(good)
    return {name: {"pairs": len(g), "accuracy": round(sum(g) / len(g), 4)} for name, g in sorted(groups.items())}


def measure(name: str, scorer: Scorer, pairs: list[Pair]) -> dict:
    sentences = list({s: None for p in pairs for s in (p.good, p.bad)})
    scores = log_probs(scorer, [scorer.encode(s) for s in sentences])
    total = {s: float(p.sum()) for s, p in zip(sentences, scores)}
    right = [total[p.good] > total[p.bad] for p in pairs]
    out = {
        "accuracy": round(sum(right) / len(right), 4),
        "fields": accuracy(pairs, right, "field"),
        "phenomena": accuracy(pairs, right, "phenomenon"),
        "paradigms": accuracy(pairs, right, "paradigm"),
    }
    print(f"\n{name}: {out['accuracy']:.1%} of {len(pairs):,} pairs", flush=True)
    for group in ("fields", "phenomena"):
        for key, value in out[group].items():
            print(f"  {key:28s} {value['accuracy']:6.1%} of {value['pairs']:,}")
    return out


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("blimp", type=Path)
    ap.add_argument("--model", type=Path)
    ap.add_argument("--onnx", type=Path)
    ap.add_argument("--baseline", type=Path, help="folder of stories260K")
    ap.add_argument("--limit", type=int, help="pairs per paradigm, for a quick look")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--json", type=Path)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    pairs = read_pairs(args.blimp, args.limit)
    scorers = {
        "f32": args.model and checkpoint(args.model),
        "q4": args.onnx and onnx_file(args.onnx, args.threads),
        "stories260K": args.baseline and baseline(args.baseline),
    }
    if not any(scorers.values()):
        ap.error("give at least one of --model, --onnx and --baseline")
    results = {
        "sha256": file_hashes(args.model, args.onnx),
        "pairs": len(pairs),
        "paradigms": len({p.paradigm for p in pairs}),
        "models": {name: measure(name, s, pairs) for name, s in scorers.items() if s},
    }
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
