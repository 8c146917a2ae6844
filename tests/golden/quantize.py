"""Makes quantize.json: what bitsandbytes and the Python package `gguf` quantize an 8 × 96 matrix to.

All arrays are little-endian bytes in base64. NF4: `data` two codes a byte, high nibble first, `absmax` one float32 for each
block of 64 of the flattened matrix. Q8_0 and Q4_1: `raw` as in a GGUF file; from it `codes` (one byte each, in the order of
the matrix), `scales`, `mins` and the decoded `values`, all float32. `short` is a matrix whose last NF4 block is not full.

Run:  .cache/python/bin/python tests/golden/quantize.py        (a few seconds)
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from bitsandbytes import functional
from gguf import GGMLQuantizationType as Type

OUT = Path(__file__).resolve().with_suffix(".json")
BLOCK = 32


def b64(array: np.ndarray) -> str:
    little = array.astype(array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")


def make_matrix() -> np.ndarray:
    rng = np.random.default_rng(4101)
    w = rng.normal(scale=0.05, size=(8, 96)).astype(np.float32)
    w[1] = 0.0
    w[2, 40] = 37.5  # an outlier
    w[3, ::7] = -0.0
    w[3, 64:] = -0.0
    # Values exactly between two levels of NF4, in a block whose largest magnitude is 1.
    levels = functional.get_4bit_type("nf4", device="cpu").numpy()
    w[4, :64] = np.clip(w[4, :64], -0.9, 0.9)
    w[4, 5] = -1.0
    w[4, 6:21] = (levels[1:] + levels[:-1]) / np.float32(2)
    w[5] *= np.float32(1e-6)  # Q8_0's scale is 0 in float16
    w[6, :32] = 0.25  # all the same: Q4_1's scale is 0
    w[6, 32:64] = -np.abs(w[6, 32:64])
    w[7] = np.rint(w[7] * 400) / np.float32(254) * np.float32(0.5)  # halves: many ties in Q8_0
    w[7, :3] = [127 / 254, -127 / 254, 0.5 / 254]
    return w


def nf4(w: np.ndarray) -> dict:
    data, state = functional.quantize_4bit(torch.from_numpy(w), blocksize=64, quant_type="nf4")
    values = functional.dequantize_4bit(data, state).numpy()
    levels = functional.get_4bit_type("nf4", device="cpu").numpy()
    packed = data.numpy().reshape(-1)
    codes = np.stack((packed >> 4, packed & 15), axis=1).reshape(-1)
    scales = state.absmax.numpy()
    assert np.array_equal(levels[codes] * scales.repeat(64)[: codes.size], values.reshape(-1))
    return {"data": b64(packed), "absmax": b64(scales)}


def by_gguf(w: np.ndarray, kind: Type) -> dict:
    raw = gguf.quantize(w, kind)
    values = gguf.dequantize(raw, kind)
    blocks = raw.reshape(w.size // BLOCK, -1)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    out = {"raw": b64(raw), "values": b64(values), "scales": b64(scales)}
    if kind == Type.Q8_0:
        codes = blocks[:, 2:].view(np.int8)
        decoded = codes.astype(np.float32) * scales
    else:
        mins = blocks[:, 2:4].copy().view("<f2").astype(np.float32)
        # The first 16 weights of a block are the low nibbles, the others the high ones.
        codes = np.concatenate((blocks[:, 4:] & 15, blocks[:, 4:] >> 4), axis=1)
        decoded = codes.astype(np.float32) * scales + mins
        out["mins"] = b64(mins)
    assert np.array_equal(decoded.reshape(w.shape), values)
    return out | {"codes": b64(codes)}


def main() -> None:
    torch.set_num_threads(1)
    w = make_matrix()
    assert (np.signbit(w) & (w == 0)).any() and not w[1].any()
    short = np.random.default_rng(4102).normal(size=(5, 20)).astype(np.float32)
    value = {
        "script": "tests/golden/quantize.py",
        "shape": list(w.shape),
        "values": b64(w),
        "nf4": nf4(w),
        "q8_0": by_gguf(w, Type.Q8_0),
        "q4_1": by_gguf(w, Type.Q4_1),
        "short": {"shape": list(short.shape), "values": b64(short), "nf4": nf4(short)},
    }
    OUT.write_text(json.dumps(value, indent=1) + "\n", "utf-8")
    print(f"{OUT.name}: {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
