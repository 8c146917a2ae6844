"""Makes data-steps.json: the rows of every micro-batch of every optimizer step, as transformers' Trainer visits them.

Run:  .cache/python/bin/python tests/golden/data_steps.py     (a minute; transformers 5.18.0)
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

HERE = Path(__file__).resolve().parent


class Recorder(torch.nn.Module):
    """Notes the rows that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[list[int]] = []

    def forward(self, row: torch.Tensor) -> dict[str, torch.Tensor]:
        self.seen.append(row.tolist())
        return {"loss": self.weight.sum()}


class Steps(TrainerCallback):
    """Cuts what the model saw into optimizer steps."""

    def __init__(self, model: Recorder) -> None:
        self.model = model
        self.steps: list[dict] = []

    def on_step_end(self, args, state, control, **kwargs) -> None:
        self.steps.append({"epoch": state.epoch, "microBatches": self.model.seen})
        self.model.seen = []


def run(rows: int, batch_size: int, accumulation: int, epochs: float, steps: int | None) -> list[dict]:
    model = Recorder()
    recorder = Steps(model)
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=accumulation,
            num_train_epochs=epochs,
            max_steps=-1 if steps is None else steps,
            train_sampling_strategy="sequential",
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
        )
        data = [{"row": row} for row in range(rows)]
        Trainer(model=model, args=args, train_dataset=data, callbacks=[recorder]).train()
    return recorder.steps


CASES = [
    (10, 1, 8, 1, None),
    (10, 2, 4, 1, None),
    (10, 8, 1, 1, None),
    (10, 3, 2, 2, None),
    (10, 4, 4, 3, None),
    (7, 2, 2, 1.5, None),
    (7, 1, 1, 0.3, None),
    (12, 2, 3, 2.01, None),
    (5, 8, 4, 2, None),
    (1, 1, 1, 3, None),
    (9, 2, 2, 3, 4),
    (9, 2, 2, 1, 7),
    (20, 3, 2, 1, 1),
]


def main() -> None:
    names = ("rows", "batchSize", "gradientAccumulation", "epochs", "steps")
    cases = [dict(zip(names, case, strict=True)) | {"expected": run(*case)} for case in CASES]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "data-steps.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    print(f"{len(cases)} runs, {sum(len(case['expected']) for case in cases)} steps")


if __name__ == "__main__":
    main()
