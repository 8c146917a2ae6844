"""The float64 reference of one golden model: rows, logits, loss and gradients, written and held against float32.

The stored numbers are float64 results of transformers + PEFT rounded to float32 once. Every agreement that README.md
claims for them is asserted here.
"""

from __future__ import annotations

import torch
from safetensors.torch import save_file
from transformers import AutoConfig

from double import in_double, only_double
from llama_loop import Row, accumulate, adapter_parameters, counted, logits_of
from model_folders import Spec, load_base, load_tuned, write_adapter, write_json, write_model


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
    model.eval()
    with torch.no_grad():
        tuned = torch.cat([logits_of(model, row) for row in rows])
        with model.disable_adapter():
            base = torch.cat([logits_of(model, row) for row in rows])
    loss = accumulate(model, rows)
    return {"base": base, "tuned": tuned}, loss, {n: p.grad for n, p in adapter_parameters(model).items()}


def write_reference(spec: Spec, script: str) -> None:
    rows = make_rows(spec)
    plain_logits, plain_loss, plain_grads = evaluate(load_tuned(spec, spec.folder / "adapter"), rows)
    exact = load_tuned(spec, spec.folder / "adapter").double()
    with in_double(), only_double():
        logits, loss, grads = evaluate(exact, rows)

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
    assert all(any(f".{t}." in name for name in grads) for t in spec.targets)

    save_file({k: v.float().contiguous() for k, v in logits.items()}, spec.folder / "logits.safetensors")
    save_file({k: v.float().contiguous() for k, v in grads.items()}, spec.folder / "gradients.safetensors")
    write_json(spec.folder / "reference.json", {
        "script": script, "rows": rows, "countedTokens": sum(map(counted, rows)), "loss": loss, "float32Noise": noise,
    })


def write_folder(spec: Spec, script: str) -> None:
    spec.folder.mkdir(exist_ok=True)
    write_model(spec)
    write_adapter(spec, spec.folder / "adapter", spec.seed + 10, b_std=0.05)
    write_reference(spec, script)


@torch.no_grad()
def assert_telling(spec: Spec) -> None:
    """A bias or norm left at its default, or a config misread, moves the logits by ten times what a test tolerates."""
    rows = make_rows(spec)

    def logits(model) -> torch.Tensor:
        return torch.cat([logits_of(model, row) for row in rows])

    model = load_base(spec)
    right = logits(model)
    moved: dict[str, float] = {}
    for name, p in model.named_parameters():
        if p.dim() == 1:
            saved = p.clone()
            p.fill_(spec.norm_centre if name.endswith("weight") else 0.0)
            moved[name] = relative(logits(model), right)
            p.copy_(saved)
    config = AutoConfig.from_pretrained(spec.folder / "model")
    for name, change in (spec.mistakes or {}).items():
        wrong = type(config)(**(config.to_dict() | change))
        moved[name] = relative(logits(load_base(spec, wrong)), right)
    least = min(moved, key=moved.__getitem__)
    print(f"  {len(moved)} mistakes: {least} moves the logits least, by {moved[least]:.1e};",
          ", ".join(f"{name} {moved[name]:.1e}" for name in spec.mistakes or {}))
    assert moved[least] > 1e-4
