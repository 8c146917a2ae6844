"""GPT-2: Conv1D weights [in, out], learned positions, LayerNorm and biases; names without "transformer.", as on the hub."""

from __future__ import annotations

import torch

from model_folders import Spec

POSITIONS = 32


def hub_config(config: dict) -> None:
    config["n_ctx"] = config["n_positions"]
    config["torch_dtype"] = config.pop("dtype")
    assert config.pop("tie_word_embeddings") is True
    assert config.pop("n_inner") is None


def hub_tensors(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The hub's file has no "transformer." and has the causal mask of every layer, which is no weight."""
    out = {name.removeprefix("transformer."): t for name, t in tensors.items()}
    assert "wte.weight" in out and "lm_head.weight" not in out
    mask = torch.ones(POSITIONS, POSITIONS).tril()[None, None]
    layers = sum(name.endswith("c_attn.weight") for name in out)
    return out | {f"h.{i}.attn.bias": mask.clone() for i in range(layers)}


SPECS = [
    Spec(
        name="gpt2",
        seed=1501,
        model_type="gpt2",
        config=dict(vocab_size=101, n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS, layer_norm_epsilon=1e-5),
        rank=2,
        alpha=4,
        lengths=(2, 17, POSITIONS),
        targets=("c_attn", "c_proj", "c_fc"),
        fan_in_fan_out=True,
        edit_config=hub_config,
        edit_tensors=hub_tensors,
        mistakes={"erf GELU": dict(activation_function="gelu"), "attention not scaled": dict(scale_attn_weights=False)},
    ),
]
