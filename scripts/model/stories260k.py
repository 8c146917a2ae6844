"""stories260K, the smallest llama2.c model, as a Hugging Face model with its tokenizer: a baseline to measure beside.

Input:   a folder with checkpoint_v1.bin (llama2.c export version 1, f32), tokenizer.bin and
         EXPECTED-greedy-200.txt (200 greedy tokens after <s> as llama2.c prints them).
Output:  none; load() gives (LlamaForCausalLM, Tokenizer) and stops when the model does not reproduce
         the expected text byte for byte, or when encoding that text does not give its tokens back.

llama2.c turns neighbouring pairs in its rotary embedding, Hugging Face the two halves of a head: the
rows of the query and key projections are reordered. The tokenizer starts with <s> and a space, takes
characters (bytes where a character is unknown) and merges the best-scored neighbours until none is left.

Run:  python scripts/model/stories260k.py ../shared/data/models/stories260k
"""

from __future__ import annotations

import argparse
import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

BOS = 1
FIRST_BYTE = 3
MAGIC = 0x616B3432
HEADER = 256


class Tokenizer:
    """The BPE of tokenizer.bin: int32 longest token, then per token f32 score, int32 length, bytes."""

    def __init__(self, path: Path, size: int) -> None:
        data, at = path.read_bytes(), 4
        self.pieces: list[bytes] = []
        self.scores: list[float] = []
        for _ in range(size):
            score, length = struct.unpack_from("<fi", data, at)
            self.pieces.append(data[at + 8 : at + 8 + length])
            self.scores.append(score)
            at += 8 + length
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        if any(b" " in piece[1:] for piece in self.pieces):
            raise SystemExit(f"{path}: a token has a space inside, so words cannot be encoded one by one")
        self.word = lru_cache(maxsize=200_000)(self._word)

    def encode(self, text: str) -> list[int]:
        """<s>, then the tokens of a space and the text. No merge crosses a space, so words are cached."""
        first, *rest = text.split(" ")
        ids = [BOS, *self.word(" " + first)]
        for word in rest:
            ids += self.word(" " + word)
        return ids

    def _word(self, word: str) -> tuple[int, ...]:
        ids: list[int] = []
        for char in word:
            known = self.ids.get(char.encode())
            ids += [b + FIRST_BYTE for b in char.encode()] if known is None else [known]
        while True:
            pairs = [self.ids.get(self.pieces[a] + self.pieces[b]) for a, b in zip(ids, ids[1:])]
            ranked = [(self.scores[new], -at, new) for at, new in enumerate(pairs) if new is not None]
            if not ranked:
                return tuple(ids)
            _, at, new = max(ranked)
            ids[-at : -at + 2] = [new]

    def decode(self, ids: list[int]) -> bytes:
        return b"".join(bytes([i - FIRST_BYTE]) if FIRST_BYTE <= i < FIRST_BYTE + 256 else self.pieces[i] for i in ids)


def _half_split(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head from (pair 0, pair 1, ...) to (first of all pairs, second of all pairs)."""
    out, width = weight.shape
    return weight.reshape(heads, out // heads // 2, 2, width).swapaxes(1, 2).reshape(out, width)


def read_checkpoint(path: Path) -> LlamaForCausalLM:
    data = path.read_bytes()
    magic, version = struct.unpack_from("<Ii", data)
    if (magic, version) != (MAGIC, 1):
        raise SystemExit(f"{path}: not a llama2.c checkpoint of version 1")
    dim, hidden, layers, heads, kv_heads, vocab, context = struct.unpack_from("<7i", data, 8)
    shared = data[36] == 1
    kv = dim // heads * kv_heads
    weights = np.frombuffer(data, "<f4", offset=HEADER)
    at = 0

    def take(*shape: int) -> np.ndarray:
        nonlocal at
        at += (count := int(np.prod(shape)))
        if at > weights.size:
            raise SystemExit(f"{path}: {weights.size} numbers, fewer than its header asks for")
        return weights[at - count : at].reshape(shape)

    state = {}
    for name in ("input_layernorm", "post_attention_layernorm"):
        for i, w in enumerate(take(layers, dim)):
            state[f"model.layers.{i}.{name}.weight"] = w
    state["model.norm.weight"] = take(dim)
    state["model.embed_tokens.weight"] = take(vocab, dim)
    shapes = {
        "self_attn.q_proj": (dim, dim),
        "self_attn.k_proj": (kv, dim),
        "self_attn.v_proj": (kv, dim),
        "self_attn.o_proj": (dim, dim),
        "mlp.gate_proj": (hidden, dim),
        "mlp.down_proj": (dim, hidden),
        "mlp.up_proj": (hidden, dim),
    }
    turned = {"self_attn.q_proj": heads, "self_attn.k_proj": kv_heads}
    for name, shape in shapes.items():
        for i, w in enumerate(take(layers, *shape)):
            state[f"model.layers.{i}.{name}.weight"] = _half_split(w, turned[name]) if name in turned else w
    state["lm_head.weight"] = state["model.embed_tokens.weight"] if shared else take(vocab, dim)
    if at != weights.size:
        raise SystemExit(f"{path}: {weights.size} numbers where {at} are expected")
    config = LlamaConfig(
        vocab_size=vocab,
        hidden_size=dim,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=context,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=shared,
    )
    model = LlamaForCausalLM(config).float().eval()
    model.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in state.items()})
    return model


def greedy(model: LlamaForCausalLM, steps: int) -> list[int]:
    """`steps` tokens after <s>."""
    ids, past, out = torch.tensor([[BOS]]), None, []
    with torch.no_grad():
        for _ in range(steps):
            step = model(ids, past_key_values=past, use_cache=True)
            ids, past = step.logits[:, -1:].argmax(-1), step.past_key_values
            out.append(int(ids))
    return out


def load(folder: Path) -> tuple[LlamaForCausalLM, Tokenizer]:
    """Model and tokenizer, checked against the expected text."""
    model = read_checkpoint(folder / "checkpoint_v1.bin")
    tok = Tokenizer(folder / "tokenizer.bin", model.config.vocab_size)
    expected = (folder / "EXPECTED-greedy-200.txt").read_bytes()
    ids = greedy(model, 200)
    text = tok.decode(ids)
    if text + b"\n" != expected:  # llama2.c ends its output with a line break
        raise SystemExit(f"{folder}: the greedy text is not that of EXPECTED-greedy-200.txt: {text!r}")
    if tok.encode(text.decode().removeprefix(" ")) != [BOS, *ids]:
        raise SystemExit(f"{folder}: encoding the expected text does not give back the tokens it was made of")
    return model, tok


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("folder", type=Path)
    args = ap.parse_args()
    torch.set_num_threads(1)
    model, tok = load(args.folder)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters; 200 greedy tokens are the expected ones")
    print(tok.decode(greedy(model, 200)).decode())


if __name__ == "__main__":
    main()
