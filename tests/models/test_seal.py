"""What is sealed is found out when it is altered, and only who holds the key can seal."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.seal import START, BrokenSeal, Key, canonical, digest_of, link, read_link, sealed, unsealed

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
PURPOSE = "a test"
TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(TEXTS, VALUES, max_size=4)
NOT_OURS = [b"", b"\n", b"[1]\n", b"{}", b"{ }\n", b'{"a":1,"a":2}\n', b'{"a":NaN}\n', b"\xff\n", b'"\\ud800"\n']


def forged(line: bytes, **changes: Any) -> bytes:
    """The line with changes and a digest that fits them, as somebody without the key can make it."""
    document = json.loads(line) | changes
    rest = {name: document[name] for name in ("previous", "record", "sequence")}
    return canonical(document | {"digest": digest_of(rest)}) + b"\n"


@given(RECORDS)
def test_what_was_linked_reads_back(record: dict[str, Any]) -> None:
    found = read_link(PURPOSE, link(PURPOSE, record, 3, "a" * 64, KEY), 3, "a" * 64, KEY)
    assert (found.record, found.sequence, found.previous) == (record, 3, "a" * 64)


@given(RECORDS, st.data())
def test_no_byte_of_a_line_can_be_changed(record: dict[str, Any], data: st.DataObject) -> None:
    line = bytearray(link(PURPOSE, record, 1, START, KEY))
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BrokenSeal, match=r"was altered|as this program writes|another key|its seal|number|does not follow"):
        read_link(PURPOSE, bytes(line), 1, START, KEY)


def test_the_seal_is_the_published_hmac_of_canonical_json() -> None:
    by_hand = hmac.new(bytes(range(32)), b'["a test",{"a":1,"b":"\xc3\xa9"}]', hashlib.sha256).hexdigest()
    assert KEY.seal(PURPOSE, {"b": "é", "a": 1}) == by_hand


def test_a_record_edited_by_hand_has_another_digest() -> None:
    line = link(PURPOSE, {"by": "A. Frey"}, 1, START, KEY).replace(b"A. Frey", b"B. Frey")
    with pytest.raises(BrokenSeal, match="another digest than the one it carries"):
        read_link(PURPOSE, line, 1, START, KEY)


def test_a_record_edited_with_its_digest_computed_anew_does_not_bear_its_seal() -> None:
    line = forged(link(PURPOSE, {"by": "A. Frey"}, 1, START, KEY), record={"by": "B. Frey"})
    with pytest.raises(BrokenSeal, match="without the key"):
        read_link(PURPOSE, line, 1, START, KEY)


def test_a_record_sealed_with_another_key_is_refused_and_both_keys_are_named() -> None:
    with pytest.raises(BrokenSeal, match=rf"another key \({OTHER.name}\); the key at hand is {KEY.name}"):
        read_link(PURPOSE, link(PURPOSE, {}, 1, START, OTHER), 1, START, KEY)


def test_a_forger_who_names_the_right_key_is_found_out() -> None:
    line = json.loads(link(PURPOSE, {}, 1, START, OTHER)) | {"key": KEY.name}
    with pytest.raises(BrokenSeal, match="does not bear its seal"):
        read_link(PURPOSE, canonical(line) + b"\n", 1, START, KEY)


def test_a_seal_for_one_purpose_is_worth_nothing_for_another() -> None:
    with pytest.raises(BrokenSeal, match="does not bear its seal"):
        unsealed("champion", sealed("ledger head", {"digest": "a"}, KEY), KEY)


@pytest.mark.parametrize("line", [*NOT_OURS, b"[" * 100_000 + b"\n"], ids=[*map(repr, NOT_OURS), "deep"])
def test_bytes_that_this_program_does_not_write_are_no_record(line: bytes) -> None:
    with pytest.raises(BrokenSeal, match="not as this program writes it"):
        read_link(PURPOSE, line, 1, START, KEY)


@pytest.mark.parametrize("line", [b"{}\n", b'{"digest":3,"record":[],"seal":{}}\n', b'{"key":null,"seal":null}\n'])
def test_an_object_without_the_fields_of_a_record_is_refused(line: bytes) -> None:
    with pytest.raises(BrokenSeal, match="another digest"):
        read_link(PURPOSE, line, 1, START, KEY)


def test_a_line_in_the_wrong_place_says_which_number_it_carries() -> None:
    with pytest.raises(BrokenSeal, match="carries the number 2 where 1 is due"):
        read_link(PURPOSE, link(PURPOSE, {}, 2, START, KEY), 1, START, KEY)


def test_a_line_of_another_chain_does_not_follow() -> None:
    with pytest.raises(BrokenSeal, match="does not follow the line before it"):
        read_link(PURPOSE, link(PURPOSE, {}, 2, "b" * 64, KEY), 2, "a" * 64, KEY)


def test_neither_the_key_nor_its_name_shows_the_secret() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert KEY.name not in KEY.secret.hex()
