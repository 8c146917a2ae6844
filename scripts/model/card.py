"""Write the model card (README.md) beside the embedded model, whole, from measured numbers.

Input:   --model CHECKPOINT   folder of chat.py (training.json, model.safetensors)
         --data DATA          folder of prepare.py (stats.json)
         --evaluation FILE    evaluate.py --model --onnx --baseline --samples --json FILE
         --blimp FILE         blimp.py --model --onnx --baseline --json FILE
         --sample-runs FILE   measure-samples.mjs --json FILE
         --made-with COMMAND  how a step was run, as often as needed (as it stands in the card)
         --out DIR            the exported folder (default public/models/tabtune-tiny)
Output:  DIR/README.md.

The script refuses numbers that were measured on other weights than those in DIR or CHECKPOINT, a 4-bit
file too far from the f32 model, and a folder of 8,000,000 bytes or more. Words are here and in
card_sources.py; every number comes from the files above or from the folder itself.

Run:  python scripts/model/card.py --model CHECKPOINT --data DATA --evaluation evaluation.json
                                   --blimp blimp.json --sample-runs samples.json
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from card_sources import CONVERSATIONS, LIMITS, SOURCE_ROWS
from prepare import GRAM, SOURCES
from scoring import file_hashes

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 8_000_000
EXAMPLES = 3
SAMPLE_SETS = ("pirate", "feelings", "orders")
NAMES = {"f32": "f32 (PyTorch)", "q4": "q4 file (onnxruntime)", "stories260K": "stories260K"}


def table(head: list[str], rows: list[list], left: int = 1) -> str:
    """A Markdown table; columns after the first `left` ones are set right."""
    lines = [head, ["---" if i < left else "---:" for i in range(len(head))], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %"


def signed(value: float) -> str:
    return f"{100 * value:+.2f} %".replace("-", "−")


def escape(text: str) -> str:
    return re.sub(r"([\\`*_<>#\[\]|])", r"\\\1", text)


def quote(text: str) -> str:
    """Literal text as a Markdown quotation."""
    return "\n>\n".join(f"> {line}" for line in escape(text.strip()).split("\n") if line) or "> (nothing)"


def size_beside_card(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and p != folder / "README.md")


def head_section(config: dict, training: dict, out: Path) -> str:
    onnx = (out / "onnx" / "model_q4.onnx").stat().st_size
    shape = (
        f"LlamaForCausalLM: hidden {config['hidden_size']}, {config['num_hidden_layers']} layers, "
        f"{config['num_attention_heads']} heads, {config['num_key_value_heads']} key/value heads of {config['head_dim']}, "
        f"MLP {config['intermediate_size']}{', tied embeddings' if config['tie_word_embeddings'] else ''}"
    )
    rows = [
        ["Architecture", shape],
        ["Parameters", f"{training['parameters']:,}"],
        ["Vocabulary", f"{config['vocab_size']:,} tokens, byte-level BPE trained on the training text"],
        ["Context", f"{config['max_position_embeddings']} tokens"],
        ["Weights", f"`onnx/model_q4.onnx`, {onnx:,} bytes: 4-bit linear layers (MatMulNBits, blocks of 32 with zero points), f32 embeddings and norms"],
        ["All files beside this card", f"{size_beside_card(out):,} bytes"],
        ["Chat format", "ChatML (`<\\|im_start\\|>`, `<\\|im_end\\|>`), template in `tokenizer_config.json`"],
        ["Licence of the weights", "Apache-2.0"],
    ]
    return f"""# tabtune-tiny

A very small English story and chat model. It is embedded in Tabtune so that fine-tuning can be tried
at once, without a download. It is a starting point for LoRA, not a useful assistant.

{table(["", ""], rows, 2)}"""


def training_section(training: dict, made_with: list[str]) -> str:
    phases = {"text": training["pretrain"], "chat (two of three batches are text; padding counted)": training["chat"]}
    rows = [[name, f"{p['tokens']:,}", f"{p['steps']:,}", f"{p['minutes']:.1f}"] for name, p in phases.items()]
    seen = sum(p["tokens"] for p in phases.values())
    rows.append(["both", f"{seen:,}", "", ""])
    passes = training["pretrain"]["tokens"] / training["mixture_tokens"]
    counts = [f"- {n:,} {CONVERSATIONS[key]}" for key, n in training["chat"]["conversations"].items()]
    lines = "\n".join(counts)
    commands = "".join(f"    python scripts/model/{c}\n" for c in made_with)
    note = f"\nThe steps were run as\n\n{commands}\nWhere --max-minutes is given, the clock may have ended the run before its steps.\n" if commands else ""
    return f"""## Training

Trained from random weights by the scripts in `scripts/model/` (`build.py` runs all).

{table(["phase", "tokens seen", "steps", "minutes"], rows)}
{note}
Muon for the linear layers, AdamW for embeddings and norms; the learning rate is cooled down to zero at the
end of each phase. One pass over the weighted text mixture is {training["mixture_tokens"]:,} tokens: the text phase
was {passes:.2f} passes. Both phases together: {seen / training["parameters"]:.1f} tokens for each parameter.

Conversations of the chat phase, counted as often as they are repeated; only the assistant's words count in the loss:

{lines}"""


def data_section(stats: dict, training: dict) -> str:
    weights = training["weights"]
    rows = []
    for source in SOURCES:
        name, where, licence = SOURCE_ROWS[source]
        train = stats[source]["train"]
        rows.append([name, where, licence, f"{train['documents']:,}", f"{train['bytes']:,}", f"{weights[source]:g}"])
    name, where, licence = SOURCE_ROWS["chatterbot"]
    rows.append([name, where, licence, f"{training['chat']['conversations']['chatterbot']:,}", "", "chat phase"])
    return f"""### Data and attribution

{table(["data", "source repositories (GitHub)", "licence", "documents", "training bytes", "weight"], rows, 3)}

The texts were cleaned, cut into tokens and used for training only; none is distributed here. Weight is how
often a source is read in one pass. The authors, illustrators and translators of the children's books are
named in `ATTRIBUTION.txt`. Taskmaster is by Google Research; Tatoeba sentences are by the contributors of
tatoeba.org; ChatterBot corpus: copyright (c) 2017, Gunther Cox."""


def contamination_section(stats: dict) -> str:
    keys = ("duplicates_dropped", "contaminated_documents_dropped", "sequences", "sequences_in_training")
    rows, total = [], dict.fromkeys(("documents", "bytes", *keys), 0)
    for source in SOURCES:
        row = {**stats[source]["heldout"], **{k: stats[source][k] for k in keys}}
        total = {k: total[k] + row[k] for k in total}
        rows.append([source, *(f"{row[k]:,}" for k in total)])
    rows.append(["all", *(f"{v:,}" for v in total.values())])
    head = ["source", "held-out documents", "bytes", "duplicates dropped before the split", "contaminated documents dropped", f"{GRAM}-word sequences left", "of them in training text"]
    return f"""### Held-out text and contamination

Exact and near duplicates were dropped first; then the text was split by document (books by book), before
anything was learnt from it. A held-out document was dropped when more than a fifth of its {GRAM}-word sequences
occur in the training text of any source. What is left: {total["sequences_in_training"]:,} of {total["sequences"]:,} sequences
({percent(total["sequences_in_training"] / total["sequences"], 2)}). A text of fewer than {GRAM} words has no such sequence; it is only known not to be a near duplicate.

{table(head, rows)}"""


def bits_section(evaluation: dict) -> str:
    bits, against = evaluation["bits_per_byte"], evaluation["q4_against_f32"]
    rows = [[key, f"{evaluation['bytes'][key]:,}", *(f"{bits[m][key]:.3f}" for m in NAMES)] for key in evaluation["bytes"]]
    best = sorted((s for s in SOURCES if bits["q4"][s] < bits["stories260K"][s]), key=list(SOURCES).index)
    return f"""## Measured

### Held-out bits per byte

Lower is better. The first {evaluation["limit"]:,} bytes of each source at most (whole documents), every document on its
own. stories260K (llama2.c, trained on TinyStories alone, perhaps on these very stories) reads the same text
with its own tokenizer.

{table(["held-out text", "bytes", *NAMES.values()], rows)}

The 4-bit file is {signed(against["all"])} from the f32 model over all sources ({signed(against["worst"])} on {against["worst_source"]}); up to
{percent(against["limit"], 0)} was allowed. It is better than stories260K on {len(best)} of {len(SOURCES)} sources{": " + ", ".join(best) if best else ""}.
PyTorch on the dequantized weights and onnxruntime on the file agree to a relative error below 1e-5
(`export_onnx.py --check-only`)."""


def blimp_section(blimp: dict) -> str:
    models = blimp["models"]
    rows = [["**all**", f"{blimp['pairs']:,}", *(f"**{percent(models[m]['accuracy'])}**" for m in NAMES)]]
    for group in ("fields", "phenomena"):
        for key, value in models["f32"][group].items():
            name = f"*{key.replace('_', ' ')}*" if group == "fields" else key.replace("_", " ")
            rows.append([name, f"{value['pairs']:,}", *(percent(models[m][group][key]["accuracy"]) for m in NAMES)])
    return f"""### BLiMP

How often the grammatical sentence of a minimal pair has the higher probability: {blimp["pairs"]:,} pairs in
{blimp["paradigms"]} paradigms of [BLiMP](https://github.com/alexwarstadt/blimp) (CC BY 4.0), whole sentences, each after the start token. Chance
is 50 %. Fields of grammar in italics, then phenomena.

{table(["", "pairs", *NAMES.values()], rows)}"""


def before_after(before, after, show) -> str:
    return "" if before is None or after is None else f"{show(before)} → {show(after)}"


def cell(text: str) -> str:
    """Literal text on one line of a table."""
    return escape(text.strip()).replace("\n", "<br>") or "(nothing)"


def sample_runs_section(measured: dict) -> str:
    rows, examples = [], []
    for run in measured["samples"]:
        scores = {when: run["score"][when] or {"valid": None, "right": None} for when in ("before", "after")}
        shares = {key: before_after(scores["before"][key], scores["after"][key], percent) for key in ("right", "valid")}
        loss = before_after(run["loss"]["before"], run["loss"]["after"], lambda v: f"{v:.3f}")
        sizes = [f"{run[key]:,}" for key in ("trainRows", "heldOutRows", "steps")]
        rows.append([run["name"], *sizes, f"{run['minutes']:.1f}", loss, shares["right"], shares["valid"]])
        examples += [[run["name"], *(cell(a[key]) for key in ("prompt", "base", "tuned"))] for a in run["answers"][:EXAMPLES]]
    head = ["sample data", "rows", "held-out rows", "steps", "minutes", "held-out loss", "answers exactly right", "answers that parse with the right keys"]
    settings = ", ".join(f"{key} {value}" for key, value in measured["settings"].items())
    return f"""### What a run on each sample data set changes

LoRA with {f"{settings} and otherwise " if settings else ""}the default settings on {measured["device"]}, before → after, on the rows each set
holds out (`public/datasets/`). Answers are greedy. Exactly right is the accuracy of the classification set.
Measured by `scripts/model/measure-samples.mjs`.

{table(head, rows)}

The first {EXAMPLES} held-out prompts of each set, unedited:

{table(["sample data", "prompt", "base model", "after the run"], examples, 4)}"""


def sample_text(sample: dict, most: int) -> str:
    def end(ended: bool) -> str:
        return "ended by itself" if ended else f"cut at {most} tokens"

    if sample["kind"] == "text":
        return f"Text, prompt \"{sample['prompt']}\" ({end(sample['ended'])}):\n\n{quote(sample['prompt'] + sample['text'])}"
    parts = []
    for i, turn in enumerate(sample["turns"]):
        parts.append(f"{'then' if i else 'Chat, prompt'} \"{turn['user']}\" ({end(turn['ended'])}):\n\n{quote(turn['assistant'])}")
    return "\n\n".join(parts)


def samples_section(evaluation: dict) -> str:
    samples = evaluation["samples"]
    texts = "\n\n".join(sample_text(s, evaluation["max_new_tokens"]) for s in samples)
    return f"""## Samples

{len(samples)} in all, greedy, from the 4-bit file, fixed prompts, unedited. Requests like these occur in the chat phase.

{texts}"""


def check_keys(path: Path, found: dict, wanted, remedy: str) -> None:
    missing = [key for key in wanted if key not in found]
    if missing:
        raise SystemExit(f"{path} has no {', '.join(missing)}; {remedy}")


def check_weights(name: str, measured: dict, expected: dict[str, str]) -> None:
    for file, digest in expected.items():
        if measured["sha256"].get(file) != digest:
            raise SystemExit(f"{name} was measured on another {file} than the one given; measure again")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("model", "data", "evaluation", "blimp", "sample-runs"):
        ap.add_argument(f"--{name}", type=Path, required=True)
    ap.add_argument("--made-with", action="append", default=[])
    ap.add_argument("--out", type=Path, default=ROOT / "public" / "models" / "tabtune-tiny")
    args = ap.parse_args()

    def read(path: Path) -> dict:
        return json.loads(path.read_text("utf-8"))

    training, stats = read(args.model / "training.json"), read(args.data / "stats.json")
    evaluation, blimp, runs = read(args.evaluation), read(args.blimp), read(args.sample_runs)
    check_keys(args.model / "training.json", training, ("pretrain", "chat"), "give the folder that chat.py wrote")
    check_keys(ROOT / "scripts/model/card_sources.py", CONVERSATIONS, training["chat"]["conversations"], "add what it is")
    check_keys(args.data / "stats.json", stats, SOURCES, "run prepare.py again")
    check_keys(args.evaluation, evaluation, ("bits_per_byte", "q4_against_f32", "samples"), "run evaluate.py with --data, --model, --onnx and --samples")
    check_keys(args.evaluation, evaluation["bits_per_byte"], NAMES, "run evaluate.py with --baseline")
    check_keys(args.blimp, blimp["models"], NAMES, "run blimp.py with --model, --onnx and --baseline")
    check_keys(args.sample_runs, {run["name"]: run for run in runs["samples"]}, SAMPLE_SETS, "run measure-samples.mjs without --only")
    expected = file_hashes(args.model, args.out)
    check_weights(str(args.evaluation), evaluation, expected)
    check_weights(str(args.blimp), blimp, expected)
    if not evaluation["q4_against_f32"]["within_limit"]:
        raise SystemExit(f"{args.evaluation}: the 4-bit file is too far from the f32 model: {evaluation['q4_against_f32']}")
    card = "\n\n".join([
        "---\nlicense: apache-2.0\nlanguage: en\nlibrary_name: transformers.js\npipeline_tag: text-generation\n---",
        head_section(read(args.out / "config.json"), training, args.out),
        training_section(training, args.made_with),
        data_section(stats, training),
        contamination_section(stats),
        bits_section(evaluation),
        blimp_section(blimp),
        sample_runs_section(runs),
        samples_section(evaluation),
        LIMITS,
    ])  # fmt: skip
    text = card.rstrip() + "\n"
    size = size_beside_card(args.out) + len(text.encode())
    if size >= MOST_BYTES:
        raise SystemExit(f"{args.out} has {size:,} bytes; fewer than {MOST_BYTES:,} are allowed: make the weights or ATTRIBUTION.txt smaller")
    (args.out / "README.md").write_text(text, "utf-8")
    print(f"{args.out}: {size:,} bytes with the card")


if __name__ == "__main__":
    main()
