"""Pretrain the tiny Llama on the training text.

Input:   DATA of prepare.py, TOK of tokenizer.py.
Output:  a Hugging Face folder (config.json, model.safetensors, tokenizer files, training.json).

Architecture: LlamaForCausalLM, hidden 256, 4 layers, 8 heads, 4 key/value heads of 32, MLP 704,
vocabulary 4,096, tied embeddings, context 512 (training.py). Documents are packed into rows of 256
tokens for the first 60 percent of the run and 512 tokens after that (same tokens a step). Progress is
that of the steps or of the clock (--max-minutes), whichever is ahead, so a run always ends with its
learning rate cooled down. A CUDA device is used where there is one.

Run:  python scripts/model/pretrain.py --data DATA --tokenizer TOK --out DIR [--steps 12000]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from training import Progress, device, fit, load_tokenizer, new_model, save, stream

# how often each source is read in one pass over the mixture
WEIGHTS = {
    "tinystories": 5.0,
    "storybooks": 5.0,
    "fairytaleqa": 3.0,
    "taskmaster": 2.0,
    "tatoeba": 2.5,
    "common-voice": 1.5,
    "classic-books": 0.8,
}


def batches(tokens: np.ndarray, per_step: int, rng: np.random.Generator, progress: Progress):
    """Endless; the rows get longer when `progress` passes 60 percent."""
    at = 0
    while True:
        length = 256 if progress.value < 0.6 else 512
        if at + per_step > len(tokens):
            at = int(rng.integers(0, 256))
        ids = torch.from_numpy(tokens[at : at + per_step].astype(np.int64)).view(-1, length)
        at += per_step
        yield ids, ids


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--tokenizer", type=Path, required=True)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--steps", type=int, default=12000)
    ap.add_argument("--tokens-per-step", type=int, default=4096)
    ap.add_argument("--lr", type=float, default=3e-3, help="embeddings and norms (AdamW)")
    ap.add_argument("--muon-lr", type=float, default=0.02, help="linear layers (Muon)")
    ap.add_argument("--max-minutes", type=float, default=90)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(args.seed)
    tok = load_tokenizer(args.tokenizer)
    tokens = stream(tok, args.data, WEIGHTS, rng)
    model = new_model(args.seed)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters:,} parameters, {len(tokens):,} tokens in one pass of the mixture", flush=True)
    progress = Progress(args.steps, args.max_minutes)
    info = fit(
        model.to(device()),
        batches(tokens, args.tokens_per_step, rng, progress),
        progress,
        args.lr,
        args.muon_lr,
        log=lambda s: print(s, flush=True),
    )
    info = {"parameters": parameters, "mixture_tokens": len(tokens), "weights": WEIGHTS, "pretrain": info}
    save(model, args.out, args.tokenizer, info)
    print(info)


if __name__ == "__main__":
    main()
