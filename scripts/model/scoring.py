"""Log-probabilities of texts under a PyTorch checkpoint, a 4-bit ONNX file or stories260K, in batches.

Used by evaluate.py and blimp.py; not run on its own. Every text stands alone after the model's start
token. Rows are sorted by length and padded at the right, which a causal model does not see.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

import stories260k
from export_onnx import OrtDecoder
from training import EOT, load_tokenizer

CONTEXT = 512
disable_progress_bar()


@dataclass(frozen=True)
class Scorer:
    """`encode` puts the start token first; `logits` maps ids [batch, n] to f32 [batch, n, vocab]."""

    encode: Callable[[str], list[int]]
    logits: Callable[[torch.Tensor], torch.Tensor]


def checkpoint(folder: Path) -> Scorer:
    tok = load_tokenizer(folder)
    model = LlamaForCausalLM.from_pretrained(folder).float().eval()
    return Scorer(lambda text: [EOT] + tok.encode(text).ids, lambda ids: model(ids, use_cache=False).logits)


def onnx_file(folder: Path, threads: int) -> Scorer:
    tok = load_tokenizer(folder)
    decoder = OrtDecoder(folder, threads)
    return Scorer(lambda text: [EOT] + tok.encode(text).ids, lambda ids: torch.from_numpy(decoder(ids.numpy())[0]))


def baseline(folder: Path) -> Scorer:
    """stories260K, checked against its expected text."""
    model, tok = stories260k.load(folder)
    return Scorer(tok.encode, lambda ids: model(ids, use_cache=False).logits)


def file_hashes(model: Path | None, exported: Path | None) -> dict[str, str]:
    """SHA-256 of the weight files that were measured, so that a card cannot speak of other ones."""
    files = [model and model / "model.safetensors", exported and exported / "onnx" / "model_q4.onnx"]
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f}


@torch.no_grad()
def log_probs(scorer: Scorer, rows: list[list[int]], batch_tokens: int = 1024) -> list[np.ndarray]:
    """Per row the natural log-probabilities f64 [n - 1] of rows[i][1:]; at most `batch_tokens` ids a batch."""
    out: list[np.ndarray] = [np.zeros(0)] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    while order:
        width = len(rows[order[-1]])
        take = order[-max(1, batch_tokens // width) :]
        del order[-len(take) :]
        ids = torch.tensor([rows[i] + [0] * (width - len(rows[i])) for i in take])
        logits = scorer.logits(ids)[:, :-1]
        picked = logits.gather(2, ids[:, 1:, None])[..., 0] - logits.logsumexp(-1)
        for i, row in zip(take, picked.double().numpy()):
            out[i] = row[: len(rows[i]) - 1]
    return out


def bits(scorer: Scorer, texts: list[str], context: int = CONTEXT) -> float:
    """-log2 p of the texts in all. A text longer than `context` tokens is scored in windows that overlap
    by half; each token counts once."""
    windows: list[list[int]] = []
    fresh: list[int] = []
    for text in texts:
        ids = scorer.encode(text)
        scored = 1
        while scored < len(ids):
            begin = 0 if scored == 1 else max(0, scored - context // 2)
            windows.append(ids[begin : begin + context])
            fresh.append(begin + len(windows[-1]) - scored)
            scored += fresh[-1]
    nats = -sum(float(p[-n:].sum()) for p, n in zip(log_probs(scorer, windows), fresh))
    return nats / math.log(2)
