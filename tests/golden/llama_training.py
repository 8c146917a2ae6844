"""The training runs of the golden files: TRL's SFTTrainer, and the written-out loop that must agree with it.

training/         20 steps of real TRL + PEFT in float32, rows padded by TRL's own collator.
training-packed/  8 steps over packed bins, by the loop of llama_loop.py in float64; TRL's own packing needs
                  FlashAttention, and the loop has just been shown to equal TRL.
"""

from __future__ import annotations

import tempfile

import torch
from datasets import Dataset
from safetensors.torch import save_file
from transformers import PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from double import in_double
from llama_loop import Row, adapter_parameters, counted, epochs, train
from llama_models import SPECS, Spec
from model_folders import load_tuned, write_adapter, write_json

SCRIPT = "tests/golden/llama.py"
ROWS = 49
"""Odd, and no multiple of batch × accumulation: an epoch ends with a micro-batch of one row, alone in its step."""
CAPACITY = 96
LOSS_TOLERANCE, FINAL_TOLERANCE = 2e-6, 2e-5


def make_rows(spec: Spec) -> list[Row]:
    """Arithmetic progressions modulo the vocabulary, so that there is something to learn; some have prompts or holes."""
    g = torch.Generator().manual_seed(spec.seed + 70)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=g))

    vocab, rows = spec.config["vocab_size"] - 3, []
    for i in range(ROWS):
        length = {3: 2, 20: 72, 48: 11}.get(i) or draw(4, 41)
        start, stride = draw(0, vocab), draw(1, 4)
        ids = [3 + (start + stride * t) % vocab for t in range(length)]
        labels = list(ids)
        if i % 2 and length > 5:
            labels[:4] = [-100] * 4
        if i % 5 == 0 and length > 20:
            labels[12:16] = [-100] * 4
        rows.append({"input_ids": ids, "labels": labels})
    return rows


def make_recipe(spec: Spec, **changes: object) -> dict:
    """In the words of src/training/recipe.ts."""
    recipe = {
        "rank": spec.rank, "alpha": spec.alpha, "targetModules": "all-linear", "rslora": spec.rslora, "dropout": 0,
        "learningRate": 0.01, "schedule": "cosine", "warmupSteps": 3, "steps": 20, "epochs": 3, "batchSize": 2,
        "gradientAccumulation": 3, "maxLength": 128, "weightDecay": 0.1, "clip": spec.clip, "seed": 42, "shuffle": False,
        "pack": False,
    }
    return recipe | changes


def train_with_trl(spec: Spec, rows: list[Row], recipe: dict) -> tuple[list[dict], dict[str, torch.Tensor]]:
    with tempfile.TemporaryDirectory() as out:
        args = SFTConfig(
            output_dir=out, max_steps=recipe["steps"], per_device_train_batch_size=recipe["batchSize"],
            gradient_accumulation_steps=recipe["gradientAccumulation"], learning_rate=recipe["learningRate"],
            lr_scheduler_type=recipe["schedule"], warmup_steps=recipe["warmupSteps"], optim="adamw_torch",
            weight_decay=recipe["weightDecay"], max_grad_norm=recipe["clip"], max_length=None, packing=False,
            train_sampling_strategy="sequential", seed=recipe["seed"], logging_steps=1, save_strategy="no",
            report_to="none", disable_tqdm=True, bf16=False, fp16=False, use_cpu=True, gradient_checkpointing=False,
            loss_type="nll",
        )
        trainer = SFTTrainer(
            model=load_tuned(spec, spec.folder / "training" / "initial"), args=args, train_dataset=Dataset.from_list(rows),
            processing_class=PreTrainedTokenizerFast.from_pretrained(spec.folder / "model"),
        )
        assert trainer.model.base_model.model.config._attn_implementation == "eager"
        trainer.train()
        log = [
            {"loss": e["loss"], "gradNorm": e["grad_norm"], "learningRate": e["learning_rate"]}
            for e in trainer.state.log_history if "loss" in e
        ]
        return log, {n: p.detach().clone() for n, p in adapter_parameters(trainer.model).items()}


def run_loop(spec: Spec, rows: list[Row], plan: list[list[int]], recipe: dict, double: bool):
    model = load_tuned(spec, spec.folder / "training" / "initial")
    log = train(model.double() if double else model, rows, plan, recipe)
    return log, {n: p.detach().clone() for n, p in adapter_parameters(model).items()}


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """‖a − b‖ / ‖b‖ over the tensors of `a` together."""
    delta = sum(float((a[k].double() - b[k].double()).pow(2).sum()) for k in a)
    return (delta / sum(float(b[k].double().pow(2).sum()) for k in a)) ** 0.5


def compare(name: str, got, want, loss_tolerance: float, final_tolerance: float) -> dict:
    (log, final), (ref_log, ref_final) = got, want
    assert len(log) == len(ref_log) and final.keys() == ref_final.keys()

    apart = {
        key: max(abs(a[key] - b[key]) / max(abs(b[key]), 1e-12) for a, b in zip(log, ref_log))
        for key in ("loss", "gradNorm", "learningRate")
    }
    apart["final"] = distance(final, ref_final)
    apart["worstTensor"] = max(distance({k: final[k]}, ref_final) for k in final)
    print(f"  {name}:", ", ".join(f"{k} {v:.1e}" for k, v in apart.items()))
    assert apart["loss"] < loss_tolerance and apart["gradNorm"] < 10 * loss_tolerance
    assert apart["learningRate"] < 1e-9 and apart["final"] < final_tolerance
    return apart


def pack(rows: list[Row], capacity: int) -> list[list[int]]:
    """First-fit in order of the rows: bins of row indices with at most `capacity` tokens."""
    bins: list[list[int]] = []
    for i, row in enumerate(rows):
        def used(b: list[int]) -> int:
            return sum(len(rows[j]["input_ids"]) for j in b)

        home = next((b for b in bins if used(b) + len(row["input_ids"]) <= capacity), None)
        if home is None:
            bins.append([i])
        else:
            home.append(i)
    return bins


def write_final(spec: Spec, run: str, final: dict[str, torch.Tensor]) -> None:
    save_file({k: v.float().contiguous() for k, v in final.items()}, spec.folder / run / "final.safetensors")


def write_unpacked(spec: Spec) -> None:
    out = spec.folder / "training"
    out.mkdir(exist_ok=True)
    write_adapter(spec, out / "initial", spec.seed + 20, b_std=0.0)
    rows, recipe = make_rows(spec), make_recipe(spec)
    batch = recipe["batchSize"]
    micro = [list(range(i, min(i + batch, len(rows)))) for i in range(0, len(rows), batch)]
    steps = epochs(len(micro), recipe["gradientAccumulation"], recipe["steps"])
    plan = [[row for i in step for row in micro[i]] for step in steps]
    assert len(set(map(len, plan))) > 1, "no epoch ends within an accumulation"

    trl = train_with_trl(spec, rows, recipe)
    print(f"{spec.name}: TRL losses", ", ".join(f"{e['loss']:.4f}" for e in trl[0]))
    print("  gradient norms", ", ".join(f"{e['gradNorm']:.3f}" for e in trl[0]))
    float32 = compare("loop in float32 against TRL", run_loop(spec, rows, plan, recipe, False), trl, LOSS_TOLERANCE, FINAL_TOLERANCE)
    with in_double():
        float64 = compare("loop in float64 against TRL", run_loop(spec, rows, plan, recipe, True), trl, LOSS_TOLERANCE, FINAL_TOLERANCE)
    clipped = sum(e["gradNorm"] > recipe["clip"] for e in trl[0])
    assert 0 < clipped < recipe["steps"], f"{clipped} of {recipe['steps']} steps clip"
    assert trl[0][0]["learningRate"] == 0 and trl[0][-1]["loss"] < 0.8 * trl[0][0]["loss"]

    mistakes = {
        "no clipping": dict(clip=1e9), "no weight decay": dict(weightDecay=0.0), "linear schedule": dict(schedule="linear"),
        "no warm-up": dict(warmupSteps=0), "one more warm-up step": dict(warmupSteps=4),
    }
    for name, change in mistakes.items():
        final = run_loop(spec, rows, plan, recipe | change, False)[1]
        apart = distance(final, trl[1])
        print(f"  {name}: final adapter {apart:.1e} away")
        assert apart > 3e-3, f"{name} would pass a tolerance of 1e-3"

    write_final(spec, "training", trl[1])
    write_json(out / "run.json", {
        "script": SCRIPT, "recipe": recipe, "rows": rows, "steps": [[micro[i] for i in step] for step in steps],
        "countedTokens": [sum(counted(rows[i]) for i in p) for p in plan], "log": trl[0],
        "loopApart": {"float32": float32, "float64": float64},
    })


def write_packed(spec: Spec) -> None:
    out = spec.folder / "training-packed"
    out.mkdir(exist_ok=True)
    rows = make_rows(spec)
    recipe = make_recipe(spec, steps=8, batchSize=1, maxLength=CAPACITY, pack=True)
    bins = pack(rows, CAPACITY)
    steps = epochs(len(bins), recipe["gradientAccumulation"], recipe["steps"])
    plan = [[row for i in step for row in bins[i]] for step in steps]
    assert len(set(map(len, steps))) > 1, "no epoch ends within an accumulation"
    with in_double():
        exact = run_loop(spec, rows, plan, recipe, True)
    print(f"{spec.name} packed: losses", ", ".join(f"{e['loss']:.4f}" for e in exact[0]))
    float32 = compare("loop in float32 against float64", run_loop(spec, rows, plan, recipe, False), exact, LOSS_TOLERANCE, FINAL_TOLERANCE)
    write_final(spec, "training-packed", exact[1])
    write_json(out / "run.json", {
        "script": SCRIPT, "recipe": recipe, "rows": rows, "steps": [[bins[i] for i in step] for step in steps],
        "countedTokens": [sum(counted(rows[i]) for i in p) for p in plan], "log": exact[0],
        "loopApart": {"float32": float32},
    })


def write_runs() -> None:
    tied, int4 = (next(s for s in SPECS if s.name == name) for name in ("llama-tied", "llama-int4"))
    write_unpacked(tied)
    write_unpacked(int4)
    write_packed(tied)
