"""The fixed words of the model card: where the text comes from, under which licence, and the limits.

Used by card.py; not run on its own. Keys are those of prepare.py (SOURCES) and of the conversation
counts that chat.py writes.
"""

from __future__ import annotations

from prepare import NEWEST_BOOK

# name, repositories, licence
SOURCE_ROWS = {
    "tinystories": (
        "TinyStories (a small subset)",
        "maxme1/tiny-stories, ToonTalk/jlens-tinystories, yuninxia/moe-routing-bench",
        "CDLA-Sharing-1.0 (the data set's licence; it puts no terms on results computed from the data)",
    ),
    "storybooks": (
        "Children's books: African Storybook and Pratham Books (StoryWeaver), English",
        "global-asp/asp-source, global-asp/pb-source",
        "CC BY per file (asp-source: files marked CC-BY; pb-source: CC BY 4.0 or public domain per file); credits in ATTRIBUTION.txt",
    ),
    "fairytaleqa": (
        "FairytaleQA: stories (Project Gutenberg) and questions",
        "uci-soe/FairytaleQAData",
        "Apache-2.0",
    ),
    "taskmaster": ("Taskmaster-4 dialogues", "google-research-datasets/Taskmaster", "CC BY 4.0"),
    "tatoeba": ("Tatoeba English sentences (via manythings.org)", "modelexlab/data", "CC BY 2.0 FR"),
    "common-voice": ("Common Voice English sentences", "reinhart1010/common-text", "CC0"),
    "classic-books": (
        f"Classic books: passages in the plainest words, from titles of {NEWEST_BOOK} or older only",
        "mlschmitt/classic-books-markdown",
        "public domain",
    ),
    "chatterbot": ("ChatterBot corpus, English: short exchanges of common words", "gunthercox/chatterbot-corpus", "BSD-3-Clause"),
}

CONVERSATIONS = {
    "everyday": "everyday conversations (templates written for this project, `scripts/model/everyday.py`)",
    "structured": "facts written as JSON (templates of the same file)",
    "chatterbot": "exchanges of the ChatterBot corpus",
    "taskmaster": "Taskmaster dialogues",
    "fairytaleqa": "FairytaleQA questions",
    "stories": "requests for a story answered with a TinyStories text",
}

LIMITS = """## Limits

- It knows words and the shape of stories, not facts. Answers are often wrong, off the question or repeat
  themselves; arithmetic and anything outside the small training text fail.
- English only; other scripts fall back to single bytes.
- It has seen far fewer tokens than larger models of its kind; stories repeat phrases and lose their thread.
- Contexts longer than the one named above are outside what it was trained on.
- The text is mostly simple children's stories, old fairy tales and old books; the latter carry the views of
  their time, some of them offensive today.
- Not filtered for safety and not meant for use with people who rely on its answers.
"""
