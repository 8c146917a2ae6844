"""Build the embedded model from the corpora: all steps in order.

  prepare.py -> tokenizer.py -> pretrain.py -> chat.py -> export_onnx.py --check -> evaluate.py

Input:   --corpora DIR (default: ../shared/data/corpora beside the repository).
Output:  WORK/{data,tok,pretrained,chat,evaluation.json} and the exported folder
         (default public/models/tabtune-tiny; its README.md is written by hand).

Run:  pip install -r scripts/model/requirements.txt
      python scripts/model/build.py --work DIR [--corpora DIR] [--from STEP]

One hour or less on two CPU cores. With OMP_WAIT_POLICY=PASSIVE, set here, the training steps stay
usable on a machine that runs other programs too. A run that --max-minutes cuts short depends on the
speed of the machine; otherwise the same inputs and package versions give the same text split and
tokenizer, and weights equal up to rounding.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
STEPS = ["prepare", "tokenizer", "pretrain", "chat", "export_onnx", "evaluate"]


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", type=Path, required=True, help="scratch folder outside the repository")
    ap.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "data" / "corpora")
    ap.add_argument("--out", type=Path, default=ROOT / "public" / "models" / "tabtune-tiny")
    ap.add_argument("--from", dest="first", choices=STEPS, default=STEPS[0], help="start at this step")
    ap.add_argument("--pretrain-minutes", type=float, default=60)
    args = ap.parse_args()
    w = args.work
    arguments = {
        "prepare": ["--corpora", args.corpora, "--out", w / "data"],
        "tokenizer": ["--data", w / "data", "--out", w / "tok"],
        "pretrain": ["--data", w / "data", "--tokenizer", w / "tok", "--out", w / "pretrained", "--max-minutes", args.pretrain_minutes],
        "chat": ["--data", w / "data", "--model", w / "pretrained", "--out", w / "chat"],
        "export_onnx": [w / "chat", args.out, "--check"],
        "evaluate": ["--data", w / "data", "--model", w / "chat", "--onnx", args.out, "--samples", "--json", w / "evaluation.json"],
    }
    env = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONDONTWRITEBYTECODE": "1", **os.environ}
    for step in STEPS[STEPS.index(args.first) :]:
        command = [sys.executable, str(HERE / f"{step}.py"), *map(str, arguments[step])]
        print("+", " ".join(command), flush=True)
        subprocess.run(command, check=True, env=env)


if __name__ == "__main__":
    main()
