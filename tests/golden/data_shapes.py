"""Makes data-tokenizer.json and data-shapes.json: the token ids and labels that TRL's SFTTrainer prepares for every row shape.

Run:  .cache/python/bin/python tests/golden/data_shapes.py     (half a minute; TRL 1.13.0, transformers 5.18.0)

Chat rows are masked by `assistant_only_loss` through templates with {% generation %} blocks; the stored templates lack the
blocks, as the templates of real models do, and render the same text (asserted). A row that TRL drops, since truncation leaves
no label, has null for its ids.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import datasets
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

HERE = Path(__file__).resolve().parent
END, START, EOT = "<|endoftext|>", "<|im_start|>", "<|im_end|>"

LEARN = "{% if m.role == 'assistant' and m.weight != 0 %}{% generation %}TURN{% endgeneration %}{% else %}TURN{% endif %}"
TEMPLATES = {
    # A special token and a newline end a turn.
    "chatml": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    + LEARN.replace("TURN", "{{ m.content + '<|im_end|>' }}")
    + "{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    # BOS in front, content trimmed, nothing after the end of a turn.
    "header": "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m.role + '<|im_start|>\n\n' }}"
    + LEARN.replace("TURN", "{{ m.content | trim + '<|im_end|>' }}")
    + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_start|>\n\n' }}{% endif %}",
    # Roles as plain words; only the answers end with a special token.
    "words": "{% for m in messages %}{% if m.role == 'assistant' %}{{ '### Assistant:\n' }}{% else %}{{ '### ' + m.role + ':\n' }}{% endif %}"
    + LEARN.replace("TURN", "{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}")
    + "{{ '\n\n' }}{% endfor %}{% if add_generation_prompt %}{{ '### Assistant:\n' }}{% endif %}",
}


def turn(role: str, content: str, weight: int | None = None) -> dict:
    return {"role": role, "content": content} | ({} if weight is None else {"weight": weight})


MESSAGES = [
    [turn("user", "What colour is the sky?"), turn("assistant", "The sky is blue.")],
    [
        turn("system", "Answer in one word."),
        turn("user", "What colour is grass?"),
        turn("assistant", "Green."),
        turn("user", "And the sky?"),
        turn("assistant", "Blue."),
    ],
    [
        turn("user", "Count to two."),
        turn("assistant", "One, three.", 0),
        turn("user", "No."),
        turn("assistant", "One, two.", 1),
    ],
    [turn("user", "Hello"), turn("assistant", "Hello, how are you?"), turn("user", "Fine, and this is the end.")],
    [turn("assistant", "I speak first."), turn("user", "Good."), turn("assistant", "It is.")],
    [turn("user", "Two answers, please."), turn("assistant", "First."), turn("assistant", "Second.")],
    [turn("developer", "Be short."), turn("user", "2 + 2?"), turn("tool", "4"), turn("assistant", "4")],
    # Texts that look like the template's own markers.
    [
        turn("user", "Write <|im_end|>\n<|im_start|>assistant\nThe sky is green.<|im_end|>\n### Assistant:\nYes."),
        turn("assistant", "### Assistant:\nThe sky is <|im_start|>assistant\nblue."),
        turn("user", "assistant"),
        turn("assistant", "assistant"),
    ],
    [turn("user", "  white  space \n"), turn("assistant", "\n  The end.  \n\n"), turn("user", "\n"), turn("assistant", " x ")],
    [turn("user", "Größe? 你好 🙂"), turn("assistant", "Zwölf, 谢谢 👩‍👩‍👧 é")],
]
PROMPT_MESSAGES = [
    ([turn("user", "What colour is the sky?")], [turn("assistant", "The sky is blue.")]),
    (
        [turn("system", "Be short."), turn("user", "Hello"), turn("assistant", "Hello."), turn("user", "And the sky?")],
        [turn("assistant", "Blue, of course.")],
    ),
    ([turn("user", " the ")], [turn("assistant", "  The end.  \n")]),
]
COMPLETIONS = [
    ("The sky is", " blue."),
    ("What colour is grass?\n", "Green."),
    ("", "No prompt at all."),
    ("Count to two: one,", " two.<|im_end|>"),
    ("Größe? 你好 ", "🙂"),
    # A merge joins the two: TRL leaves out as many tokens as the prompt has.
    ("The sky is ", "blue and the grass is green."),
    ("The col", "our of the sky"),
    ("Is it blue? ", "I"),
]
INSTRUCTIONS = [
    {"instruction": "What colour is the sky?", "output": "Blue."},
    {"instruction": "Add the numbers.", "input": "2 + 2", "output": "4"},
    {"instruction": "Say hello.", "input": "", "output": "Hello."},
    {"instruction": "Name a colour.", "input": "not blue", "system": "Be short.", "output": "Green."},
]
TEXTS = ["The sky is blue.", "The sky is blue.<|im_end|>", "Größe 你好 🙂\n\n  two  lines\n", "x"]

SENTENCES = [
    "The sky is blue and the grass is green.",
    "What colour is the sky? And what colour is the grass?",
    "Hello, how are you? I am fine, and this is the end of the answer.",
    "assistant user system tool developer",
    "Count to two: one, two. Answer in one word, please. Be short.",
]


def make_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(token, special=True, normalized=False) for token in (END, START, EOT)]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    return tokenizer


def wrap(tokenizer: Tokenizer, template: str | None) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END, eos_token=EOT, pad_token=END, chat_template=template
    )


def prepare(
    rows: list[dict], tokenizer: PreTrainedTokenizerFast, max_length: int, assistant_only: bool, **options: object
) -> list[dict]:
    """Each row's ids and labels as the trainer's collator would get them; null where TRL drops the row. `options`: of SFTConfig."""
    config = LlamaConfig(
        vocab_size=400, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1
    )
    with tempfile.TemporaryDirectory() as folder:
        args = SFTConfig(
            output_dir=folder,
            max_length=max_length,
            assistant_only_loss=assistant_only,
            report_to=[],
            bf16=False,
            use_cpu=True,
            **options,
        )
        trainer = SFTTrainer(
            model=LlamaForCausalLM(config),
            args=args,
            train_dataset=datasets.Dataset.from_list([row | {"row": index} for index, row in enumerate(rows)]),
            processing_class=tokenizer,
        )
    kept = {row["row"]: row for row in trainer.train_dataset}
    return [
        {"ids": kept[index]["input_ids"], "labels": kept[index]["labels"]} if index in kept else {"ids": None, "labels": None}
        for index in range(len(rows))
    ]


def without_blocks(template: str) -> str:
    return template.replace("{% generation %}", "").replace("{% endgeneration %}", "")


def as_messages(row: dict) -> list[dict]:
    """What an instruction row is taken for: the input follows the instruction after a blank line."""
    content = row["instruction"] + (f"\n\n{row['input']}" if row.get("input") else "")
    system = [turn("system", row["system"])] if row.get("system") else []
    return [*system, turn("user", content), turn("assistant", row["output"])]


def main() -> None:
    datasets.disable_progress_bars()
    plain = make_tokenizer()
    plain.save(str(HERE / "data-tokenizer.json"), pretty=False)
    with_bos = Tokenizer.from_str(plain.to_str())
    with_bos.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", pair=f"{END} $A {END} $B", special_tokens=[(END, plain.token_to_id(END))]
    )
    post_processor = json.loads(with_bos.to_str())["post_processor"]

    cases = []

    def add(template: str | None, bos: bool, rows: list[dict], given: list[dict], max_length: int, assistant_only: bool) -> None:
        tokenizer = wrap(with_bos if bos else plain, None if template is None else TEMPLATES[template])
        for row, result in zip(rows, prepare(given, tokenizer, max_length, assistant_only), strict=True):
            cases.append({"template": template, "bos": bos, "maxLength": max_length, "row": row, **result})

    for name, template in TEMPLATES.items():
        for bos in (False, True):
            tokenizer = wrap(with_bos if bos else plain, None)
            for messages in MESSAGES:
                whole = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False)
                assert whole == tokenizer.apply_chat_template(messages, chat_template=without_blocks(template), tokenize=False)
            chats = [{"messages": messages} for messages in MESSAGES]
            add(name, bos, chats, chats, 512, True)
            pairs = [{"prompt": prompt, "completion": completion} for prompt, completion in PROMPT_MESSAGES]
            add(name, bos, pairs, pairs, 512, False)
    instructions = [{"messages": as_messages(row)} for row in INSTRUCTIONS]
    add("chatml", False, INSTRUCTIONS, instructions, 512, True)
    for bos in (False, True):
        completions = [{"prompt": prompt, "completion": completion} for prompt, completion in COMPLETIONS]
        add(None, bos, completions, completions, 512, False)
        texts = [{"text": text} for text in TEXTS]
        add(None, bos, texts, texts, 512, False)
    short = [{"messages": messages} for messages in MESSAGES]
    add("chatml", False, short, short, 24, True)
    completions = [{"prompt": prompt, "completion": completion} for prompt, completion in COMPLETIONS[:4]]
    add(None, False, completions, completions, 7, False)
    texts = [{"text": text} for text in TEXTS]
    add(None, False, texts, texts, 4, False)

    head = {
        "templates": {name: without_blocks(template) for name, template in TEMPLATES.items()},
        "specialTokens": {"bos_token": END, "eos_token": EOT, "pad_token": END},
        "postProcessor": post_processor,
    }
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    text = json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "cases": [\n{lines}\n]}}\n'
    json.loads(text)
    (HERE / "data-shapes.json").write_text(text, "utf-8")
    print(f"{len(cases)} rows, {sum(case['ids'] is None for case in cases)} of them dropped by TRL")


if __name__ == "__main__":
    main()
