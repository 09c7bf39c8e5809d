"""Verification from a page: one at a time, beside the service; what it found is kept, sealed, and told in words."""

from __future__ import annotations

import json
import re
import sqlite3
import threading

import pytest

from models.durable import locked
from models.identity import Role
from models.seal import BrokenSeal
from serving.pages import verifying
from serving.pages.verifying import LOCK, MARK, UNDER_WAY, VERIFIED, Verifying
from serving.receipts.heads import last_head

from .conftest import ERASURE, House

AUDITOR, ADMINISTRATOR, PATH = Role.AUDITOR, Role.ADMINISTRATOR, "/audit/verification"


def verified(house: House, extent: str = "whole", role: Role = AUDITOR) -> str:
    """The page after a verification has been begun and has ended."""
    begun = house.ask(role, PATH, {"extent": extent})
    assert (begun.status_code, begun.headers["location"]) == (303, PATH)
    with locked(house.archive.folder / LOCK):  # it has ended
        pass
    return house.ask(role, PATH).text


def test_before_the_first_there_is_none(house: House) -> None:
    assert "No verification was had done from here yet." in house.ask(AUDITOR, PATH).text


@pytest.mark.parametrize("role", [AUDITOR, ADMINISTRATOR])
def test_what_was_found_when_up_to_where_and_by_whom_is_told(house: House, role: Role) -> None:
    html = verified(house, role=role)
    assert "Every record is as it was written" in html
    assert f"up to record {ERASURE + 1};" in html  # with the note that it was begun
    assert "A. Frey (https://id.example)" in html


def test_begin_and_result_are_noted(house: House) -> None:
    verified(house)
    many = ERASURE + 1
    assert house.notes == [
        ("had the receipts verified", {"extent": "whole"}),
        ("found the receipts verified", {"records": many, "since": 0, "heads": many, "faults": 0}),
        ("viewed the verification", {}),
    ]


def test_the_next_one_goes_on_where_the_last_one_ended(house: House) -> None:
    verified(house)
    html = verified(house, "new")
    assert f"those up to record {ERASURE + 1} were verified another time" in html
    assert "were verified another time" not in verified(house, "whole")


def altered(house: House) -> None:
    with sqlite3.connect(house.archive.folder / "receipts.db") as database:
        database.execute("DROP TRIGGER no_update_of_records")
        database.execute("UPDATE records SET kind = 'opened' WHERE sequence = 3")
    database.close()


def test_what_was_altered_is_named_in_words(house: House) -> None:
    altered(house)
    html = verified(house)
    assert "NOT everything is as it was written" in html
    assert "record 3 was altered" in html
    (noted,) = (what for did, what in house.notes if did == "found the receipts verified")
    (shown,) = re.findall(r"<h3>What is not as it was written</h3><ul>(.*?)</ul>", html, re.DOTALL)
    assert noted["faults"] == shown.count("<li>")


def test_where_something_was_found_wrong_the_mark_does_not_move(house: House) -> None:
    verified(house)
    mark = (house.archive.folder / MARK).read_bytes()
    altered(house)
    verified(house)
    assert (house.archive.folder / MARK).read_bytes() == mark


def test_a_mark_that_was_altered_is_told_and_everything_is_verified(house: House) -> None:
    verified(house)
    path = house.archive.folder / MARK
    path.write_bytes(path.read_bytes().replace(b'"heads":', b'"heads":1'))
    html = verified(house, "new")
    assert "Every record is as it was written" in html
    assert "does not bear its seal" in html
    assert "were verified another time" not in html


def test_a_result_that_was_altered_is_not_believed(house: House) -> None:
    verified(house)
    path = house.archive.folder / VERIFIED
    path.write_bytes(path.read_bytes().replace(b'"erased":1', b'"erased":0'))
    html = house.ask(AUDITOR, PATH).text
    assert "does not bear its seal" in html
    assert "Every record is as it was written" not in html
    with pytest.raises(BrokenSeal, match="does not bear its seal"):
        Verifying(house.archive).last()


def test_while_one_is_under_way_it_is_told_how_far_and_no_other_begins(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on, begun = threading.Event(), threading.Event()
    real = verifying.verify

    def slow(*given: object, **named: object) -> object:
        begun.set()
        assert going_on.wait(30)
        return real(*given, **named)

    monkeypatch.setattr(verifying, "verify", slow)
    house.ask(AUDITOR, PATH, {"extent": "whole"})
    assert begun.wait(30)
    noted = len(house.notes)
    page = house.ask(AUDITOR, PATH).text
    assert "A verification is under way" in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert "<button>Begin</button>" not in page
    assert house.ask(AUDITOR, f"{PATH}/progress").json()["done"] == 0
    assert len(house.notes) == noted  # how far it has come shows no receipt
    assert not Verifying(house.archive).start("somebody else", True, lambda found: None)
    going_on.set()
    with locked(house.archive.folder / LOCK):
        pass
    assert house.ask(AUDITOR, f"{PATH}/progress").json() is None


def test_one_that_was_broken_off_is_told(house: House) -> None:
    told = {"by": "A. Frey", "began": "2026-11-23T08:00:00Z", "done": 7, "total": 10}
    (house.archive.folder / UNDER_WAY).write_text(json.dumps(told), encoding="utf-8")
    assert "begun by A. Frey at 2026-11-23 08:00:00 UTC was broken off" in house.ask(AUDITOR, PATH).text


def test_what_cannot_be_noted_is_not_kept_as_a_result(house: House) -> None:
    seen = Verifying(house.archive)

    def unnoted(found: object) -> None:
        house.writer.close()
        house.writer.record([])

    assert seen.start("A. Frey", True, unnoted)
    seen.wait()
    assert seen.last() is None
    progress = seen.progress()
    assert progress is not None
    assert not progress["goes_on"]


def test_the_last_head_and_the_public_key_are_there_to_be_copied(house: House) -> None:
    html = house.ask(AUDITOR, PATH).text
    head, _ = last_head(house.archive.store.heads)
    assert head is not None
    for value in (house.archive.store.public_key, head.digest, head.signature, house.archive.store.id):
        assert value in html


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.DATA_SCIENTIST])
def test_verification_is_for_auditors_and_administrators(house: House, role: Role) -> None:
    assert house.ask(role, PATH).status_code == 403
    assert house.ask(role, PATH, {"extent": "whole"}).status_code == 403
    assert not (house.archive.folder / VERIFIED).exists()
