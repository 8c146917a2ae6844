"""Makes llama-tied/, llama-untied/ and llama-int4/: models, adapters, logits, losses, gradients, training runs.

Run:  .cache/python/bin/python tests/golden/llama.py [--no-training]   (see README.md; about a minute)

The runs in training/ are TRL's own float32 run; all other numbers are float64 (reference.py).
"""

from __future__ import annotations

import argparse

import torch

from llama_models import SPECS
from reference import write_folder

SCRIPT = "tests/golden/llama.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--no-training", action="store_true", help="leave the training runs as they are")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for spec in SPECS:
        write_folder(spec, SCRIPT)
    if not args.no_training:
        from llama_training import write_runs

        write_runs()


if __name__ == "__main__":
    main()
