"""Build the embedded model from the corpora: all steps in order.

  prepare -> tokenizer -> pretrain -> chat -> export_onnx --check -> evaluate -> blimp
          -> measure-samples.mjs -> card

Input:   --shared DIR with corpora/, models/stories260k, eval/blimp and datasets/chatterbot
         (default: ../shared/data beside the repository).
Output:  WORK/{data,tok,pretrained,chat,evaluation.json,blimp.json,samples.json} and the exported
         folder (public/models/tabtune-tiny) with its card.

Run:  pip install -r scripts/model/requirements.txt
      python scripts/model/build.py --work DIR [--shared DIR] [--from STEP] [--to STEP]

About two and a half hours on two CPU cores; minutes of that remain with a CUDA device, where more
minutes or steps buy a better model. With OMP_WAIT_POLICY=PASSIVE, set here, the training steps stay
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
STEPS = ["prepare", "tokenizer", "pretrain", "chat", "export_onnx", "evaluate", "blimp", "samples", "card"]


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", type=Path, required=True, help="scratch folder outside the repository")
    ap.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    ap.add_argument("--out", type=Path, default=ROOT / "public" / "models" / "tabtune-tiny")
    ap.add_argument("--from", dest="first", choices=STEPS, default=STEPS[0], help="start at this step")
    ap.add_argument("--to", dest="last", choices=STEPS, default=STEPS[-1], help="end after this step")
    ap.add_argument("--pretrain-minutes", type=float, default=90)
    ap.add_argument("--chat-minutes", type=float, default=30)
    args = ap.parse_args()
    w, shared = args.work, args.shared
    pretrain = ["--max-minutes", args.pretrain_minutes]
    chat = ["--max-minutes", args.chat_minutes]
    baseline = ["--baseline", shared / "models" / "stories260k"]
    measured = ["--model", w / "chat", "--onnx", args.out, *baseline]
    made_with = [f"pretrain.py {' '.join(map(str, pretrain))}", f"chat.py {' '.join(map(str, chat))}"]
    arguments = {
        "prepare": ["--corpora", shared / "corpora", "--out", w / "data"],
        "tokenizer": ["--data", w / "data", "--out", w / "tok"],
        "pretrain": ["--data", w / "data", "--tokenizer", w / "tok", "--out", w / "pretrained", *pretrain],
        "chat": [
            *("--data", w / "data", "--model", w / "pretrained", "--out", w / "chat"),
            *("--chatterbot", shared / "datasets/chatterbot/chatterbot_corpus/data/english", *chat),
        ],
        "export_onnx": [w / "chat", args.out, "--check"],
        "evaluate": ["--data", w / "data", *measured, "--samples", "--json", w / "evaluation.json"],
        "blimp": [shared / "eval" / "blimp" / "BLiMP.zip", *measured, "--json", w / "blimp.json"],
        "samples": ["--json", w / "samples.json"],
        "card": [
            *("--model", w / "chat", "--data", w / "data", "--evaluation", w / "evaluation.json"),
            *("--blimp", w / "blimp.json", "--sample-runs", w / "samples.json"),
            *(part for line in made_with for part in ("--made-with", line)),
        ],
    }
    env = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONDONTWRITEBYTECODE": "1", **os.environ}
    for step in STEPS[STEPS.index(args.first) : STEPS.index(args.last) + 1]:
        script = ["node", HERE / "measure-samples.mjs"] if step == "samples" else [sys.executable, HERE / f"{step}.py"]
        command = [str(part) for part in [*script, *arguments[step]]]
        print("+", " ".join(command), flush=True)
        subprocess.run(command, check=True, env=env)


if __name__ == "__main__":
    main()
