"""Shows that check_adapter.py passes good adapters and fails each kind of broken one.

Run:  tests/golden/check_adapter.sh   (without arguments)
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file, save_file

from check_adapter import check

HERE = Path(__file__).resolve().parent


def edit_config(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def apply(adapter: Path) -> None:
        file = adapter / "adapter_config.json"
        config = json.loads(file.read_text("utf-8"))
        change(config)
        file.write_text(json.dumps(config), "utf-8")

    return apply


def edit_tensors(change: Callable[[dict], dict], metadata: dict | None = {"format": "pt"}) -> Callable[[Path], None]:
    def apply(adapter: Path) -> None:
        file = str(adapter / "adapter_model.safetensors")
        save_file({k: v.contiguous() for k, v in change(load_file(file)).items()}, file, metadata)

    return apply


DAMAGED = "llama-untied"
"""Its rsLoRA scale, few targets and odd rank leave no damage without effect."""
BROKEN: dict[str, Callable[[Path], None]] = {
    "alpha missing": edit_config(lambda c: c.pop("lora_alpha")),
    "alpha doubled": edit_config(lambda c: c.update(lora_alpha=2 * c["lora_alpha"])),
    "rsLoRA flag turned": edit_config(lambda c: c.update(use_rslora=not c["use_rslora"])),
    "a target missing from the config": edit_config(lambda c: c["target_modules"].remove("down_proj")),
    "no task type": edit_config(lambda c: c.pop("task_type")),
    "a tensor missing": edit_tensors(lambda t: dict(list(t.items())[1:])),
    "prefix missing": edit_tensors(lambda t: {k.removeprefix("base_model.model."): v for k, v in t.items()}),
    "B negated": edit_tensors(lambda t: {k: -v if "lora_B" in k else v for k, v in t.items()}),
    "B zero": edit_tensors(lambda t: {k: 0 * v if "lora_B" in k else v for k, v in t.items()}),
    "no metadata": edit_tensors(lambda t: t, None),
}


def write_probe(folder: Path, out: Path) -> Path:
    """The golden logits of the first row with more than two tokens."""
    rows = [row["input_ids"] for row in json.loads((folder / "reference.json").read_text("utf-8"))["rows"]]
    at = next(i for i, row in enumerate(rows) if len(row) > 2)
    start = sum(map(len, rows[:at]))
    logits = load_file(str(folder / "logits.safetensors"))["tuned"][start : start + len(rows[at])]
    logits.numpy().astype("<f4").tofile(out / "logits.bin")
    probe = {"input_ids": rows[at], "logits_file": "logits.bin", "shape": list(logits.shape)}
    (out / "probe.json").write_text(json.dumps(probe), "utf-8")
    return out / "probe.json"


def main() -> None:
    wrong = []
    for folder in sorted(HERE.glob("llama-*")):
        with tempfile.TemporaryDirectory() as scratch:
            probe = write_probe(folder, Path(scratch))
            print(f"--- {folder.name}")
            faults = check(folder / "model", folder / "adapter", probe)
            wrong += [f"{folder.name}: {fault}" for fault in faults]
            for name, damage in BROKEN.items() if folder.name == DAMAGED else ():
                adapter = shutil.copytree(folder / "adapter", Path(scratch) / name)
                damage(adapter)
                with contextlib.redirect_stdout(io.StringIO()):
                    faults = check(folder / "model", adapter, probe)
                if faults:
                    print(f"with {name}: found, {faults[0]}")
                else:
                    wrong.append(f"{folder.name} with {name} passed")
    for line in wrong:
        print("WRONG:", line)
    print("check_adapter.py", "is WRONG" if wrong else f"passes what is right and fails {len(BROKEN)} kinds of damage")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
