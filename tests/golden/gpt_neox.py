"""GPT-NeoX: as Pythia (parallel residual, a quarter of each head turned, erf GELU), and with the residuals in a row."""

from __future__ import annotations

import torch

from model_folders import Spec

POSITIONS = 64
ADAPTED = ("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h")


def pythia_config(config: dict) -> None:
    rope = config.pop("rope_parameters")
    config |= dict(rotary_pct=rope["partial_rotary_factor"], rotary_emb_base=int(rope["rope_theta"]))
    config["torch_dtype"] = config.pop("dtype")
    config.pop("attention_bias")


def pythia_tensors(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Pythia's files also have each layer's causal mask, its value for masked scores and the rotary frequencies."""
    mask = torch.ones(POSITIONS, POSITIONS, dtype=torch.bool).tril()[None, None]
    out = dict(tensors)
    for i in range(sum(name.endswith("query_key_value.weight") for name in tensors)):
        attention = f"gpt_neox.layers.{i}.attention"
        out |= {
            f"{attention}.bias": mask.clone(),
            f"{attention}.masked_bias": torch.tensor(-1e9),
            f"{attention}.rotary_emb.inv_freq": 10000.0 ** -torch.tensor([0.0, 0.5]),
        }
    return out


def config(rotary: float, theta: float, parallel: bool) -> dict:
    return dict(
        vocab_size=101, hidden_size=32, intermediate_size=80, num_hidden_layers=2, num_attention_heads=2, hidden_act="gelu",
        tie_word_embeddings=False, use_parallel_residual=parallel, layer_norm_eps=1e-5, max_position_embeddings=POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": theta, "partial_rotary_factor": rotary},
    )


SPECS = [
    Spec(
        name="gpt-neox",
        seed=1601,
        model_type="gpt_neox",
        config=config(0.25, 10000.0, True),
        rank=3,
        alpha=6,
        lengths=(2, 21, 40),
        targets=ADAPTED,
        edit_config=pythia_config,
        edit_tensors=pythia_tensors,
        mistakes={
            "residuals in a row": dict(use_parallel_residual=False),
            "whole head turned": dict(rope_parameters=config(1.0, 10000.0, True)["rope_parameters"]),
            "tanh GELU": dict(hidden_act="gelu_new"),
        },
    ),
    Spec(
        name="gpt-neox-serial",
        seed=1701,
        model_type="gpt_neox",
        config=config(1.0, 20000.0, False),
        rank=3,
        alpha=6,
        lengths=(2, 21, 40),
        targets=ADAPTED,
        mistakes={
            "parallel residual": dict(use_parallel_residual=True),
            "a quarter turned": dict(rope_parameters=config(0.25, 20000.0, False)["rope_parameters"]),
            "theta 10000": dict(rope_parameters=config(1.0, 10000.0, False)["rope_parameters"]),
        },
    ),
]
