"""Makes data-conformance.json: digests of what transformers makes of public test files, which the tests read where they are present.

Run:  .cache/python/bin/python tests/golden/data_conformance.py ../shared/data/conformance     (seconds; transformers 5.18.0)

"templates": for each of llama.cpp's chat templates and each conversation, with and without generation prompt, the first 16 hex digits
of SHA-256 over the rendered UTF-8 text; null where transformers refuses. Templates that write the date are rendered on `DATE`.
"naughty": for each string of the big list of naughty strings, the same digest over its token ids, separated by commas, as the tokenizer of
data-tokenizer.json gives them.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import sys
from pathlib import Path

import transformers.utils.chat_template_utils as chat_templates
from data_shapes import make_tokenizer, turn, wrap
from data_templates import TOOL_CHAT, WEATHER

HERE = Path(__file__).resolve().parent
DATE = "2026-05-03"
CONVERSATIONS = [
    {"messages": [turn("user", "What colour is the sky?")]},
    {"messages": [turn("user", " Hello "), turn("assistant", "\nHello, how are you?\n"), turn("user", "Fine.")]},
    {
        "messages": [
            turn("system", "Be short."),
            turn("user", "Größe? 你好 <b>&amp;</b>"),
            turn("assistant", "Zwölf."),
            turn("user", "And \"the\" sky?\n\n"),
            turn("assistant", "Blue."),
        ]
    },
    {"messages": TOOL_CHAT, "tools": [WEATHER]},
    {"messages": TOOL_CHAT[1:], "tools": [WEATHER]},
]


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return datetime.datetime.fromisoformat(f"{DATE}T12:00:00")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def main(folder: Path) -> None:
    chat_templates.datetime = FixedDate
    tokenizer = wrap(make_tokenizer(), None)
    templates = {}
    for path in sorted((folder / "chat-templates-llamacpp" / "templates").glob("*.jinja")):
        digests = []
        for conversation in CONVERSATIONS:
            for prompt in (False, True):
                try:
                    text = tokenizer.apply_chat_template(
                        conversation["messages"],
                        tools=conversation.get("tools"),
                        chat_template=path.read_text("utf-8"),
                        add_generation_prompt=prompt,
                        tokenize=False,
                    )
                    digests.append(digest(text))
                except Exception as error:  # noqa: BLE001: whatever a template raises is a refusal
                    print(path.stem, [m["role"] for m in conversation["messages"]], error)
                    digests.append(None)
        templates[path.name] = digests
    strings = json.loads((folder / "naughty-strings" / "blns.json").read_text("utf-8"))
    naughty = [digest(",".join(map(str, tokenizer(text)["input_ids"]))) for text in strings]
    out = {"script": "tests/golden/data_conformance.py", "date": DATE, "conversations": CONVERSATIONS, "templates": templates, "naughty": naughty}
    (HERE / "data-conformance.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{len(templates)} templates, {len(naughty)} strings")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
