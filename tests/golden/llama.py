"""Makes llama-tied/, llama-untied/ and llama-int4/: models, adapters, logits, losses, gradients, training runs.

Run:  .cache/python/bin/python tests/golden/llama.py [--no-training]   (see README.md; about a minute)

The stored numbers are float64 results of transformers + PEFT rounded to float32, except the runs in
training/, which are TRL's own float32 run. Every agreement that README.md claims is asserted here.
"""

from __future__ import annotations

import argparse

import torch
from safetensors.torch import save_file

from llama_loop import Row, accumulate, adapter_parameters, counted, logits_of
from llama_models import SPECS, Spec, in_double, load_tuned, write_adapter, write_json, write_model

SCRIPT = "tests/golden/llama.py"


def make_rows(spec: Spec) -> list[Row]:
    """Random tokens. Short rows count every token; longer ones have a prompt and a hole in their labels."""
    g = torch.Generator().manual_seed(spec.seed + 50)
    rows = []
    for length in spec.lengths:
        ids = torch.randint(0, spec.config["vocab_size"], (length,), generator=g).tolist()
        labels = list(ids)
        if length > 10:
            labels[: length // 4] = [-100] * (length // 4)
            labels[length // 2 : length // 2 + 5] = [-100] * 5
        rows.append({"input_ids": ids, "labels": labels})
    return rows


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() - b.double()).norm() / b.double().norm())


def evaluate(model, rows: list[Row]) -> tuple[dict[str, torch.Tensor], float, dict[str, torch.Tensor]]:
    with torch.no_grad():
        tuned = torch.cat([logits_of(model, row) for row in rows])
        with model.disable_adapter():
            base = torch.cat([logits_of(model, row) for row in rows])
    loss = accumulate(model, rows)
    return {"base": base, "tuned": tuned}, loss, {n: p.grad for n, p in adapter_parameters(model).items()}


def write_reference(spec: Spec) -> None:
    rows = make_rows(spec)
    plain_logits, plain_loss, plain_grads = evaluate(load_tuned(spec, spec.folder / "adapter"), rows)
    with in_double():
        logits, loss, grads = evaluate(load_tuned(spec, spec.folder / "adapter").double(), rows)
    assert all(t.dtype == torch.float64 for t in [*logits.values(), *grads.values()])

    noise = {
        "logits": max(relative(plain_logits[k], logits[k]) for k in logits),
        "loss": abs(plain_loss - loss) / loss,
        "gradients": max(relative(plain_grads[k], grads[k]) for k in grads),
    }
    effect = relative(logits["tuned"], logits["base"])
    print(f"{spec.name}: loss {loss:.6f}, adapter moves logits by {effect:.3f}, float32 noise",
          ", ".join(f"{k} {v:.1e}" for k, v in noise.items()))
    assert noise["logits"] < 2e-6 and noise["loss"] < 1e-6 and noise["gradients"] < 1e-5
    assert effect > 0.01 and logits["base"].std() > 0.5
    assert all(g.norm() > 0 for g in grads.values())

    save_file({k: v.float().contiguous() for k, v in logits.items()}, spec.folder / "logits.safetensors")
    save_file({k: v.float().contiguous() for k, v in grads.items()}, spec.folder / "gradients.safetensors")
    write_json(spec.folder / "reference.json", {
        "script": SCRIPT, "rows": rows, "countedTokens": sum(map(counted, rows)), "loss": loss, "float32Noise": noise,
    })


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--no-training", action="store_true", help="leave the training runs as they are")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for spec in SPECS:
        spec.folder.mkdir(exist_ok=True)
        write_model(spec)
        write_adapter(spec, spec.folder / "adapter", spec.seed + 10, b_std=0.05)
        write_reference(spec)
    if not args.no_training:
        from llama_training import write_runs

        write_runs()


if __name__ == "__main__":
    main()
