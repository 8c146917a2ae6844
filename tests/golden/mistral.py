"""Mistral: a sliding window, as every v0.1 checkpoint has it; float16 and an old config, as on the hub."""

from __future__ import annotations

from model_folders import Spec, old_names

SPECS = [
    Spec(
        name="mistral",
        seed=1101,
        model_type="mistral",
        config=dict(
            vocab_size=101, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=12, tie_word_embeddings=False, sliding_window=13,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, rms_norm_eps=1e-5, max_position_embeddings=128,
        ),
        rank=4,
        alpha=8,
        lengths=(2, 21, 40),
        dtype="float16",
        edit_config=old_names,
        mistakes={"no window": dict(sliding_window=None), "window one longer": dict(sliding_window=14)},
    ),
]
