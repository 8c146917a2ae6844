"""What every golden model is made of: its description, random weights, model folder, tokenizer and adapter folder.

A model folder is what any Hugging Face user has: config.json, weights, tokenizer.json. Everything comes from the seed of
the Spec.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

logging.disable_progress_bar()

HERE = Path(__file__).resolve().parent
SPECIAL = ["<pad>", "<s>", "</s>"]
IDS = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2)
CHAT_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + eos_token + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
EMBEDDINGS = ("embed", "lm_head", "wte", "wpe")


@dataclass(frozen=True)
class Spec:
    """One model of the golden set. `lengths` are those of the rows of the gradient golden."""

    name: str
    seed: int
    model_type: str
    config: dict
    rank: int
    alpha: int
    lengths: tuple[int, ...]
    targets: tuple[str, ...] = ALL_LINEAR
    rslora: bool = False
    fan_in_fan_out: bool = False
    """PEFT's word for weights stored [in, out], as GPT-2's Conv1D has them."""
    norm_centre: float = 1.0
    """The norm weights scatter around it."""
    dtype: str = "float32"
    shards: int = 1
    edit_config: Callable[[dict], None] | None = None
    """Turns config.json as transformers saves it into what the hub has."""
    edit_tensors: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]] | None = None
    """The same for the weights; the model must come out of it unchanged."""
    export: Callable[[Path, Path], None] | None = None
    """Makes the committed folder from the one that transformers saved."""
    load: Callable[[Path], PreTrainedModel] | None = None
    """Reads the committed folder, where transformers cannot."""
    mistakes: dict[str, dict] | None = None
    """Wrong readings of config.json by name: each must move the logits, or no test could find it."""
    clip: float = 1.5
    """Largest gradient norm of the training run: chosen so that some steps clip and some do not."""

    @property
    def folder(self) -> Path:
        return HERE / self.name


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


def make_model(spec: Spec) -> PreTrainedModel:
    """Random weights, wide enough that attention and logits are far from flat; no bias and no norm is at its default."""
    config = AutoConfig.for_model(spec.model_type, **spec.config, **IDS, dtype="float32")
    model = AutoModelForCausalLM.from_config(config).float()
    g = torch.Generator().manual_seed(spec.seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            if p.dim() == 1 and name.endswith("weight"):
                p.copy_(spec.norm_centre + 0.1 * noise)
            elif any(part in name for part in EMBEDDINGS):
                p.copy_(0.2 * noise)
            else:
                p.copy_(0.1 * noise)
    return model


def write_tokenizer(spec: Spec, target: Path) -> None:
    make_tokenizer(spec.config["vocab_size"]).save(str(target / "tokenizer.json"))
    write_json(target / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>",
        "model_max_length": spec.config.get("max_position_embeddings", spec.config.get("n_positions")),
        "clean_up_tokenization_spaces": False, "chat_template": CHAT_TEMPLATE,
    })


def _save(spec: Spec, target: Path) -> None:
    model = make_model(spec).to(getattr(torch, spec.dtype))
    model.config.dtype = spec.dtype
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    model.save_pretrained(target, max_shard_size=size if spec.shards == 1 else size // spec.shards + size // 12)
    assert len(list(target.glob("*.safetensors"))) == spec.shards
    if spec.edit_tensors:
        path = target / "model.safetensors"
        save_file(spec.edit_tensors(load_file(path)), path, metadata={"format": "pt"})
    write_tokenizer(spec, target)
    if spec.edit_config:
        config = json.loads((target / "config.json").read_text("utf-8"))
        spec.edit_config(config)
        write_json(target / "config.json", config)


def write_model(spec: Spec) -> None:
    out = spec.folder / "model"
    shutil.rmtree(out, ignore_errors=True)
    if spec.export is None:
        return _save(spec, out)
    with tempfile.TemporaryDirectory() as scratch:
        _save(spec, Path(scratch))
        spec.export(Path(scratch), out)


def load_base(spec: Spec, config: PreTrainedConfig | None = None) -> PreTrainedModel:
    """The float32 PyTorch model of the committed folder, with every weight from its files."""
    if spec.load:
        return spec.load(spec.folder / "model")
    model, report = AutoModelForCausalLM.from_pretrained(
        spec.folder / "model", config=config, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not report["missing_keys"] and not report["mismatched_keys"], report
    return model.eval()


def old_names(config: dict) -> None:
    """As configs were before transformers 5: rope_theta at the top, dtype under its old name."""
    config["torch_dtype"] = config.pop("dtype")
    rope = config.pop("rope_parameters", None)
    if rope:
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = None if rope["rope_type"] == "default" else rope


# ---------------------------------------------------------------- adapters


def lora_config(spec: Spec) -> LoraConfig:
    return LoraConfig(
        task_type="CAUSAL_LM", r=spec.rank, lora_alpha=spec.alpha, use_rslora=spec.rslora, lora_dropout=0.0,
        target_modules=list(spec.targets), fan_in_fan_out=spec.fan_in_fan_out, base_model_name_or_path=spec.name,
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
