"""Makes data-loss.json: for every row shape, choice of loss and policy for long rows, the token ids and labels that the row becomes.

Run:  .cache/python/bin/python tests/golden/data_loss.py     (a minute; TRL 1.13.0, transformers 5.18.0)

The source of each case is named in it. "trl": what SFTTrainer prepares. Loss on all assistant turns is `assistant_only_loss`
through templates with {% generation %} blocks, on the last turn the same with weight 0 on the others, on the completion a
prompt-completion row whose completion is the last assistant message, on everything the trainer's default for messages and
`completion_only_loss=False` for completions. Truncation is `truncation_mode` "keep_start" and "keep_end". "reference": TRL has no such
thing; `drop`, `split` and `error` below are written here, after what the studio promises, and cut what TRL prepares without a limit.
`ids` are the row's ids without a limit; an example has its ids from `from` on (asserted), and a 1 in `counted` for each label.
"""

from __future__ import annotations

import json
from pathlib import Path

import datasets
from data_shapes import COMPLETIONS, END, MESSAGES, PROMPT_MESSAGES, TEMPLATES, TEXTS, make_tokenizer, prepare, without_blocks, wrap
from tokenizers import Tokenizer, processors

HERE = Path(__file__).resolve().parent
NO_LIMIT = 4096
IGNORED = -100
CHATS = [MESSAGES[index] for index in (0, 1, 2, 3, 5, 7, 8)]
# A question after the last answer would be part of TRL's completion; the studio learns the answer alone.
ANSWERED = [messages for messages in CHATS if messages[-1]["role"] == "assistant"]
# Prompts that no merge joins with their completion: TRL's border is the prompt's number of tokens.
PAIRS = COMPLETIONS[:4]


def last_answer(messages: list[dict]) -> int:
    return max(index for index, message in enumerate(messages) if message["role"] == "assistant")


def only_last(messages: list[dict]) -> list[dict]:
    last = last_answer(messages)
    return [m | ({"weight": 0} if m["role"] == "assistant" and index != last else {}) for index, m in enumerate(messages)]


def as_completion(messages: list[dict]) -> dict:
    last = last_answer(messages)
    return {"prompt": messages[:last], "completion": messages[last:]}


def conversation(kind: str, **fields: object) -> dict:
    return {"kind": kind, "origin": {"file": "rows.jsonl", "line": 7}, **fields}


def chat_groups() -> list[tuple[str, list[dict], list[dict], bool, dict]]:
    """Loss, conversations, TRL's rows, assistant_only_loss, other options."""
    chats = [conversation("messages", messages=messages, trainFrom=0) for messages in CHATS]
    answered = [conversation("messages", messages=messages, trainFrom=0) for messages in ANSWERED]
    pairs = [conversation("messages", messages=p + c, trainFrom=len(p)) for p, c in PROMPT_MESSAGES]
    rows = [{"prompt": p, "completion": c} for p, c in PROMPT_MESSAGES]
    return [
        ("assistant", chats, [{"messages": messages} for messages in CHATS], True, {}),
        ("last", chats, [{"messages": only_last(messages)} for messages in CHATS], True, {}),
        ("completion", answered, [as_completion(messages) for messages in ANSWERED], False, {}),
        ("all", chats, [{"messages": messages} for messages in CHATS], False, {}),
        ("completion", pairs, rows, False, {}),
        ("all", pairs, rows, False, {"completion_only_loss": False}),
    ]


def plain_groups() -> list[tuple[str, list[dict], list[dict], bool, dict]]:
    pairs = [conversation("completion", prompt=p, completion=c) for p, c in PAIRS]
    rows = [{"prompt": p, "completion": c} for p, c in PAIRS]
    texts = [conversation("text", text=text) for text in TEXTS]
    return [
        ("completion", pairs, rows, False, {}),
        ("all", pairs, rows, False, {"completion_only_loss": False}),
        ("assistant", texts, [{"text": text} for text in TEXTS], False, {}),
    ]


def token_rows() -> list[dict]:
    ids = [[5, 300, 2, 17, 2, 367, 8, 9, 10, 11], list(range(3, 40))]
    masks = [[0, 0, 1, 1, 0, 1, 1, 0, 0, 0], [int(index % 7 < 3) for index in range(37)]]
    return [
        {"input_ids": row, "labels": [token if bit else IGNORED for token, bit in zip(row, mask, strict=True)]}
        for row, mask in zip(ids, masks, strict=True)
    ]


def piece(start: int, ids: list[int], labels: list[int], whole: list[int]) -> dict:
    assert ids == whole[start : start + len(ids)] and len(labels) == len(ids)
    assert all(label in (IGNORED, token) for token, label in zip(ids, labels, strict=True))
    return {"from": start, "counted": "".join(str(int(label != IGNORED)) for label in labels)}


def has_label(labels: list[int]) -> bool:
    """Nothing precedes the first token, so its label predicts nothing."""
    return any(label != IGNORED for label in labels[1:])


def of_trl(prepared: dict, whole: list[int], keep_end: bool = False) -> dict:
    if prepared["ids"] is None or not has_label(prepared["labels"]):
        return {"refused": "nothing-counted"}
    start = len(whole) - len(prepared["ids"]) if keep_end else 0
    return {"examples": [piece(start, prepared["ids"], prepared["labels"], whole)]}


def reference(whole: dict, policy: str, limit: int) -> dict:
    ids, labels = whole["ids"], whole["labels"]
    if policy != "split" and len(ids) > limit:
        return {"examples": [], "dropped": True} if policy == "drop" else {"refused": "too-long"}
    examples = []
    for start in range(0, len(ids), limit):
        part = labels[start : start + limit]
        if has_label(part):
            examples.append(piece(start, ids[start : start + limit], part, ids))
    return {"examples": examples} if examples else {"refused": "nothing-counted"}


def main() -> None:
    datasets.disable_progress_bars()
    plain = make_tokenizer()
    with_bos = Tokenizer.from_str(plain.to_str())
    with_bos.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", pair=f"{END} $A {END} $B", special_tokens=[(END, plain.token_to_id(END))]
    )
    cases = []

    def add(template: str | None, bos: bool, group: tuple, limit: int) -> None:
        loss, conversations, rows, assistant_only, options = group
        text = None if template is None else TEMPLATES[template]
        tokenizer = wrap(with_bos if bos else plain, text if text is None or assistant_only else without_blocks(text))
        whole = prepare(rows, tokenizer, NO_LIMIT, assistant_only, **options)
        left = prepare(rows, tokenizer, limit, assistant_only, truncation_mode="keep_end", **options)
        right = prepare(rows, tokenizer, limit, assistant_only, truncation_mode="keep_start", **options)
        for index, row in enumerate(conversations):
            ids = whole[index]["ids"]
            head = {"template": template, "bos": bos, "lossOn": loss, "conversation": row, "ids": ids}
            outcomes = [("truncate-right", NO_LIMIT, "trl", of_trl(whole[index], ids))]
            if len(ids) > limit:
                outcomes.append(("truncate-right", limit, "trl", of_trl(right[index], ids)))
                outcomes.append(("truncate-left", limit, "trl", of_trl(left[index], ids, keep_end=True)))
            outcomes += [(policy, limit, "reference", reference(whole[index], policy, limit)) for policy in ("drop", "split", "error")]
            results = [{"tooLong": p, "maxLength": n, "source": source, **outcome} for p, n, source, outcome in outcomes]
            cases.append(head | {"results": results})

    for name in TEMPLATES:
        for group in chat_groups():
            add(name, False, group, 24)
    for bos in (False, True):
        for group in plain_groups():
            add(None, bos, group, 5)
    tokens = token_rows()
    written = [conversation("tokens", ids=row["input_ids"], labels=row["labels"]) for row in tokens]
    add(None, True, ("assistant", written, tokens, False, {}), 8)
    # A document that goes on in the next row: the text's own tokens and no more, as the tokenizer gives them.
    for text in TEXTS:
        ids = wrap(with_bos, None)(text)["input_ids"]
        row = conversation("text", text=text, continues=True)
        outcome = of_trl({"ids": ids, "labels": ids}, ids)
        result = {"tooLong": "truncate-right", "maxLength": NO_LIMIT, "source": "reference", **outcome}
        cases.append({"template": None, "bos": True, "lossOn": "all", "conversation": row, "ids": ids, "results": [result]})

    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    (HERE / "data-loss.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    print(f"{len(cases)} rows, {sum(len(case['results']) for case in cases)} results")


if __name__ == "__main__":
    main()
