"""The page of a receipt shows its numbers and no others, to whom it may concern, and noted first."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

import pytest

from models.example import EXAMPLE
from models.identity import Identity, Role
from serving.pages.owned import REFUSED_SECONDS
from serving.receipts.telling import percent, signed

from .conftest import ELSEWHERE, ERASED, ERASURE, HERE, OF_ANOTHER_UNIT, SCORES, SITE, WHOLE, House, somebody

AUDITOR, CLINICIAN = Role.AUDITOR, Role.CLINICIAN
EXACT = re.compile(r'<data value="([^"]*)">([^<]*)</data>')


def page(house: House, number: int = WHOLE, who: Identity | Role = AUDITOR) -> str:
    answer = house.ask(who, f"/audit/receipts/{number}")
    assert answer.status_code == 200, answer.text
    return answer.text


def table(page: str, id: str) -> list[list[tuple[float, str]]]:
    """The numbers of a table, row by row: as they are in the receipt, and as they are shown."""
    (body,) = re.findall(rf'<table id="{id}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    found = [[(float(exact), shown) for exact, shown in EXACT.findall(row)] for row in rows]
    return [row for row in found if row]


def horizons(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(document["answer"]["explanation"]["horizons"].values())


def test_every_risk_on_the_page_is_the_one_of_the_receipt(shared: House) -> None:
    risks = shared.document(WHOLE)["answer"]["risks"]
    names = ("risk", "low", "high", "reference", "died_share")
    assert table(page(shared), "risks") == [[(one[name], percent(one[name])) for name in names] for one in risks.values()]


def test_every_term_on_the_page_is_the_one_of_the_receipt_and_they_add_up(shared: House) -> None:
    found, document = table(page(shared), "terms"), shared.document(WHOLE)
    expected = [[one["base"] for one in horizons(document)]]
    inputs = document["answer"]["explanation"]["inputs"]
    expected += [[one["terms"][input["feature"]] for one in horizons(document)] for input in inputs]
    expected += [[one["time_bound"] for one in horizons(document)], [one["log_odds"] for one in horizons(document)]]
    assert [[exact for exact, _ in row] for row in found] == expected
    assert all(shown == signed(exact) for row in found for exact, shown in row)
    for column in range(len(horizons(document))):
        *parts, whole = [row[column][0] for row in found]
        assert math.fsum(parts) == pytest.approx(whole, abs=1e-9)


def test_the_points_of_the_groups_lead_from_the_reference_to_the_risk(shared: House) -> None:
    found, document = table(page(shared), "points"), shared.document(WHOLE)
    for place, (days, one) in enumerate(document["answer"]["explanation"]["horizons"].items()):
        reference, *points, risk = [row[place][0] for row in found]
        assert points == [group["percentage_points"] for group in one["groups"]]
        assert (reference, risk) == tuple(document["answer"]["risks"][days][name] for name in ("reference", "risk"))
        assert 100 * reference + math.fsum(points) == pytest.approx(100 * risk, abs=1e-7)


def test_the_figures_end_at_the_log_odds_and_at_the_risk_of_every_horizon(shared: House) -> None:
    html, document = page(shared), shared.document(WHOLE)
    for days, one in document["answer"]["explanation"]["horizons"].items():
        risk = 100 * document["answer"]["risks"][days]["risk"]
        for id, end in (("terms", f"{one['log_odds']:.2f}"), ("groups", f"{risk:.1f}")):
            (figure,) = re.findall(rf'<svg[^>]*aria-labelledby="figure-{id}-{days}".*?</svg>', html, re.DOTALL)
            assert re.findall(r'<text class="end strong"[^>]*>([^<]*)</text>', figure)[-1] == end


def test_what_came_in_how_it_was_understood_and_who_asked_stand_there(shared: House) -> None:
    html = page(shared)
    came, understood = ("cells/uL", "900", "p-2"), ("10*9/L", "0.9", "converted", "stale", "not measured", "estimated")
    for words in (*came, *understood, SITE, "A. Frey", HERE):
        assert words in html, words
    for line in shared.document(WHOLE)["answer"]["text"].split("\n"):
        assert line.replace("'", "&#39;").replace("<", "&lt;").replace(">", "&gt;") in html
    assert html.count("https://") == 1  # the issuer of whoever asked: nothing is fetched from anywhere


def test_a_model_of_simulated_patients_says_so_above_all(shared: House) -> None:
    assert f'<p class="example" role="note">{EXAMPLE}</p>' in page(shared)


def test_the_seals_are_checked_and_hold(shared: House) -> None:
    html = page(shared)
    assert html.count(">holds<") == 5
    assert "as it was written" in html
    assert "NOT as it was written" not in html


def test_a_score_is_computed_again_in_the_page_and_the_verdict_is_noted(house: House) -> None:
    answer = house.ask(AUDITOR, f"/audit/receipts/{WHOLE}/replay", {})
    assert (answer.status_code, "Computed again just now: equal to the bit" in answer.text) == (200, True)
    assert house.notes == [("replayed", {"receipt": WHOLE, "verdict": "equal to the bit"})]
    assert table(answer.text, "risks") == table(page(house), "risks")


def altered(house: House, number: int, column: str, value: object) -> None:
    """Somebody with the database in hand alters a record."""
    with sqlite3.connect(house.archive.folder / "receipts.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(f"UPDATE records SET {column} = ? WHERE sequence = ?", (value, number))
    database.close()


def test_an_altered_receipt_is_called_one_and_is_not_computed_again(house: House) -> None:
    altered(house, WHOLE, "time", "2026-01-01T00:00:00.000000Z")
    html = page(house)
    assert "NOT as it was written" in html
    assert "DOES NOT HOLD" in html
    replayed = house.ask(AUDITOR, f"/audit/receipts/{WHOLE}/replay", {}).text
    assert "Computed again just now: not replayable" in replayed
    assert "equal to the bit" not in replayed


def test_a_receipt_whose_content_does_not_open_shows_why(house: House) -> None:
    altered(house, WHOLE, "payload", b"x" * 60)
    html = page(house)
    assert f"record {WHOLE} does not open" in html
    assert table(html, "checks") == []


def test_an_erased_receipt_tells_who_had_it_erased_and_why_and_nothing_else(shared: House) -> None:
    html = page(shared, ERASED)
    assert "erased by B. Okoro" in html
    assert "asked by the patient" in html
    assert "Compute it again" not in html
    assert 'id="terms"' not in html


TOLD = [(1, "The service began to write receipts: model hand-made"), (ERASURE, "B. Okoro had the key of a patient destroyed")]


@pytest.mark.parametrize(("number", "words"), TOLD)
def test_an_event_is_told_in_a_sentence(shared: House, number: int, words: str) -> None:
    assert words in page(shared, number)


def test_a_clinician_sees_the_receipts_of_the_own_unit_without_the_auditor_s_tools(house: House) -> None:
    html = page(house, WHOLE, CLINICIAN)
    assert table(html, "risks") == table(page(house), "risks")
    assert not re.search(r"replay|/json|/print|Seals|checks|signature", html)


def test_another_unit_s_receipt_is_not_found_as_if_it_did_not_exist_and_the_attempt_is_noted(house: House) -> None:
    absent, others = (house.ask(CLINICIAN, f"/audit/receipts/{number}") for number in (999, OF_ANOTHER_UNIT))
    assert (absent.status_code, others.status_code) == (404, 404)
    assert len({re.sub(r'name="csrf" value="\w+"', "", one.text) for one in (absent, others)}) == 1
    assert absent.headers == others.headers
    others_noted = ("looked for another unit's receipt", {"receipt": OF_ANOTHER_UNIT})
    assert house.notes == [("looked for no receipt", {"receipt": 999}), others_noted]
    assert house.ask(somebody(CLINICIAN, ELSEWHERE), f"/audit/receipts/{OF_ANOTHER_UNIT}").status_code == 200


@pytest.mark.parametrize("number", [1, 999, OF_ANOTHER_UNIT])
def test_there_is_none_and_it_is_not_yours_are_told_after_the_same_time(shared: House, number: int) -> None:
    for path in (f"/audit/receipts/{number}", f"/v1/receipts/{number}"):
        began = time.monotonic()
        assert shared.ask(CLINICIAN, path).status_code == 404
        assert time.monotonic() - began >= REFUSED_SECONDS


@pytest.mark.parametrize("number", [1, ERASED, ERASURE])
def test_events_and_what_was_erased_are_of_no_unit(shared: House, number: int) -> None:
    assert shared.ask(somebody(CLINICIAN, ""), f"/audit/receipts/{number}").status_code == 404


@pytest.mark.parametrize("way", ["/print", "/json"])
@pytest.mark.parametrize("role", [CLINICIAN, Role.DATA_SCIENTIST, Role.ADMINISTRATOR])
def test_the_auditor_s_copies_are_for_auditors(shared: House, role: Role, way: str) -> None:
    assert shared.ask(role, f"/audit/receipts/{WHOLE}{way}").status_code == 403


@pytest.mark.parametrize("role", [Role.DATA_SCIENTIST, Role.ADMINISTRATOR])
def test_neither_data_scientists_nor_administrators_see_a_patient(shared: House, role: Role) -> None:
    for path in (f"/audit/receipts/{WHOLE}", "/audit", "/audit/export"):
        assert shared.ask(role, path).status_code == 403


def test_the_download_is_the_whole_receipt_and_noted_as_taken_away(house: House) -> None:
    answer = house.ask(AUDITOR, f"/audit/receipts/{WHOLE}/json")
    assert answer.headers["content-disposition"] == f'attachment; filename="receipt-{WHOLE}.json"'
    assert answer.json()["content"] == house.document(WHOLE)
    assert house.notes == [("exported", {"receipt": WHOLE, "form": "json", "records": 1})]


def test_the_printable_page_is_the_one_of_the_command_line_with_the_style_of_the_service(shared: House) -> None:
    answer = shared.ask(AUDITOR, f"/audit/receipts/{WHOLE}/print")
    assert answer.status_code == 200
    assert "<style" not in answer.text
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]*)">', answer.text)
    assert shared.ask(None, style).headers["content-type"] == "text/css; charset=utf-8"
    assert f"Receipt {WHOLE}" in answer.text


def test_every_view_is_noted_before_it_is_shown(house: House) -> None:
    page(house)
    page(house, WHOLE, CLINICIAN)
    assert house.notes == [("viewed", {"receipt": WHOLE})] * 2
    house.writer.close()
    for way in ("", "/print", "/json"):
        answer = house.ask(AUDITOR, f"/audit/receipts/{WHOLE}{way}")
        assert answer.status_code == 503
        assert not re.search(r"\d\.\d %|log_odds", answer.text)


@pytest.mark.parametrize("number", ["0", "-1", "x", "1e3", "9" * 19, "٣"])
def test_what_is_no_number_names_no_receipt(shared: House, number: str) -> None:
    assert shared.ask(AUDITOR, f"/audit/receipts/{number}").status_code == 404


def test_a_number_typed_in_leads_to_the_receipt(shared: House) -> None:
    answer = shared.ask(CLINICIAN, f"/audit/receipts?number={WHOLE}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/audit/receipts/{WHOLE}")
    assert shared.ask(CLINICIAN, "/audit/receipts?number=../x").status_code == 404


@pytest.mark.parametrize("number", range(1, SCORES + 3))
def test_every_page_is_small_is_kept_by_nobody_and_holds_no_style_and_no_script(shared: House, number: int) -> None:
    answer = shared.ask(AUDITOR, f"/audit/receipts/{number}")
    assert len(answer.content) < 150_000
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<style|style=|<script(?![^>]* src=)|\son[a-z]+=|javascript:", answer.text)


def test_numbers_as_json_are_those_of_python(shared: House) -> None:
    for exact, _ in EXACT.findall(page(shared)):
        assert json.loads(exact) == float(exact)
