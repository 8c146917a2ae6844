"""Gemma 3 (text): local and global layers with a RoPE base each, four norms a layer as 1 + w, scaled embedding, GeGLU."""

from __future__ import annotations

from model_folders import Spec

LOCAL, GLOBAL = ({"rope_type": "default", "rope_theta": theta} for theta in (10000.0, 1000000.0))


def hub_config(config: dict) -> None:
    """The two bases under their old names at the top; that the head is tied goes without saying."""
    rope = config.pop("rope_parameters")
    config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    config["rope_theta"] = rope["full_attention"]["rope_theta"]
    config["rope_scaling"] = None
    config["torch_dtype"] = config.pop("dtype")
    assert config.pop("tie_word_embeddings") is True


SPECS = [
    Spec(
        name="gemma3",
        seed=1401,
        model_type="gemma3_text",
        config=dict(
            vocab_size=101, hidden_size=32, intermediate_size=40, num_hidden_layers=4, num_attention_heads=2,
            num_key_value_heads=1, head_dim=24, query_pre_attn_scalar=20, tie_word_embeddings=True, sliding_window=11,
            layer_types=["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
            rope_parameters={"sliding_attention": LOCAL, "full_attention": GLOBAL}, rms_norm_eps=1e-6,
            max_position_embeddings=128,
        ),
        rank=3,
        alpha=6,
        lengths=(2, 21, 40),
        norm_centre=0.0,
        dtype="bfloat16",
        edit_config=hub_config,
        mistakes={
            "scale of head_dim": dict(query_pre_attn_scalar=24),
            "no window": dict(sliding_window=128),
            "one RoPE base": dict(rope_parameters={"sliding_attention": LOCAL, "full_attention": LOCAL}),
            "bases exchanged": dict(rope_parameters={"sliding_attention": GLOBAL, "full_attention": LOCAL}),
            "erf GELU": dict(hidden_activation="gelu"),
        },
    ),
]
