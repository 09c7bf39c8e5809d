"""The risk over time: every score of the pseudonym that the reader may see, no other, and what changed between two of them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from models.artifact import Artifact
from models.explanation import TIME_BOUND
from models.identity import Role
from serving.changes import Earlier, excerpt
from serving.pages import patient_course
from serving.pages.patient_course import Course, course_of
from serving.receipts.audited import audited
from serving.receipts.finding import Asked
from serving.recorded import Answering
from serving.wire import read_line

from .conftest import DESK, ELSEWHERE, HERE, PHONE, SITE, WIDER, House, built, entered, listening, scored, somebody, violations

FIRST, OF_THE_OTHERS, SECOND, THIRD, ALONE, NAMELESS = 2, 3, 4, 5, 6, 7
DAYS = {FIRST: "2026-03-02", OF_THE_OTHERS: "2026-03-20", SECOND: "2026-04-06", THIRD: "2026-05-04"}
LABS = {FIRST: (0.5, 9.0, 2400.0), OF_THE_OTHERS: (0.6, 8.0, 2000.0), SECOND: (0.8, 6.0, "<2.0"), THIRD: (1.4, 4.2, 310.0)}


def person(number: int, **more: Any) -> dict[str, Any]:
    alc, anc, ca19_9 = LABS[number]
    labs = (("alc", alc, "10*9/L"), ("anc", anc, "10*9/L"), ("ca19_9", ca19_9, "U/mL"), ("albumin", 35.0, "g/L"))
    measured = [{"analyte": name, "value": value, "unit": unit, "date": DAYS[number]} for name, value, unit in labs]
    fields = {"id": "p-77", "as_of": DAYS[number], "age_years": 61, "tumour": "pancreatic", "measurements": measured}
    return fields | {"history": {"prior_lines": 2}} | more


@pytest.fixture(scope="module")
def followed(loaded: Artifact, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three scores of a patient by one unit and one by another, the last compared with the first; two of other people."""
    folder = tmp_path_factory.mktemp("followed")

    def fill(writer: Any) -> None:
        for number in (FIRST, OF_THE_OTHERS, SECOND):
            writer.record([scored(loaded, person(number), ELSEWHERE if number == OF_THE_OTHERS else HERE)])
        writer.record([compared(loaded, folder)])
        writer.record([scored(loaded, person(FIRST, id="p-78"), HERE)])
        writer.record([scored(loaded, person(FIRST, id=None), HERE), scored(loaded, person(SECOND, id=None), HERE)])

    with built(loaded, model_folder, folder, fill=fill) as found:
        yield found


def compared(artifact: Artifact, folder: Path, id: str = "p-77", **otherwise: Any) -> Any:
    """What is recorded of the third score, which names the first; `otherwise` is told of that one what it does not hold."""
    from serving.receipts.archive import Archive
    from serving.receipts.keys import read_keys

    archive = Archive.open(folder / "receipts", read_keys(folder / "receipts.key"))
    record = archive.store.record(FIRST)
    assert record is not None
    told = excerpt(FIRST, record.digest, record.time, archive.receipt(record).document or {}) | otherwise
    given = json.dumps(person(THIRD, id=id)).encode()
    caller = {"by": "HTTP", "from": "loopback", "request": None, "who": dict(somebody(Role.CLINICIAN).as_json())}
    one = (read_line(given), lambda: given)
    return Answering(artifact, SITE).compared(one, caller, lambda place, refused: {}, Earlier(told, artifact)).drafts[0]


def seen(house: House, number: int, role: Role = Role.CLINICIAN, unit: str = HERE, main: str = "90") -> Course | None:
    record = house.archive.store.record(number)
    assert record is not None
    return course_of(house.archive, record, somebody(role, unit), main)


def page(house: House, number: int, role: Role = Role.CLINICIAN) -> str:
    answer = house.ask(role, f"/patient/{number}")
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_a_clinician_sees_the_scores_of_the_own_unit_alone_the_newest_first(followed: House) -> None:
    course = seen(followed, SECOND)
    assert course is not None
    assert [(one.number, one.day, one.here) for one in course.scores] == [
        (THIRD, DAYS[THIRD], False),
        (SECOND, DAYS[SECOND], True),
        (FIRST, DAYS[FIRST], False),
    ]


def test_an_auditor_sees_those_of_every_unit(followed: House) -> None:
    course = seen(followed, SECOND, Role.AUDITOR)
    assert course is not None
    assert [one.number for one in course.scores] == [THIRD, SECOND, OF_THE_OTHERS, FIRST]


def test_who_is_seen_once_or_has_no_pseudonym_has_no_course(followed: House) -> None:
    assert seen(followed, ALONE) is None
    assert seen(followed, NAMELESS) is None
    assert seen(followed, OF_THE_OTHERS, unit=ELSEWHERE) is None
    for number in (ALONE, NAMELESS):
        assert 'id="course"' not in page(followed, number)


def test_each_risk_and_value_is_that_of_its_own_receipt(followed: House) -> None:
    course = seen(followed, FIRST)
    assert course is not None
    for one in course.scores:
        document = followed.document(one.number)
        assert one.risk == document["answer"]["risks"]["90"]
        alc, anc, ca19_9 = LABS[one.number]
        assert one.values["alc"]["value"] == alc
        assert one.values["nlr"]["value"] == pytest.approx(anc / alc)
        assert one.values["ca19_9"]["limit"] == ("<" if ca19_9 == "<2.0" else "")


def test_the_pictures_are_of_the_risk_and_of_what_was_measured_with_days_before_the_newest(followed: House) -> None:
    course = seen(followed, FIRST)
    assert course is not None
    assert [one.analyte for one in course.pictures] == ["risk", "alc", "nlr", "ca19_9"]
    risk = course.pictures[0]
    assert [one.days for one in risk.draws] == [0.0, 28.0, 63.0]
    assert [one.value for one in risk.draws] == [100 * one.risk["risk"] for one in course.scores if one.risk]
    assert [one.limit for one in course.pictures[3].draws] == ["", "<", ""]
    assert risk.draws[0].x > risk.draws[1].x > risk.draws[2].x


def test_a_draw_of_five_weeks_ago_tells_nothing_of_the_day(followed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_course, "STALE_DAYS", -1.0)
    course = seen(followed, FIRST)
    assert course is not None
    assert all(one.values == {} for one in course.scores)
    assert [one.analyte for one in course.pictures] == ["risk"]


def test_ca19_9_is_drawn_within_the_assay_of_the_newest_score(followed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    draws_of = patient_course.draws_of

    def by_another_assay_at_first(patient: Any, name: str) -> Any:
        changed = name == "ca19_9" and draws_of(patient, "alc")[0]["value"] == LABS[FIRST][0]
        return [{**one, "method": "another"} if changed else one for one in draws_of(patient, name)]

    monkeypatch.setattr(patient_course, "draws_of", by_another_assay_at_first)
    course = seen(followed, FIRST)
    assert course is not None
    assert [len(one.draws) for one in course.pictures] == [3, 3, 3, 2]
    assert course.scores[-1].values["ca19_9"]["method"] == "another"


def test_whoever_may_score_is_led_to_the_form_that_names_this_receipt(followed: House) -> None:
    again = f'href="/patient?compared_with={SECOND}"'
    assert again in page(followed, SECOND)
    assert again not in page(followed, SECOND, Role.AUDITOR)
    assert "compared_with" not in page(followed, NAMELESS)


def test_a_horizon_that_a_score_does_not_tell_leaves_its_place_empty(followed: House) -> None:
    course = seen(followed, FIRST, main="77")
    assert course is not None
    assert [one.risk for one in course.scores] == [None, None, None]
    assert "risk" not in [one.analyte for one in course.pictures]


def test_the_newest_are_shown_and_it_is_said_that_there_are_more(followed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_course, "MOST", 2)
    course = seen(followed, FIRST)
    assert course is not None
    assert ([one.number for one in course.scores], course.more) == ([THIRD, SECOND], True)
    assert "The newest 2 are shown." in page(followed, FIRST)


def test_the_page_tells_the_course_in_a_table_with_the_way_to_each_answer(followed: House) -> None:
    (table,) = re.findall(r'<table id="scores">(.*?)</table>', page(followed, SECOND), re.DOTALL)
    assert re.findall(r'href="(/patient/[0-9]+)"', table) == [f"/patient/{THIRD}", f"/patient/{FIRST}"]
    assert f"{SECOND} (this one)" in table
    assert "below" in table
    assert re.findall(r'<td class="time">([a-z ]+)</td></tr>', table) == ["the same"] * 3


def test_what_is_shown_beside_an_answer_is_noted_for_each_receipt(followed: House) -> None:
    page(followed, SECOND)
    assert followed.notes[-1] == ("viewed", {"receipt": SECOND, "form": "answer", "beside": [FIRST, THIRD]})
    text = page_of_receipt(followed, THIRD)
    assert f"viewed receipt {SECOND} (beside {FIRST}, {THIRD}, form answer)" in text


def page_of_receipt(house: House, number: int) -> str:
    return html.unescape(house.ask(Role.AUDITOR, f"/audit/receipts/{number}").text)


def test_the_page_of_a_comparison_says_what_changed_and_the_table_adds_up(followed: House) -> None:
    text = page(followed, THIRD)
    change = followed.document(THIRD)["answer"]["change"]["horizons"]["90"]
    assert f"What changed since receipt {FIRST} of {DAYS[FIRST]}" in text
    assert change["text"] in text
    (table,) = re.findall(r'<table id="changes">(.*?)</table>', text, re.DOTALL)
    told = [float(value) for value in re.findall(r'<data value="([^"]+)">', table)]
    start, *parts, end = told
    assert 100 * start + sum(parts) == pytest.approx(100 * end, abs=1e-7)
    assert TIME_BOUND in table
    assert 'id="change"' not in page(followed, SECOND)


def test_a_comparison_is_told_on_the_receipt_with_what_it_was_compared_with(followed: House) -> None:
    text = page_of_receipt(followed, THIRD)
    first = followed.archive.store.record(FIRST)
    assert first is not None
    assert first.digest in text
    assert followed.document(THIRD)["answer"]["change"]["horizons"]["90"]["text"] in text


EARLIER = f"record {FIRST} is missing, another one, or of another patient"
ANOTHER = f"record {FIRST}, of which something else is told"


@pytest.mark.parametrize(
    ("id", "otherwise", "holds", "said"),
    [
        ("p-77", {}, True, f"record {FIRST}, as it is told here"),
        ("p-77", {"as_of": "2026-03-01"}, False, ANOTHER),
        ("p-77", {"digest": "0" * 64}, False, EARLIER),
        ("p-77", {"receipt": 4711}, False, EARLIER.replace(f"{FIRST}", "4711", 1)),
        ("p-79", {}, False, EARLIER),
    ],
)
def test_an_auditor_sees_whether_the_earlier_score_is_told_as_it_was(
    loaded: Artifact, model_folder: Path, tmp_path: Path, id: str, otherwise: dict[str, Any], holds: bool, said: str
) -> None:
    def fill(writer: Any) -> None:
        writer.record([scored(loaded, person(FIRST), HERE)])
        writer.record([compared(loaded, tmp_path, id, **otherwise)])

    with built(loaded, model_folder, tmp_path, fill=fill) as house:
        (one,) = audited(house.archive.store, house.archive.keys, Asked((f"{FIRST + 1}",)))
    assert [(check.what, check.holds, check.told) for check in one.checks][-1] == ("earlier score", holds, said)
    assert (one.broken, one.signed is None) == (not holds, not holds)


def test_a_score_that_is_compared_with_none_is_checked_as_ever(followed: House) -> None:
    (one,) = audited(followed.archive.store, followed.archive.keys, Asked((f"{SECOND}",)))
    assert "earlier score" not in [check.what for check in one.checks]


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_in_a_browser_nothing_is_wider_than_the_page_and_all_can_be_reached(
    followed: House, browser: Browser, size: tuple[int, int]
) -> None:
    with listening(followed) as url, entered(browser, url, Role.CLINICIAN, size) as opened:
        opened.goto(f"/patient/{THIRD}")
        assert opened.evaluate(WIDER) == []
        assert violations(opened) == []
