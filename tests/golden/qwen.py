"""Qwen2 (biases on q, k and v; a window that is written down but switched off) and Qwen3 (norms on q and k)."""

from __future__ import annotations

from model_folders import Spec, old_names


def qwen2_config(config: dict) -> None:
    """As on the hub: a window and the layer where it would begin, both without effect; no list of layer types."""
    old_names(config)
    config.pop("layer_types")
    config.pop("rope_scaling")
    assert config["use_sliding_window"] is False
    config |= dict(sliding_window=8, max_window_layers=1)


SPECS = [
    Spec(
        name="qwen2",
        seed=1201,
        model_type="qwen2",
        config=dict(
            vocab_size=101, hidden_size=48, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=True, use_sliding_window=False, max_window_layers=1,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}, rms_norm_eps=1e-6, max_position_embeddings=128,
        ),
        rank=4,
        alpha=8,
        lengths=(2, 21, 40),
        dtype="bfloat16",
        shards=3,
        edit_config=qwen2_config,
        mistakes={
            "window taken": dict(use_sliding_window=True, sliding_window=8, layer_types=["full_attention", "sliding_attention"]),
            "theta 10000": dict(rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
        },
    ),
    Spec(
        name="qwen3",
        seed=1301,
        model_type="qwen3",
        config=dict(
            vocab_size=103, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=16, tie_word_embeddings=False,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}, rms_norm_eps=1e-6, max_position_embeddings=128,
        ),
        rank=3,
        alpha=6,
        rslora=True,
        lengths=(2, 19, 36),
    ),
]
