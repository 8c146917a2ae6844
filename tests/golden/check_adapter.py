"""Loads an adapter folder with real PEFT and compares its logits with those that the studio computed.

Run:  tests/golden/check_adapter.sh --model DIR --adapter DIR --probe FILE   (makes the Python environment)

DIR of the model: Hugging Face safetensors, or the transformers.js layout (onnx/model_q4.onnx), whose weights are
dequantized. FILE is JSON beside its data: {"input_ids": [...], "logits_file": "logits.bin", "shape": [tokens, vocabulary]},
the file little-endian float32, row-major. Exit: 0 agree, 1 do not, 2 bad arguments or files.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from transformers import AutoModelForCausalLM

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "model"))

LIMIT = 1e-4
LEAST_EFFECT = 1e-3
"""An adapter that moves the logits less than this proves nothing."""


class CheckError(Exception):
    """The files cannot be compared; the message is one sentence."""


def load_base(folder: Path) -> torch.nn.Module:
    if (folder / "onnx" / "model_q4.onnx").exists():
        from export_onnx import load_dequantized

        return load_dequantized(folder)
    if not (folder / "config.json").exists():
        raise CheckError(f"{folder} has no config.json; --model must name a model folder.")
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def read_probe(file: Path) -> tuple[list[int], torch.Tensor]:
    probe = json.loads(file.read_text("utf-8"))
    ids, shape = probe["input_ids"], probe["shape"]
    logits = np.fromfile(file.parent / probe["logits_file"], "<f4")
    if len(shape) != 2 or shape[0] != len(ids) or logits.size != shape[0] * shape[1]:
        raise CheckError(f"{file}: {len(ids)} tokens, shape {shape} and {logits.size} logits do not fit each other.")
    return ids, torch.from_numpy(logits.reshape(shape))


def load_tuned(base: torch.nn.Module, folder: Path) -> tuple[PeftModel, list[str]]:
    """The model with the adapter, and everything that is wrong with the folder: PEFT itself often says nothing."""
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    needed = ("peft_type", "task_type", "base_model_name_or_path", "r", "lora_alpha", "target_modules")
    faults = [f"adapter_config.json lacks {key}" for key in needed if not config.get(key)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(base, folder).eval()
    faults += [f"PEFT warns: {str(w.message)[:120]}" for w in caught if issubclass(w.category, UserWarning)]
    with safe_open(str(folder / "adapter_model.safetensors"), framework="pt") as f:
        in_file = {key: f.get_tensor(key) for key in f.keys()}
        if (f.metadata() or {}).get("format") != "pt":
            faults.append('adapter_model.safetensors lacks the metadata {"format": "pt"}')
    loaded = get_peft_model_state_dict(model, save_embedding_layers=False)
    kinds = {
        "in the file but not used": in_file.keys() - loaded.keys(),
        "not in the file": loaded.keys() - in_file.keys(),
        "not loaded as the file has them": {
            key for key in in_file.keys() & loaded.keys() if not torch.equal(in_file[key].float(), loaded[key].float())
        },
    }
    faults += [f"{len(keys)} tensors are {kind}: {min(keys)}, …" for kind, keys in kinds.items() if keys]
    return model, faults


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() - b.double()).norm() / b.double().norm())


def check(model_folder: Path, adapter_folder: Path, probe: Path) -> list[str]:
    """Prints the two distances; returns what is wrong, nothing where all is right."""
    ids, got = read_probe(probe)
    model, faults = load_tuned(load_base(model_folder), adapter_folder)
    with torch.no_grad():
        tuned = model(input_ids=torch.tensor([ids])).logits[0]
        with model.disable_adapter():
            base = model(input_ids=torch.tensor([ids])).logits[0]
    if tuned.shape != got.shape:
        raise CheckError(f"{probe} has logits of shape {list(got.shape)}, the model gives {list(tuned.shape)}.")
    apart, effect = relative(got, tuned), relative(base, tuned)
    print(f"tuned logits, studio against PEFT: {apart:.2e} (limit {LIMIT:.0e})")
    print(f"base logits against tuned, PEFT:   {effect:.2e} (at least {LEAST_EFFECT:.0e})")
    if not apart <= LIMIT:
        faults.append(f"the tuned logits differ by {apart:.2e}, more than {LIMIT:.0e}")
    if not effect >= LEAST_EFFECT:
        faults.append(f"the adapter moves the logits by {effect:.2e} only, so the comparison proves nothing")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("model", "adapter", "probe"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    try:
        faults = check(args.model, args.adapter, args.probe)
    except (CheckError, OSError, KeyError, json.JSONDecodeError) as error:
        print(f"PEFT check: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
    for fault in faults:
        print("FAULT:", fault)
    print("PEFT check", "FAILED" if faults else "passed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
