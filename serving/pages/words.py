"""The words of the pages, apart from the pages: one file of each language for each page, so that a second one can be added.

    words/en/layout.toml     what stands on every page
    words/en/<page>.toml     what stands on that one; `{name}` in a sentence is filled in
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "words"


@cache
def words(language: str = ENGLISH) -> Mapping[str, Any]:
    """Every word by page and name: `words()["layout"]["sign_out"]`."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((_FOLDER / language).glob("*.toml"))}


def say(page: str, key: str, /, **filled: object) -> str:
    """One sentence, filled in; KeyError where there is none of that name."""
    found: str = words()[page][key]
    return found.format(**filled)
