"""Makes data-templates.json: conversations, and what transformers renders of them with the built-in chat templates.

Run:  .cache/python/bin/python tests/golden/data_templates.py     (seconds; transformers 5.18.0)

The templates are read from src/data/templates/*.ts. A text is null where the template refuses the conversation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from data_shapes import MESSAGES, make_tokenizer, turn, wrap

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "src" / "data" / "templates"

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather at a place & now",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Name of the city"}},
            "required": ["city"],
        },
    },
}
CALL = {"id": "call00001", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}}
TOOL_CHAT = [
    turn("system", "Be short."),
    turn("user", "How is the weather?"),
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": '{"sky": "blue"}', "tool_call_id": "call00001", "name": "get_weather"},
    turn("assistant", "The sky is blue."),
]
CONVERSATIONS = [
    *({"messages": [{key: value for key, value in m.items() if key != "weight"} for m in messages]} for messages in MESSAGES),
    {"messages": TOOL_CHAT, "tools": [WEATHER]},
    {"messages": TOOL_CHAT[1:], "tools": [WEATHER, WEATHER]},
    {"messages": TOOL_CHAT},
    {"messages": [turn("user", "Hello"), {"role": "assistant", "content": "I ask.", "tool_calls": [CALL, CALL["function"]]}]},
    {"messages": [{"role": "user", "content": "Add.\n\n2 + 2", "input": "2 + 2"}, turn("assistant", "4"), turn("user", "Why?")]},
    {"messages": [turn("system", "Be short."), {"role": "user", "content": "Add.\n\n2 + 2", "input": "2 + 2"}]},
    {"messages": [{"role": "user", "content": "Add. 2 + 2", "input": "2 + 2"}]},
]


def template_of(path: Path) -> str:
    found = re.search(r"jinja: String\.raw`([^`]*)`", path.read_text("utf-8"))
    assert found and "${" not in found[1], path
    return found[1]


def main() -> None:
    tokenizer = wrap(make_tokenizer(), None)
    paths = [path for path in sorted(SOURCES.glob("*.ts")) if path.stem not in ("index", "types")]
    cases = []
    for conversation in CONVERSATIONS:
        texts = {}
        for path in paths:
            for prompt in (False, True):
                try:
                    text = tokenizer.apply_chat_template(
                        conversation["messages"],
                        tools=conversation.get("tools"),
                        chat_template=template_of(path),
                        add_generation_prompt=prompt,
                        tokenize=False,
                    )
                except Exception as error:  # noqa: BLE001: whatever a template raises is a refusal
                    print(path.stem, [m["role"] for m in conversation["messages"]], error)
                    text = None
                texts.setdefault(path.stem, []).append(text)
        cases.append({**conversation, "texts": texts})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    (HERE / "data-templates.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    print(f"{len(cases)} conversations, {len(paths)} templates")


if __name__ == "__main__":
    main()
