"""Pretrain the tiny Llama on the training text.

Input:   DATA of prepare.py, TOK of tokenizer.py.
Output:  a Hugging Face folder (config.json, model.safetensors, tokenizer files, training.json).

Architecture: LlamaForCausalLM, hidden 192, 4 layers, 6 heads, 3 key/value heads of 32, MLP 512,
vocabulary 2,048, tied embeddings, context 512. Documents are packed into rows of 256 tokens for the
first 60 percent of the steps and 512 tokens after that (same tokens a step). The learning rate
follows the steps, or the clock when --max-minutes runs out first, so a run always ends cooled down.

Run:  python scripts/model/pretrain.py --data DATA --tokenizer TOK --out DIR [--steps 4000]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from training import fit, load_tokenizer, new_model, save, stream

# how often each source is read in one pass over the mixture
WEIGHTS = {
    "tinystories": 3.0,
    "storybooks": 2.0,
    "fairytaleqa": 1.0,
    "taskmaster": 0.3,
    "tatoeba": 0.5,
    "common-voice": 0.5,
}


def batches(tokens: np.ndarray, steps: int, per_step: int, rng: np.random.Generator):
    at, shift = 0, 0
    for step in range(steps):
        length = 256 if step < 0.6 * steps else 512
        if at + per_step > len(tokens):
            shift = int(rng.integers(0, 256))
            at = shift
        ids = torch.from_numpy(tokens[at : at + per_step].astype(np.int64)).view(-1, length)
        at += per_step
        yield ids, ids


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--tokenizer", type=Path, required=True)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--steps", type=int, default=4000)
    ap.add_argument("--tokens-per-step", type=int, default=2048)
    ap.add_argument("--lr", type=float, default=3e-3, help="embeddings and norms (AdamW)")
    ap.add_argument("--muon-lr", type=float, default=0.015, help="linear layers (Muon)")
    ap.add_argument("--max-minutes", type=float, default=60)
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
    info = fit(
        model,
        batches(tokens, args.steps, args.tokens_per_step, rng),
        args.steps,
        args.lr,
        args.muon_lr,
        args.max_minutes,
        log=lambda s: print(s, flush=True),
    )
    info = {"parameters": parameters, "mixture_tokens": len(tokens), "weights": WEIGHTS, "pretrain": info}
    save(model, args.out, args.tokenizer, info)
    print(info)


if __name__ == "__main__":
    main()
