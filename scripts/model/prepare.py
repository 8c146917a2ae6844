"""Turn the corpora into training and held-out text, split by document before anything else.

Input:   --corpora DIR with the folders tinystories, storybooks, fairytaleqa, taskmaster, tatoeba
         and common-voice-text (documents in .txt.xz files separated by lines "<|endoftext|>";
         one sentence a line in the last two).
Output:  OUT/train/SOURCE.jsonl and OUT/heldout/SOURCE.jsonl, one {"text": ...} a line
         (fairytaleqa lines also carry "questions"), and OUT/stats.json.

Exact and near duplicates (same first 160 letters) are dropped first, so that no document is in both
parts. A document is held out when a hash of its text falls in the lowest 2 percent (5 percent for
the small story sources). Neighbouring sentences of the two sentence lists are often variants of each
other, so those lists are split in runs of 50 lines.

Run:  python scripts/model/prepare.py --corpora ../shared/data/corpora --out DIR
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import re
from pathlib import Path

SEPARATOR = "<|endoftext|>"
DEFAULT_CORPORA = Path(__file__).resolve().parents[3] / "shared" / "data" / "corpora"
SOURCES = {
    "tinystories": (["tinystories/tinystories-subset.txt.xz"], 5),
    "storybooks": (["storybooks/african-storybook-en.txt.xz", "storybooks/pratham-books-en.txt.xz"], 5),
    "fairytaleqa": (["fairytaleqa/fairytaleqa-stories.txt.xz"], 5),
    "taskmaster": (["taskmaster/taskmaster4-dialogues.txt.xz"], 2),
    "tatoeba": (["tatoeba/tatoeba-en-sentences.txt.xz"], 2),
    "common-voice": (["common-voice-text/common-voice-en-sentences.txt.xz"], 2),
}
SENTENCE_LISTS = ("tatoeba", "common-voice")
RUN = 50
REPLACE = [
    ("â€œ", '"'), ("â€™", "'"), ("â€˜", "'"), ("â€¦", "..."), ("â€”", " - "), ("â€“", "-"), ("â€", '"'),
    ("“", '"'), ("”", '"'), ("’", "'"), ("‘", "'"), ("…", "..."), ("—", " - "), ("–", "-"),
    ("\u00a0", " "), ("\u2060", ""), ("\u00ad", ""), ("\ufeff", ""), ("\r", ""),
]  # fmt: skip


def clean(text: str) -> str:
    for a, b in REPLACE:
        text = text.replace(a, b)
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" *\n *", "\n", text)
    return re.sub(r"\n{2,}", "\n", text).strip()


def held_out(text: str, percent: float) -> bool:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 10000 < percent * 100


def near_key(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())[:160]


def read_xz(path: Path) -> str:
    with lzma.open(path, "rt", encoding="utf-8") as f:
        return f.read()


def fairytale_questions(path: Path) -> dict[str, list[dict]]:
    stories: dict[str, list[dict]] = {}
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        pair = {"question": clean(row["question"]), "answer": clean(row["answer"])}
        stories.setdefault(row["story"], []).append(pair)
    return stories


def documents(source: str, files: list[str], corpora: Path) -> list[dict]:
    """[{"text", "unit"}]: the split is made on "unit"."""
    rows = []
    for file in files:
        text = read_xz(corpora / file)
        if source in SENTENCE_LISTS:
            lines = [clean(line) for line in text.split("\n")]
            for at in range(0, len(lines), RUN):
                unit = "\n".join(lines[at : at + RUN])
                rows += [{"text": line, "unit": unit} for line in lines[at : at + RUN] if line]
        else:
            rows += [{"text": t, "unit": t} for t in map(clean, re.split(rf"^{re.escape(SEPARATOR)}$", text, flags=re.M)) if t]
    if source == "fairytaleqa":
        # The questions come in the order of the stories; attach them so that both are split together.
        groups = list(fairytale_questions(corpora / "fairytaleqa/fairytaleqa-qa.jsonl").values())
        if len(groups) != len(rows):
            raise SystemExit(f"{len(groups)} question groups for {len(rows)} stories")
        for row, group in zip(rows, groups):
            row["questions"] = group
    return rows


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    ap.add_argument("--out", type=Path, required=True)
    args = ap.parse_args()
    stats = {}
    seen: set[str] = set()
    for source, (files, percent) in SOURCES.items():
        parts: dict[str, list[dict]] = {"train": [], "heldout": []}
        dropped = 0
        for row in documents(source, files, args.corpora):
            key = near_key(row["text"]) or row["text"]
            if key in seen:
                dropped += 1
                continue
            seen.add(key)
            unit = row.pop("unit")
            parts["heldout" if held_out(unit, percent) else "train"].append(row)
        stats[source] = {"dropped": dropped}
        for part, rows in parts.items():
            path = args.out / part / f"{source}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
            stats[source][part] = {"documents": len(rows), "bytes": sum(len(r["text"].encode()) for r in rows)}
        print(source, stats[source])
    (args.out / "stats.json").write_text(json.dumps(stats, indent=2) + "\n")


if __name__ == "__main__":
    main()
