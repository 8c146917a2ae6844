"""Float64 throughout: within `in_double()` no step of a transformers model that was turned with `.double()` is float32.

transformers computes norms, softmax and rotary tables in float32 whatever the type of the model. Here every
`torch.float32` and `torch.float` of its modelling code means float64; what writes `.float()` is replaced.
"""

from __future__ import annotations

import contextlib

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import modeling_rope_utils
from transformers.models.gemma3 import modeling_gemma3
from transformers.models.gpt2 import modeling_gpt2
from transformers.models.gpt_neox import modeling_gpt_neox
from transformers.models.llama import modeling_llama
from transformers.models.mistral import modeling_mistral
from transformers.models.phi3 import modeling_phi3
from transformers.models.qwen2 import modeling_qwen2
from transformers.models.qwen3 import modeling_qwen3

MODELLING = [
    modeling_gemma3, modeling_gpt2, modeling_gpt_neox, modeling_llama, modeling_mistral, modeling_phi3, modeling_qwen2,
    modeling_qwen3,
]
ROTARY = [value for module in MODELLING for name, value in vars(module).items() if name.endswith("RotaryEmbedding")]


class _TorchInDouble:
    """Stands for `torch` inside the modelling code."""

    def __getattr__(self, name: str) -> object:
        return torch.float64 if name in ("float32", "float") else getattr(torch, name)


def _exact_rotary(
    self, x: torch.Tensor, position_ids: torch.Tensor, layer_type: str | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The frequencies computed anew: the model's own were rounded to float32 when it was built."""
    config = self.config
    rope, which = config.rope_parameters, {}
    if layer_type is not None:
        rope, which = rope[layer_type], {"layer_type": layer_type}
    if rope["rope_type"] == "default":
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        dim = int(head_dim * rope.get("partial_rotary_factor", 1.0))
        inv_freq, scaling = rope["rope_theta"] ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim), 1.0
    else:
        inv_freq, scaling = modeling_rope_utils.ROPE_INIT_FUNCTIONS[rope["rope_type"]](config, **which)
    angles = position_ids[..., None].double() * inv_freq
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos() * scaling, angles.sin() * scaling


def _exact_norm(self, x: torch.Tensor) -> torch.Tensor:
    return self._norm(x) * (1.0 + self.weight)


REPLACED = {rotary: _exact_rotary for rotary in ROTARY} | {modeling_gemma3.Gemma3RMSNorm: _exact_norm}


@contextlib.contextmanager
def in_double():
    patched = [*MODELLING, modeling_rope_utils]
    saved = {kind: kind.forward for kind in REPLACED}
    for module in patched:
        module.torch = _TorchInDouble()
    for kind, forward in REPLACED.items():
        kind.forward = forward
    try:
        yield
    finally:
        for module in patched:
            module.torch = torch
        for kind, forward in saved.items():
            kind.forward = forward


class only_double(TorchDispatchMode):
    """Within it an operation that gives floats of another type than float64 fails, in the backward pass too."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor) and leaf.is_floating_point():
                assert leaf.dtype == torch.float64, f"{func} computes in {leaf.dtype}"
        return out
