"""Makes mistral/, qwen2/, qwen3/, gemma3/, gpt2/, gpt-neox/, gpt-neox-serial/, phi3/, phi3-partial/, llama3-rope/,
llama-linear-rope/ and llama-yarn/: one tiny random model of each architecture, an adapter, logits, loss and gradients.

Run:  .cache/python/bin/python tests/golden/architectures.py [name …]   (see README.md; without names all)

One file per family has the models; reference.py computes in float64.
"""

from __future__ import annotations

import sys

import torch

import gemma3
import gpt2
import gpt_neox
import llama_rope
import mistral
import phi3
import qwen
from reference import assert_telling, write_folder

SCRIPT = "tests/golden/architectures.py"
SPECS = [spec for family in (mistral, qwen, gemma3, gpt2, gpt_neox, phi3, llama_rope) for spec in family.SPECS]
LARGEST = 200_000


def main() -> None:
    names = sys.argv[1:] or [spec.name for spec in SPECS]
    assert set(names) <= {spec.name for spec in SPECS}, names
    torch.set_num_threads(1)
    for spec in SPECS:
        if spec.name not in names:
            continue
        write_folder(spec, SCRIPT)
        assert_telling(spec)
        size = sum(path.stat().st_size for path in spec.folder.rglob("*") if path.is_file())
        print(f"  {size / 1000:.0f} kB")
        assert size < LARGEST


if __name__ == "__main__":
    main()
