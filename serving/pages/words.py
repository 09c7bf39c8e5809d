"""The words of the pages, apart from the pages: one file of each language for each page, so that a second one can be added.

    words/en/layout.toml     what stands on every page
    words/en/<page>.toml     what stands on that one; `{name}` in a sentence is filled in
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "words"


@cache
def words(language: str = ENGLISH) -> Mapping[str, SimpleNamespace]:
    """Every word by page and name: `words()["layout"].sign_out`; no mapping, for that one has words of its own (keys, copy)."""
    found = sorted((_FOLDER / language).glob("*.toml"))
    return {path.stem: SimpleNamespace(**tomllib.loads(path.read_text(encoding="utf-8"))) for path in found}


def say(page: str, key: str, /, **filled: object) -> str:
    """One sentence, filled in; AttributeError where there is none of that name."""
    found: str = getattr(words()[page], key)
    return found.format(**filled)
