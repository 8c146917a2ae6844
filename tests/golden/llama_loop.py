"""The arithmetic of one TRL/PEFT fine-tuning run, written out without Trainer, accelerate or torch.optim.

Every row runs alone, so nothing here pads or packs: a packed bin is, by definition, its rows run alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F

Row = dict[str, list[int]]


def counted(row: Row) -> int:
    """Labels that carry loss: label t is predicted from token t − 1, so label 0 never counts."""
    return sum(label != -100 for label in row["labels"][1:])


def logits_of(model: torch.nn.Module, row: Row) -> torch.Tensor:
    """[tokens, vocabulary]"""
    return model(input_ids=torch.tensor([row["input_ids"]]), use_cache=False).logits[0]


def summed_loss(model: torch.nn.Module, row: Row) -> torch.Tensor:
    return F.cross_entropy(logits_of(model, row)[:-1], torch.tensor(row["labels"][1:]), ignore_index=-100, reduction="sum")


def adapter_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """PEFT's file names → parameters."""
    return {n.replace(".default.", "."): p for n, p in model.named_parameters() if ".lora_" in n}


def accumulate(model: torch.nn.Module, rows: Iterable[Row]) -> float:
    """Adds the gradients of Σ CE / N over all `rows`; returns that loss."""
    rows = list(rows)
    n = sum(map(counted, rows))
    total = 0.0
    for row in rows:
        loss = summed_loss(model, row) / n
        loss.backward()
        total += loss.item()
    return total


def schedule(kind: str, k: int, warmup: int, steps: int) -> float:
    """The factor on the learning rate after `k` finished steps."""
    if k < warmup:
        return k / warmup
    if kind == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (k - warmup) / (steps - warmup)))
    return {"constant": 1.0, "linear": (steps - k) / (steps - warmup)}[kind]


def epochs(micro_batches: int, accumulation: int, steps: int) -> list[list[int]]:
    """Micro-batch indices of each step; the last step of an epoch takes what is left."""
    plan: list[list[int]] = []
    while len(plan) < steps:
        plan += [list(range(i, min(i + accumulation, micro_batches))) for i in range(0, micro_batches, accumulation)]
    return plan[:steps]


def train(model: torch.nn.Module, rows: list[Row], plan: list[list[int]], recipe: dict) -> list[dict]:
    """One optimizer step per entry of `plan`, which lists the rows of the step. Changes the adapter in place."""
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    params = list(adapter_parameters(model).values())
    m = [torch.zeros_like(p) for p in params]
    v = [torch.zeros_like(p) for p in params]
    log = []
    for k, step in enumerate(plan):
        for p in params:
            p.grad = None
        loss = accumulate(model, (rows[i] for i in step))
        grads = [p.grad for p in params]
        norm = math.sqrt(sum(float(g.double().pow(2).sum()) for g in grads))
        clip = min(1.0, recipe["clip"] / (norm + 1e-6))
        lr = recipe["learningRate"] * schedule(recipe["schedule"], k, recipe["warmupSteps"], len(plan))
        c1, c2 = 1 - beta1 ** (k + 1), 1 - beta2 ** (k + 1)
        with torch.no_grad():
            for p, g, mi, vi in zip(params, grads, m, v):
                g = g * clip
                p.mul_(1 - lr * recipe["weightDecay"])
                mi.mul_(beta1).add_(g, alpha=1 - beta1)
                vi.mul_(beta2).add_(g * g, alpha=1 - beta2)
                p.sub_(lr / c1 * mi / (vi.sqrt() / math.sqrt(c2) + eps))
        log.append({"loss": loss, "gradNorm": norm, "learningRate": lr})
    return log
