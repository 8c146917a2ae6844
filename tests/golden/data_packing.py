"""Makes data-packing.json: row lengths and the bins that TRL's "bfd" packing puts the rows into.

Run:  .cache/python/bin/python tests/golden/data_packing.py     (a few seconds; TRL 1.13.0)
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import datasets
from trl import pack_dataset

HERE = Path(__file__).resolve().parent


def bins_of(lengths: list[int], max_length: int) -> list[list[int]]:
    """Every token of row i is i, so the packed rows tell which rows they hold."""
    rows = datasets.Dataset.from_dict({"input_ids": [[row] * length for row, length in enumerate(lengths)]})
    bins = []
    for packed in pack_dataset(rows, max_length, "bfd"):
        start, members = 0, []
        for length in packed["seq_lengths"]:
            members.append(packed["input_ids"][start])
            start += length
        bins.append(members)
    return bins


def random_lengths(rng: random.Random, rows: int, max_length: int) -> list[int]:
    kind = rng.randrange(4)
    if kind == 0:  # any length, empty and over-long rows included
        return [rng.randint(0, max_length + max_length // 4) for _ in range(rows)]
    if kind == 1:  # many equal lengths
        choices = [rng.randint(1, max_length) for _ in range(3)]
        return [rng.choice(choices) for _ in range(rows)]
    if kind == 2:  # mostly short
        return [min(max_length, 1 + int(rng.expovariate(6 / max_length))) for _ in range(rows)]
    return [rng.randint(1, max(1, max_length // 2)) for _ in range(rows)]


def main() -> None:
    datasets.disable_progress_bars()
    rng = random.Random(7)
    cases = []
    shapes = [(rng.randint(1, 60), rng.choice([2, 7, 16, 64, 100, 512])) for _ in range(200)]
    # Beyond 1000 rows TRL packs group by group.
    for rows, max_length in [*shapes, (1000, 64), (1001, 32), (2300, 48)]:
        lengths = random_lengths(rng, rows, max_length)
        if sum(lengths) == 0:
            lengths[0] = 1
        cases.append({"maxLength": max_length, "lengths": lengths, "bins": bins_of(lengths, max_length)})
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "data-packing.json").write_text(f"[\n{text}\n]\n", "utf-8")
    print(f"{len(cases)} cases, {sum(len(case['lengths']) for case in cases)} rows")


if __name__ == "__main__":
    main()
