"""4-bit block quantization as com.microsoft MatMulNBits stores it: blocks of 32 along the input axis, low nibble first."""

from __future__ import annotations

import numpy as np

BLOCK = 32


def pack_nibbles(values: np.ndarray) -> np.ndarray:
    """uint8 values 0..15 [..., n] -> bytes [..., ceil(n / 2)], low nibble first.

    An odd row ends with an 8 in the unused high nibble, as onnxruntime's own quantizer writes it.
    """
    if values.shape[-1] % 2:
        values = np.concatenate([values, np.full_like(values[..., :1], 8)], axis=-1)
    return (values[..., 0::2] | (values[..., 1::2] << 4)).astype(np.uint8)


def unpack_nibbles(packed: np.ndarray, count: int) -> np.ndarray:
    """bytes [..., ceil(count / 2)] -> uint8 values 0..15 [..., count]."""
    out = np.empty(packed.shape[:-1] + (packed.shape[-1] * 2,), np.uint8)
    out[..., 0::2] = packed & 15
    out[..., 1::2] = packed >> 4
    return out[..., :count]


def quantize(weight: np.ndarray, block: int = BLOCK) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """f32 [out, in] -> (B uint8 [out, blocks, block / 2], scales f32 [out * blocks],
    zp uint8 [out * ceil(blocks / 2)]).

    Per block: range [min(w, 0), max(w, 0)] in 15 steps; the zero point is an integer, so 0 is exact.
    """
    weight = np.asarray(weight, np.float32)
    out_f, in_f = weight.shape
    blocks = -(-in_f // block)
    if blocks * block != in_f:
        weight = np.pad(weight, ((0, 0), (0, blocks * block - in_f)))
    w = weight.reshape(out_f, blocks, block)
    lo = np.minimum(w.min(-1), 0.0).astype(np.float32)
    hi = np.maximum(w.max(-1), 0.0).astype(np.float32)
    scale = ((hi - lo) / np.float32(15)).astype(np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))
    zero = np.clip(np.floor(-lo / scale + np.float32(0.5)), 0, 15).astype(np.uint8)
    q = np.floor(w / scale[..., None] + zero[..., None].astype(np.float32) + np.float32(0.5))
    q = np.clip(q, 0, 15).astype(np.uint8)
    return pack_nibbles(q), scale.reshape(-1), pack_nibbles(zero).reshape(-1)


def dequantize(
    b: np.ndarray, scales: np.ndarray, zp: np.ndarray | None, in_features: int, block: int = BLOCK
) -> np.ndarray:
    """Inverse of quantize(): f32 [out, in_features] with w = (q - zp) * scale (zp 8 when absent)."""
    out_f, blocks, _ = b.shape
    q = unpack_nibbles(b, block).astype(np.float32)
    if zp is None:
        zero = np.full((out_f, blocks), 8, np.float32)
    else:
        zero = unpack_nibbles(zp.reshape(out_f, -1), blocks).astype(np.float32)
    w = (q - zero[..., None]) * scales.astype(np.float32).reshape(out_f, blocks, 1)
    return np.ascontiguousarray(w.reshape(out_f, blocks * block)[:, :in_features])
