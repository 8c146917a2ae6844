"""Turn the corpora into training and held-out text, split by document before anything else.

Input:   --corpora DIR with the folders tinystories, storybooks, fairytaleqa, taskmaster, tatoeba,
         common-voice-text and classic-books (documents in .txt.xz files separated by lines
         "<|endoftext|>"; one sentence a line in tatoeba and common-voice-text).
Output:  OUT/train/SOURCE.jsonl and OUT/heldout/SOURCE.jsonl, one {"text": ...} a line
         (fairytaleqa lines also carry "questions"), and OUT/stats.json.

Exact and near duplicates (same first 160 letters) are dropped first, so that no document is in both
parts. A document is held out when a hash of its text falls in the lowest 2 percent (5 percent for
the small story sources). Neighbouring sentences of the two sentence lists are often variants of each
other, so those lists are split in runs of 50 lines; books are split by book and cut into passages
afterwards. Of the books only the plainest passages stay: those with the largest share of words
among the 6,000 most frequent of the other sources, BOOK_BYTES in all.

Contamination: a held-out document is dropped when over a fifth of its 13-word sequences occur in the
training text of any source; what is left of them is counted in stats.json.

Run:  python scripts/model/prepare.py --corpora ../shared/data/corpora --out DIR
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import re
from collections import Counter
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
    "classic-books": ([f"classic-books/classic-books-fk7-{i}.txt.xz" for i in (1, 2, 3)], 3),
}
PLAIN = ("tinystories", "storybooks", "fairytaleqa", "taskmaster", "tatoeba", "common-voice")
BOOK_BYTES = 26_000_000
PASSAGE = 1600
NEWEST_BOOK = 1929
GRAM = 13
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


def passages(book: str) -> list[str]:
    """A book without its head, cut at paragraph ends into passages of about PASSAGE characters."""
    year = re.search(r"^Year: *(\d{4})", book, flags=re.M)
    if not year or int(year[1]) > NEWEST_BOOK:
        return []
    body = re.sub(r"^(Title|Author|Year):.*$", "", book, flags=re.M)
    out, part = [], ""
    for paragraph in clean(re.sub(r"[_*#]+|-{4,}", "", body)).split("\n"):
        part += paragraph + "\n"
        if len(part) >= PASSAGE:
            out.append(part.strip())
            part = ""
    return out


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


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
            continue
        for document in re.split(rf"^{re.escape(SEPARATOR)}$", text, flags=re.M):
            if source == "classic-books":
                rows += [{"text": passage, "unit": document} for passage in passages(document)]
            elif cleaned := clean(document):
                rows.append({"text": cleaned, "unit": cleaned})
    if source == "fairytaleqa":
        # The questions come in the order of the stories; attach them so that both are split together.
        groups = list(fairytale_questions(corpora / "fairytaleqa/fairytaleqa-qa.jsonl").values())
        if len(groups) != len(rows):
            raise SystemExit(f"{len(groups)} question groups for {len(rows)} stories")
        for row, group in zip(rows, groups):
            row["questions"] = group
    return rows


def plainest(rows: list[dict], common: set[str], limit: int) -> list[dict]:
    """The passages with the largest share of common words, `limit` bytes in all, in their old order."""

    def share(row: dict) -> float:
        found = words(row["text"])
        return sum(w in common for w in found) / max(1, len(found))

    ranked = sorted(range(len(rows)), key=lambda i: -share(rows[i]))
    kept, size = [], 0
    for i in ranked:
        size += len(rows[i]["text"].encode())
        if size > limit:
            break
        kept.append(i)
    return [rows[i] for i in sorted(kept)]


def grams(text: str) -> set[int]:
    found = words(text)
    return {hash(tuple(found[i : i + GRAM])) for i in range(len(found) - GRAM + 1)}


def drop_contaminated(parts: dict[str, dict[str, list[dict]]]) -> dict[str, dict]:
    """Removes held-out documents that the training text contains; counts per source."""
    held = {s: [grams(r["text"]) for r in p["heldout"]] for s, p in parts.items()}
    wanted = set().union(*(g for rows in held.values() for g in rows))
    known: set[int] = set()
    for p in parts.values():
        for row in p["train"]:
            known |= wanted & grams(row["text"])
    counts = {}
    for source, p in parts.items():
        clean_rows = [(r, g) for r, g in zip(p["heldout"], held[source]) if len(g & known) <= 0.2 * len(g)]
        total = sum(len(g) for _, g in clean_rows)
        counts[source] = {
            "contaminated_documents_dropped": len(held[source]) - len(clean_rows),
            "sequences": total,
            "sequences_in_training": sum(len(g & known) for _, g in clean_rows),
        }
        p["heldout"] = [r for r, _ in clean_rows]
    return counts


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--corpora", type=Path, default=DEFAULT_CORPORA)
    ap.add_argument("--out", type=Path, required=True)
    args = ap.parse_args()
    stats: dict[str, dict] = {}
    split: dict[str, dict[str, list[dict]]] = {}
    seen: set[str] = set()
    frequency: Counter[str] = Counter()
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
        if source in PLAIN:
            for row in parts["train"]:
                frequency.update(words(row["text"]))
        else:
            common = {w for w, _ in frequency.most_common(6000)}
            parts = {part: plainest(rows, common, BOOK_BYTES if part == "train" else BOOK_BYTES // 50) for part, rows in parts.items()}
        stats[source] = {"duplicates_dropped": dropped}
        split[source] = parts
    for source, counts in drop_contaminated(split).items():
        stats[source].update(counts)
    for source, parts in split.items():
        for part, rows in parts.items():
            path = args.out / part / f"{source}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
            stats[source][part] = {"documents": len(rows), "bytes": sum(len(r["text"].encode()) for r in rows)}
        print(source, stats[source], flush=True)
    (args.out / "stats.json").write_text(json.dumps(stats, indent=2) + "\n")


if __name__ == "__main__":
    main()
