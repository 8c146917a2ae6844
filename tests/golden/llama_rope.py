"""Llama with each kind of RoPE scaling; every one changes some frequencies of the tiny heads and leaves others."""

from __future__ import annotations

from model_folders import Spec, old_names

PLAIN = {"rope_type": "default", "rope_theta": 10000.0}


def make(name: str, seed: int, positions: int, rope: dict, **more) -> Spec:
    return Spec(
        name=name,
        seed=seed,
        model_type="llama",
        config=dict(
            vocab_size=101, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, tie_word_embeddings=True, rms_norm_eps=1e-5, max_position_embeddings=positions,
            rope_parameters=PLAIN | rope,
        ),
        rank=4,
        alpha=8,
        lengths=(2, 23, 60),
        mistakes={"plain RoPE": dict(rope_parameters=PLAIN)} | {
            f"no {key}": dict(rope_parameters=PLAIN | rope | {key: value}) for key, value in more.pop("wrong", {}).items()
        },
        **more,
    )


SPECS = [
    # Wavelengths 6 (kept), 20 and 63 (blended), 199 and longer (divided by 8).
    make(
        "llama3-rope", 2001, 512,
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 64},
        edit_config=old_names,
        wrong={"high_freq_factor": 1e9, "low_freq_factor": 3.999},
    ),
    make("llama-linear-rope", 2101, 256, {"rope_type": "linear", "factor": 4.0}),
    # The ramp runs from dimension 1 to 4; without beta_fast from 0 to 4. The tables are multiplied by 0.1 ln 4 + 1.
    make(
        "llama-yarn", 2201, 1024,
        {"rope_type": "yarn", "factor": 4.0, "beta_fast": 8, "original_max_position_embeddings": 256},
        wrong={"beta_fast": None, "attention_factor": 1.0},
    ),
]
