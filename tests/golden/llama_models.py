"""The tiny random Llama models, adapters and rows of the golden files, all from fixed seeds.

A model folder is what any Hugging Face user has: config.json, weights, tokenizer.json. The int4 model goes
through scripts/model/export_onnx.py, so it is the transformers.js layout with a MatMulNBits file, and PyTorch
computes on the dequantized weights of that very file.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.models.llama import modeling_llama

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts" / "model"))
import export_onnx  # noqa: E402

SPECIAL = ["<pad>", "<s>", "</s>"]
CHAT_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + eos_token + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Spec:
    """One model of the golden set. `lengths` are those of the rows of the gradient golden."""

    name: str
    seed: int
    config: dict
    rank: int
    alpha: int
    lengths: tuple[int, ...]
    targets: tuple[str, ...] = tuple(ALL_LINEAR)
    rslora: bool = False
    int4: bool = False
    old_config: bool = False
    clip: float = 1.5
    """Largest gradient norm of the training run: chosen so that some steps clip and some do not."""

    @property
    def folder(self) -> Path:
        return HERE / self.name


SPECS = [
    Spec(
        name="llama-tied",
        seed=101,
        config=dict(
            vocab_size=131, hidden_size=64, intermediate_size=112, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
            rms_norm_eps=1e-5,
        ),
        rank=4,
        alpha=8,
        lengths=(2, 37, 70),
    ),
    Spec(
        name="llama-untied",
        seed=202,
        config=dict(
            vocab_size=128, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=3,
            num_key_value_heads=1, tie_word_embeddings=False, attention_bias=True,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, rms_norm_eps=1e-6,
        ),
        rank=3,
        alpha=6,
        targets=("q_proj", "v_proj", "o_proj", "down_proj"),
        rslora=True,
        lengths=(37, 2, 70, 5),
        old_config=True,
    ),
    Spec(
        name="llama-int4",
        seed=303,
        config=dict(
            vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            rms_norm_eps=1e-5,
        ),
        rank=8,
        alpha=16,
        lengths=(2, 37, 70),
        int4=True,
        clip=1.8,
    ),
]


def write_json(path: Path, value: object) -> None:
    """Indented, but a list of numbers takes one line."""
    text = json.dumps(value, indent=2)
    text = re.sub(r"\[[\s\d,.eE+-]+\]", lambda m: "[" + ", ".join(m[0][1:-1].replace(",", " ").split()) + "]", text)
    path.write_text(text + "\n", "utf-8")


# ---------------------------------------------------------------- model folders


def make_tokenizer(vocab_size: int) -> Tokenizer:
    """Byte-level BPE over printable ASCII and newline, filled up with merges to exactly `vocab_size`."""
    letters = [chr(c) for c in range(33, 127)] + ["Ġ", "Ċ"]
    pairs = ["th", "he", "in", "er", "an", "re", "on", "at", "en", "nd", "ti", "es", "or", "te", "of", "ed", "is", "it",
             "al", "ar", "st", "to", "nt", "ng", "se", "ha", "as", "ou", "io", "le", "ve", "co", "me", "de", "hi", "ri"]
    pairs = pairs[: vocab_size - len(SPECIAL) - len(letters)]
    vocab = {token: i for i, token in enumerate([*SPECIAL, *letters, *pairs])}
    assert len(vocab) == vocab_size
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[(p[0], p[1]) for p in pairs]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def make_model(spec: Spec) -> LlamaForCausalLM:
    """Random weights, wide enough that attention and logits are far from flat."""
    ids = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2)
    config = LlamaConfig(**spec.config, **ids, max_position_embeddings=256, dtype="float32")
    model = LlamaForCausalLM(config).float()
    g = torch.Generator().manual_seed(spec.seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            if "norm" in name:
                p.copy_(1 + 0.1 * noise)
            elif "embed" in name or "lm_head" in name:
                p.copy_(0.2 * noise)
            else:
                p.copy_(0.1 * noise)
    return model


def write_model(spec: Spec) -> None:
    out = spec.folder / "model"
    shutil.rmtree(out, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) if spec.int4 else out
        make_model(spec).save_pretrained(target)
        make_tokenizer(spec.config["vocab_size"]).save(str(target / "tokenizer.json"))
        write_json(target / "tokenizer_config.json", {
            "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>",
            "model_max_length": 256, "clean_up_tokenization_spaces": False, "chat_template": CHAT_TEMPLATE,
        })
        config = json.loads((target / "config.json").read_text("utf-8"))
        if spec.old_config:
            # As Llama configs were before transformers 5: rope_theta at the top, dtype under its old name, no head_dim.
            config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
            config["torch_dtype"] = config.pop("dtype")
            config.pop("head_dim")
            write_json(target / "config.json", config)
        if spec.int4:
            export_onnx.export(target, out)


def load_base(spec: Spec) -> LlamaForCausalLM:
    """The float32 PyTorch model of the committed folder."""
    if spec.int4:
        return export_onnx.load_dequantized(spec.folder / "model")
    return AutoModelForCausalLM.from_pretrained(spec.folder / "model", dtype=torch.float32, attn_implementation="eager")


# ---------------------------------------------------------------- adapters


def lora_config(spec: Spec) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM", r=spec.rank, lora_alpha=spec.alpha, use_rslora=spec.rslora, lora_dropout=0.0,
        target_modules=list(spec.targets), base_model_name_or_path=spec.name,
    )


def save_adapter(model: PeftModel, spec: Spec, out: Path) -> None:
    """PEFT's own two files; the target list is sorted, because PEFT keeps a set and a set's order is arbitrary."""
    shutil.rmtree(out, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = spec.name
    model.save_pretrained(out, save_embedding_layers=False)
    (out / "README.md").unlink(missing_ok=True)
    config = json.loads((out / "adapter_config.json").read_text("utf-8"))
    config["target_modules"].sort()
    write_json(out / "adapter_config.json", config)


def write_adapter(spec: Spec, out: Path, seed: int, b_std: float) -> None:
    """A as PEFT draws it (U(±1/√in)); B normal with `b_std`, 0 for the start of a training run."""
    torch.manual_seed(seed)
    model = get_peft_model(load_base(spec), lora_config(spec))
    g = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.copy_(b_std * torch.randn(p.shape, generator=g))
    save_adapter(model, spec, out)


def load_tuned(spec: Spec, adapter: Path, trainable: bool = True) -> PeftModel:
    return PeftModel.from_pretrained(load_base(spec), adapter, is_trainable=trainable)


# ---------------------------------------------------------------- float64


class _TorchInDouble:
    """Stands for `torch` inside modeling_llama, whose norms and softmax otherwise compute in float32."""

    def __getattr__(self, name: str) -> object:
        return torch.float64 if name == "float32" else getattr(torch, name)


def _exact_rotary(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    theta, dim = self.config.rope_parameters["rope_theta"], self.config.head_dim
    inv_freq = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angles = position_ids[..., None].double() * inv_freq
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


@contextlib.contextmanager
def in_double():
    """Within it a Llama model turned with `.double()` really computes in float64 throughout."""
    rotary = modeling_llama.LlamaRotaryEmbedding
    saved = rotary.forward
    modeling_llama.torch, rotary.forward = _TorchInDouble(), _exact_rotary
    try:
        yield
    finally:
        modeling_llama.torch, rotary.forward = torch, saved
