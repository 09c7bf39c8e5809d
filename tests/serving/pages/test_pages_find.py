"""Receipts are found by number, digest, day, model and pseudonym; every search is noted, no pseudonym stands in an address."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from models.identity import Role
from serving.pages import finding
from serving.pages.finding import Search, found_in

from .conftest import ERASED, ERASURE, SCORES, WHOLE, House

AUDITOR = Role.AUDITOR
TODAY = datetime.now(UTC).date()


def numbers(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'href="/audit/receipts/(\d+)"', page)]


def test_the_newest_scores_come_first_and_the_search_is_noted(house: House) -> None:
    page = house.ask(AUDITOR, "/audit")
    assert page.status_code == 200
    assert numbers(page.text) == list(range(SCORES + 1, 1, -1))
    assert house.notes == [("searched", {"show": "score", "found": SCORES})]


@pytest.mark.parametrize(
    ("show", "found"), [("score", list(range(SCORES + 1, 1, -1))), ("event", [ERASURE, 1]), ("all", list(range(ERASURE, 0, -1)))]
)
def test_events_are_told_in_sentences_and_shown_when_asked_for(house: House, show: str, found: list[int]) -> None:
    page = house.ask(AUDITOR, f"/audit?show={show}")
    assert numbers(page.text) == found
    told = "B. Okoro had the key of a patient destroyed" in page.text and "The service began to write receipts" in page.text
    assert told == (show != "score")


def test_who_looked_at_what_is_shown_when_asked_for(house: House) -> None:
    house.ask(AUDITOR, f"/audit/receipts/{WHOLE}")
    page = house.ask(AUDITOR, "/audit?show=access")
    assert f"A. Frey (auditor) viewed receipt {WHOLE}." in page.text


def test_a_number_or_the_beginning_of_a_digest_leads_to_its_receipt(house: House) -> None:
    record = house.archive.store.record(WHOLE)
    assert record is not None
    for id in (str(WHOLE), record.digest[:8], record.digest, f" {record.digest[:12].upper()} "):
        answer = house.ask(AUDITOR, f"/audit?id={id}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/audit/receipts/{WHOLE}")
    assert house.notes == [("searched", {"found": 1})] * 4


@pytest.mark.parametrize("id", ["999", "00000000", "p-2", "x" * 70, "12345678901234567890"])
def test_what_names_no_receipt_is_said_and_noted_without_the_word(house: House, id: str) -> None:
    page = house.ask(AUDITOR, f"/audit?id={id}")
    assert (page.status_code, "No receipt of that number or digest." in page.text) == (404, True)
    assert house.notes == [("searched", {"found": 0})]


def test_a_pseudonym_is_posted_and_stands_in_no_address_no_note_and_no_answer(house: House) -> None:
    page = house.ask(AUDITOR, "/audit/patient", {"pseudonym": f"p-{WHOLE}"})
    assert (page.status_code, numbers(page.text)) == (200, [WHOLE])
    assert house.notes == [("searched by pseudonym", {"found": 1})]
    assert f"p-{WHOLE}" not in page.text + str(page.url)
    assert house.ask(AUDITOR, f"/audit/patient?pseudonym=p-{WHOLE}").status_code == 405


def test_nobody_s_pseudonym_and_one_that_was_erased_are_told_apart(house: House) -> None:
    assert "None found." in house.ask(AUDITOR, "/audit/patient", {"pseudonym": "p-77"}).text
    erased = house.ask(AUDITOR, "/audit/patient", {"pseudonym": f"p-{ERASED}"}).text
    assert (numbers(erased), ">erased<" in erased) == ([ERASED], True)


def test_a_search_needs_the_token_of_its_page(house: House) -> None:
    for token in ("", "0" * 64):
        assert house.ask(AUDITOR, "/audit/patient", {"pseudonym": "p-2"}, token).status_code == 403
    assert house.notes == []


def test_days_are_searched_from_the_one_to_the_other(house: House) -> None:
    before, after = TODAY - timedelta(1), TODAY + timedelta(1)
    for since, until, found in [(before, after, SCORES), (TODAY, TODAY, SCORES), (None, before, 0), (after, None, 0)]:
        assert len(found_in(house.archive, Search(since, until)).rows) == found


def test_a_model_is_found_by_the_beginning_of_its_digest(house: House) -> None:
    digest = house.document(WHOLE)["model"]["digest"]
    assert len(found_in(house.archive, Search(model=digest[:6])).rows) == SCORES - 1  # what was erased tells no model
    other = "0000" if not digest.startswith("0000") else "ffff"
    assert found_in(house.archive, Search(model=other)).rows == ()


@pytest.mark.parametrize("asked", ["until=9999-12-31", "since=0001-01-01"])
def test_the_calendar_may_be_searched_from_its_first_day_to_its_last(house: House, asked: str) -> None:
    every, found = house.ask(AUDITOR, "/audit"), house.ask(AUDITOR, f"/audit?{asked}")
    assert (found.status_code, found.text.count("<tr>")) == (200, every.text.count("<tr>"))


UNCLEAR = ["since=yesterday", "since=2026-11-02&until=2026-11-01", "model=xyz", "model=abc", "until=2026-13-01"]


@pytest.mark.parametrize("asked", UNCLEAR)
def test_a_search_that_cannot_be_understood_is_said_and_not_made(house: House, asked: str) -> None:
    page = house.ask(AUDITOR, f"/audit?{asked}")
    assert (page.status_code, 'role="alert"' in page.text, house.notes) == (400, True, [])


def test_pages_follow_one_another_without_a_gap(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "SHOWN", 3)
    seen, path = [], "/audit?"
    while path:
        page = house.ask(AUDITOR, path).text.replace("&amp;", "&")
        seen += numbers(page)
        path = (re.findall(r'href="(/audit\?before=[^"]*)" rel="next"', page) or [""])[0]
    assert seen == list(range(SCORES + 1, 1, -1))


def test_a_search_stops_after_so_many_records_and_can_go_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LOOKED_AT", 4)
    first = found_in(house.archive, Search(model="0" * 64))
    assert (first.rows, first.last, first.older) == ((), ERASURE, 6)
    second = found_in(house.archive, Search(model="0" * 64, before=first.older))
    assert (second.rows, second.last, second.older) == ((), 5, None)


def test_nothing_is_shown_where_the_search_cannot_be_noted(house: House) -> None:
    house.writer.close()
    page = house.ask(AUDITOR, "/audit")
    assert (page.status_code, numbers(page.text)) == (503, [])
    assert "nothing is shown: that it was asked for could not be recorded (the receipts are closed)" in page.text
