"""The plainest parts of the document: texts, days, lists and objects as JSON Schema, and how one part names another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from serving.plain_words import (
    IDENTIFYING,
    LABEL_NEVER,
    LABEL_NEVER_FIRST,
    LABEL_RULE,
    LONGEST_ID,
    LONGEST_LABEL,
    MARKUP,
    PSEUDONYM,
    PSEUDONYM_RULE,
)
from serving.strict_json import LARGEST, LONGEST_KEY, LONGEST_TEXT, UNPLAIN

Schema = dict[str, Any]

HEX_64 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
DATE = {"type": "string", "format": "date"}


def ref(name: str) -> Schema:
    """The component of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties: Schema, required: Iterable[str] | None = None) -> Schema:
    """An object with these fields and no others; all of them required unless said otherwise."""
    needed = list(properties if required is None else required)
    return {"type": "object", "additionalProperties": False, "required": needed, "properties": properties}


def keyed(values: Schema, names: str = "") -> Schema:
    """An object that holds `values` under any name, or under those that match a pattern."""
    pattern = {"propertyNames": {"pattern": names}} if names else {}
    return {"type": "object", "additionalProperties": values, **pattern}


def rows(item: Schema, **bounds: int) -> Schema:
    return {"type": "array", "items": item, **bounds}


def nullable(schema: Schema) -> Schema:
    """The same, or null: nothing is known of it."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of_words(words: Iterable[object]) -> Schema:
    """One of the words, each once; null, true and false may be among them."""
    return {"enum": list(dict.fromkeys(words))}


def text(longest: int = LONGEST_TEXT) -> Schema:
    """A text as strict JSON takes it: without control characters and signs that turn the direction of writing."""
    return {"type": "string", "maxLength": longest, "pattern": _PLAIN}


def _escaped(sign: str) -> str:
    return sign if sign == "-" else f"\\u{ord(sign):04x}"


# Surrogates are left out: no text in UTF-8 holds one, and no two libraries agree on what a pattern with them means.
_PLAIN = f"^[^{''.join(map(_escaped, UNPLAIN.removesuffix(chr(0xD800) + '-' + chr(0xDFFF))))}]*$"

NAME = {"type": "string", "maxLength": LONGEST_KEY, "pattern": _PLAIN}
NUMBER = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
ANYTHING: Schema = {
    "description": "any strict JSON, nested at most as deep as the whole request may be",
    "anyOf": [
        {"type": ["boolean", "null"]},
        NUMBER,
        ref("Text"),
        rows(ref("Anything")),
        {"type": "object", "propertyNames": NAME, "additionalProperties": ref("Anything")},
    ],
}
LABEL_OF: Schema = {
    "description": LABEL_RULE,
    "type": "string",
    "maxLength": LONGEST_LABEL,
    "pattern": f"^[^{LABEL_NEVER}{_PLAIN[3:-3]}{LABEL_NEVER_FIRST}][^{LABEL_NEVER}{_PLAIN[3:-3]}]*$",
    "not": {"pattern": MARKUP},
}
PSEUDONYM_OF: Schema = {
    "description": PSEUDONYM_RULE,
    "type": "string",
    "maxLength": LONGEST_ID,
    "pattern": PSEUDONYM,
    "not": {"pattern": IDENTIFYING},
}
PARTS: Schema = {"Text": text(), "Label": LABEL_OF, "Pseudonym": PSEUDONYM_OF, "Anything": ANYTHING}
