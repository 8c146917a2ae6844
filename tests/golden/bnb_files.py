"""Makes bnb/: one tiny Llama in NF4, in NF4 with quantized scales and in FP4, as transformers and bitsandbytes save it.

Each of bnb/<variant>/ has the model folder, `dequantized.safetensors` with what `bitsandbytes.functional.dequantize_4bit` gives
in float32 for some matrices, whatever type the quant_state names, and PyTorch's logits (float64) on these values.

Run:  .cache/python/bin/python tests/golden/bnb_files.py        (a few seconds)
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import bitsandbytes as bnb
import torch
from bitsandbytes import functional
from bitsandbytes.nn import Linear4bit
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from double import in_double, only_double
from llama_loop import counted, logits_of, summed_loss
from model_folders import HERE, Spec, make_model, write_json, write_tokenizer
from reference import make_rows, relative

SCRIPT = "tests/golden/bnb_files.py"
FOLDER = HERE / "bnb"
# Rows of 40 are crossed by blocks of 64, and k and v (20 × 40) end with a short block; down's rows hold whole blocks.
SHAPES = dict(
    vocab_size=101, hidden_size=40, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, attention_bias=True,
    tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, rms_norm_eps=1e-6,
    max_position_embeddings=128,
)
STORED = ["model.layers.0.self_attn.k_proj", "model.layers.1.mlp.down_proj"]


def variant(name: str, seed: int, dtype: str, intermediate: int) -> Spec:
    config = SHAPES | dict(intermediate_size=intermediate)
    return Spec(
        name=f"bnb/{name}", seed=seed, model_type="llama", config=config, rank=1, alpha=1, lengths=(2, 37), dtype=dtype
    )


# The 280 blocks of the wide model's matrices have two blocks of scales, the second of them short.
VARIANTS = {
    "nf4": (variant("nf4", 3101, "float32", 64), dict(bnb_4bit_quant_type="nf4")),
    "nf4-double": (
        variant("nf4-double", 3201, "bfloat16", 448), dict(bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)
    ),
    "fp4": (variant("fp4", 3301, "float16", 64), dict(bnb_4bit_quant_type="fp4")),
}


def write_model(spec: Spec, options: dict) -> None:
    out = spec.folder / "model"
    dtype = getattr(torch, spec.dtype)
    with tempfile.TemporaryDirectory() as scratch:
        make_model(spec).save_pretrained(scratch)
        model = AutoModelForCausalLM.from_pretrained(
            scratch, dtype=dtype, device_map={"": "cpu"},
            quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=dtype, **options),
        )
    model.save_pretrained(out)
    write_tokenizer(spec, out)


def load(spec: Spec):
    """The committed folder as bitsandbytes runs it, in float32."""
    model = AutoModelForCausalLM.from_pretrained(
        spec.folder / "model", dtype=torch.float32, device_map={"": "cpu"}, attn_implementation="eager"
    ).eval()
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.weight.quant_state.dtype = module.compute_dtype = torch.float32
            module.compute_type_is_set = True
    return model


def by_hand(tensors, name: str) -> torch.Tensor:
    """code · scale in float32 from the tensors of the file, as their layout has it."""
    def get(part: str) -> torch.Tensor:
        return tensors.get_tensor(f"{name}.weight.{part}")

    kind = next(k for k in tensors.keys() if k.startswith(f"{name}.weight.quant_state."))
    state = json.loads(bytes(tensors.get_tensor(kind).tolist()))
    scales = get("absmax")
    if "nested_offset" in state:
        scales = get("nested_quant_map")[scales.long()] * get("nested_absmax").repeat_interleave(256)[: len(scales)]
        scales = scales + torch.tensor(state["nested_offset"])
    packed = tensors.get_tensor(f"{name}.weight").flatten().long()
    codes = torch.stack((packed >> 4, packed & 15), dim=1).flatten()
    values = get("quant_map")[codes]
    return (values * scales.repeat_interleave(64)[: len(values)]).reshape(state["shape"])


@torch.no_grad()
def write_variant(spec: Spec, options: dict) -> None:
    shutil.rmtree(spec.folder, ignore_errors=True)
    spec.folder.mkdir(parents=True)
    write_model(spec, options)
    quantized = load(spec)
    values = {
        name: functional.dequantize_4bit(module.weight.data, module.weight.quant_state)
        for name, module in quantized.named_modules() if isinstance(module, Linear4bit)
    }
    with safe_open(spec.folder / "model" / "model.safetensors", "pt") as tensors:
        for name, value in values.items():
            assert value.dtype == torch.float32 and torch.equal(value, by_hand(tensors, name)), name

    rest = {name: p for name, p in quantized.named_parameters() if name.removesuffix(".weight") not in values}
    model = make_model(replace(spec, dtype="float32")).eval()
    model.config._attn_implementation = "eager"
    model.load_state_dict(rest | {f"{name}.weight": value for name, value in values.items()})
    rows = make_rows(spec)
    plain = torch.cat([logits_of(quantized, row) for row in rows])
    unquantized = torch.cat([logits_of(make_model(spec), row) for row in rows])
    model.double()
    with in_double(), only_double():
        logits = torch.cat([logits_of(model, row) for row in rows])
        total = sum(map(counted, rows))
        loss = sum(summed_loss(model, row).item() for row in rows) / total
    noise, moved = relative(plain, logits), relative(logits, unquantized)
    print(f"{spec.name}: loss {loss:.6f}, bitsandbytes in float32 {noise:.1e} away, quantization moves the logits by {moved:.2f}")
    assert noise < 2e-6 and 0.01 < moved < 1

    save_file({name: values[name].contiguous() for name in STORED}, spec.folder / "dequantized.safetensors")
    save_file({"base": logits.float().contiguous()}, spec.folder / "logits.safetensors")
    write_json(spec.folder / "reference.json", {
        "script": SCRIPT, "bitsandbytes": bnb.__version__, "rows": rows, "countedTokens": total, "loss": loss,
        "float32Noise": {"logits": noise},
    })


def main() -> None:
    torch.set_num_threads(1)
    for spec, options in VARIANTS.values():
        write_variant(spec, options)
    size = sum(path.stat().st_size for path in Path(FOLDER).rglob("*") if path.is_file())
    print(f"bnb/: {size / 1000:.0f} kB")
    assert size < 500_000


if __name__ == "__main__":
    main()
