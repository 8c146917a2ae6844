"""Phi-3: q, k, v in one matrix and gate, up in another; plain, and with half of each head turned and a sliding window."""

from __future__ import annotations

from model_folders import Spec, old_names

ADAPTED = ("qkv_proj", "o_proj", "gate_up_proj", "down_proj")


def hub_config(config: dict) -> None:
    config["partial_rotary_factor"] = config["rope_parameters"].pop("partial_rotary_factor")
    old_names(config)


def config(heads: int, rotary: float, window: int | None) -> dict:
    return dict(
        vocab_size=101, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=heads,
        num_key_value_heads=heads // 2, tie_word_embeddings=False, rms_norm_eps=1e-5, max_position_embeddings=128,
        original_max_position_embeddings=128, sliding_window=window,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": rotary},
    )


SPECS = [
    Spec(
        name="phi3",
        seed=1801,
        model_type="phi3",
        config=config(4, 1.0, None),
        rank=4,
        alpha=8,
        lengths=(2, 21, 40),
        targets=ADAPTED,
        mistakes={"half turned": dict(rope_parameters=config(4, 0.5, None)["rope_parameters"])},
    ),
    Spec(
        name="phi3-partial",
        seed=1901,
        model_type="phi3",
        config=config(2, 0.5, 17),
        rank=4,
        alpha=8,
        lengths=(2, 21, 40),
        targets=ADAPTED,
        edit_config=hub_config,
        mistakes={
            "whole head turned": dict(rope_parameters=config(2, 1.0, None)["rope_parameters"]),
            "no window": dict(sliding_window=None),
        },
    ),
]
