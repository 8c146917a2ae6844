"""Shared parts of pretrain.py and chat.py: architecture, tokenizer, optimizers, loop.

Not run on its own.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

EOT, IM_START, IM_END = 0, 1, 2
IGNORE = -100


def load_tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def new_model(seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=4096,
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=32,
        intermediate_size=704,
        max_position_embeddings=512,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        bos_token_id=EOT,
        eos_token_id=IM_END,
        pad_token_id=EOT,
    )
    return LlamaForCausalLM(config)


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalized (quintic Newton-Schulz), for the 2-D hidden weights."""

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.05) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buf = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buf.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(buf, group["momentum"])
                tall = g.shape[0] > g.shape[1]
                x = g.T if tall else g
                x = x / (x.norm() + 1e-7)
                for _ in range(5):
                    a = x @ x.T
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                update = x.T if tall else x
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * max(1.0, p.shape[0] / p.shape[1]) ** 0.5)


def optimizers(model, lr: float, muon_lr: float) -> list[torch.optim.Optimizer]:
    hidden = [p for n, p in model.named_parameters() if n.endswith("_proj.weight")]
    ids = {id(p) for p in hidden}
    rest = [p for p in model.parameters() if id(p) not in ids]
    return [
        Muon(hidden, lr=muon_lr),
        torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def schedule(progress: float, warmup: float = 0.02, cooldown: float = 0.5) -> float:
    """Factor on the learning rate: short warm-up, flat, then linear to zero."""
    if progress < warmup:
        return progress / warmup + 1e-3
    return min(1.0, max(0.0, (1 - progress) / cooldown))


class Progress:
    """How much of a run is done, 0 to 1: of its steps or of its time, whichever is ahead."""

    def __init__(self, steps: int, minutes: float) -> None:
        self.steps, self.minutes, self.step, self.start = steps, minutes, 0, time.time()

    @property
    def value(self) -> float:
        return min(1.0, max(self.step / self.steps, (time.time() - self.start) / (60 * self.minutes)))


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fit(model, batches, progress: Progress, lr: float, muon_lr: float, cooldown: float = 0.5, log=print) -> dict:
    """Train on batches of (ids, labels) until `progress` is whole. bf16 activations on CUDA, f32 on the CPU."""
    opts = optimizers(model, lr, muon_lr)
    base = [[g["lr"] for g in o.param_groups] for o in opts]
    on = next(model.parameters()).device
    model.train()
    tokens, average = 0, None
    for ids, labels in batches:
        done = progress.value
        if done >= 1:
            break
        progress.step += 1
        factor = schedule(done, cooldown=cooldown)
        for o, lrs in zip(opts, base):
            for g, rate in zip(o.param_groups, lrs):
                g["lr"] = rate * factor
        with torch.autocast(on.type, torch.bfloat16, enabled=on.type == "cuda"):
            logits = model(ids.to(on), use_cache=False).logits
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten().to(on), ignore_index=IGNORE)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        tokens += ids.numel()
        value = loss.item()
        average = value if average is None else 0.97 * average + 0.03 * value
        if progress.step % 50 == 1:
            spent = time.time() - progress.start
            log(f"step {progress.step} ({done:.1%}) loss {average:.3f} tokens {tokens:,} {tokens / spent:,.0f} tok/s {spent / 60:.1f} min")
    minutes = round((time.time() - progress.start) / 60, 2)
    model.cpu()
    return {"steps": progress.step, "tokens": tokens, "minutes": minutes, "last_loss": round(average, 4)}


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def stream(tok: Tokenizer, data: Path, weights: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """One long array of tokens: every document (as often as its weight says) after an <|endoftext|>."""
    docs: list[np.ndarray] = []
    for source, weight in weights.items():
        texts = [r["text"] for r in read_rows(data / "train" / f"{source}.jsonl")]
        encoded = [np.array([EOT] + e.ids, np.int32) for e in tok.encode_batch(texts)]
        whole, part = int(weight), weight - int(weight)
        docs += encoded * whole
        docs += [encoded[i] for i in rng.permutation(len(encoded))[: round(part * len(encoded))]]
    order = rng.permutation(len(docs))
    return np.concatenate([docs[i] for i in order])


def save(model, folder: Path, tok_folder: Path, info: dict) -> None:
    """Checkpoint in Hugging Face layout with the tokenizer beside it and what it was trained on."""
    model.eval()
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tok_folder / name).read_bytes())
    gen = {"bos_token_id": EOT, "eos_token_id": [IM_END, EOT], "pad_token_id": EOT, "max_length": 512}
    (folder / "generation_config.json").write_text(json.dumps(gen, indent=2) + "\n")
    (folder / "training.json").write_text(json.dumps(info, indent=2) + "\n")
