"""The three Llama models of the golden files that also have training runs.

The int4 model goes through scripts/model/export_onnx.py, so it is the transformers.js layout with a MatMulNBits file, and
PyTorch computes on the dequantized weights of that very file.
"""

from __future__ import annotations

import sys

from double import in_double
from model_folders import CHAT_TEMPLATE, HERE, Spec, make_model, make_tokenizer

sys.path.insert(0, str(HERE.parents[1] / "scripts" / "model"))
import export_onnx  # noqa: E402

__all__ = ["CHAT_TEMPLATE", "SPECS", "Spec", "in_double", "make_model", "make_tokenizer"]


def old_config(config: dict) -> None:
    """As Llama configs were before transformers 5: rope_theta at the top, dtype under its old name, no head_dim."""
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["torch_dtype"] = config.pop("dtype")
    config.pop("head_dim")


SPECS = [
    Spec(
        name="llama-tied",
        seed=101,
        model_type="llama",
        config=dict(
            vocab_size=131, hidden_size=64, intermediate_size=112, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
            rms_norm_eps=1e-5, max_position_embeddings=256,
        ),
        rank=4,
        alpha=8,
        lengths=(2, 37, 70),
    ),
    Spec(
        name="llama-untied",
        seed=202,
        model_type="llama",
        config=dict(
            vocab_size=128, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=3,
            num_key_value_heads=1, tie_word_embeddings=False, attention_bias=True,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, rms_norm_eps=1e-6, max_position_embeddings=256,
        ),
        rank=3,
        alpha=6,
        targets=("q_proj", "v_proj", "o_proj", "down_proj"),
        rslora=True,
        lengths=(37, 2, 70, 5),
        edit_config=old_config,
    ),
    Spec(
        name="llama-int4",
        seed=303,
        model_type="llama",
        config=dict(
            vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            rms_norm_eps=1e-5, max_position_embeddings=256,
        ),
        rank=8,
        alpha=16,
        lengths=(2, 37, 70),
        export=export_onnx.export,
        load=export_onnx.load_dequantized,
        clip=1.8,
    ),
]
