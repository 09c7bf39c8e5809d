"""The page of an answer says what its receipt says: every number is one of its fields, every sentence its words or ours."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lymphorisk import EXAMPLE_PATIENT
from models.analytes import ANALYTES
from models.artifact import Artifact
from models.calibration_at_site import CalibrationAtSite, ObservedExpected
from models.example import EXAMPLE
from models.identity import Identity, Role
from serving.pages.patient_view import MOST_ASIDE, _used
from serving.pages.words import words
from serving.recorded import Answering
from serving.standing import DISCLAIMER
from serving.wire import read_line

from .conftest import ELSEWHERE, ERASED, ERASURE, HERE, OF_ANOTHER_UNIT, WHOLE, House, built, scored, somebody

CHECKED = CalibrationAtSite("recalibrated", "St. Elsewhere", "2026-05-01T00:00:00Z", 3, None)
SHARE, RANK, PLAIN = 2, 3, 4
WITH_HISTORY: dict[str, Any] = EXAMPLE_PATIENT | {
    "measurements": [
        *EXAMPLE_PATIENT["measurements"],
        {"analyte": "alc", "value": 0.9, "unit": "10*9/L", "date": "2026-10-20"},
        {"analyte": "alc", "value": 1.4, "unit": "10*9/L", "date": "2026-09-20"},
        {"analyte": "ca19_9", "value": "<2.0", "unit": "U/mL", "date": "2026-09-20"},
    ]
}
BARE: dict[str, Any] = {
    "as_of": "2026-11-20",
    "age_years": 70,
    "tumour": "pancreatic",
    "measurements": [one for one in EXAMPLE_PATIENT["measurements"] if one["analyte"] in ("alc", "albumin")],
}


@pytest.fixture(scope="module")
def answered(loaded: Artifact, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three answers: shares where the site was checked, ranks where not, and of a patient of whom little is known."""

    def fill(writer: Any) -> None:
        for artifact, person in ((replace(loaded, at_site=CHECKED), WITH_HISTORY), (loaded, WITH_HISTORY), (loaded, BARE)):
            writer.record([scored(artifact, person, HERE)])

    with built(loaded, model_folder, tmp_path_factory.mktemp("answered"), fill=fill) as found:
        yield found


def page(house: House, number: int) -> str:
    answer = house.ask(Role.CLINICIAN, f"/patient/{number}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


def content(text: str) -> str:
    """What is between the header and the footer, without the places of pictures."""
    (found,) = re.findall(r'<main[^>]*>(.*)</main>', text, re.DOTALL)
    return str(found)


def leaves(document: Any) -> Iterator[Any]:
    if isinstance(document, dict):
        for name, one in document.items():
            yield from (name, *leaves(one))
    elif isinstance(document, list):
        for one in document:
            yield from leaves(one)
    else:
        yield document


@pytest.mark.parametrize("number", [SHARE, RANK, PLAIN])
def test_every_number_of_the_page_is_a_field_of_the_receipt(answered: House, number: int) -> None:
    found = list(leaves(answered.document(number)))
    known = {float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)}
    told = [float(value) for value in re.findall(r'<data value="([^"]+)">', content(page(answered, number)))]
    assert len(told) > 30
    for value in told:
        assert value in known or -value in known, value


@pytest.mark.parametrize("number", [SHARE, RANK, PLAIN])
def test_a_number_that_is_shown_is_the_one_behind_it_rounded(answered: House, number: int) -> None:
    for value, shown in re.findall(r'<data value="([^"]+)">([^<]+)</data>', content(page(answered, number))):
        exact, digits = float(value), shown.replace(",", "").removesuffix(" %")
        whole = 100 * exact if shown.endswith("%") or abs(float(digits)) > 1 >= abs(exact) > 0 else exact
        nearly = 0.5 if "." not in digits and abs(whole) > 1 else 0.05
        assert float(digits) == pytest.approx(whole, abs=nearly, rel=0.006), (value, shown)


@pytest.mark.parametrize("number", [SHARE, RANK, PLAIN])
def test_no_digit_stands_on_the_page_that_is_neither_the_receipt_s_nor_ours(answered: House, number: int) -> None:
    text = content(page(answered, number))
    text = re.sub(r"<svg.*?</svg>", " ", text, flags=re.DOTALL)
    text = re.sub(r"<data [^>]*>.*?</data>", " ", text)
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text))
    document = answered.document(number)
    record = answered.archive.store.record(number)
    assert record is not None
    ours = [DISCLAIMER, record.digest, record.time[:19].replace("T", " "), *map(str, vars(words()["answer"]).values())]
    ours += [one.label for one in ANALYTES.values()]
    texts = [one for one in leaves(document) if isinstance(one, str) and re.search(r"\d", one)]
    for one in sorted([*texts, *ours], key=len, reverse=True):
        plain = re.sub(rf"(?<![\w.]){re.escape(one)}(?![\w.])", " ", plain)
    rest = re.findall(r"\d[\d.,]*", plain)
    shown = {f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" for value in leaves(document) if isinstance(value, float)}
    shown |= {f"{100 * value:.1f}" for value in leaves(document) if isinstance(value, float)}
    shown |= {str(value) for value in leaves(document) if isinstance(value, int)} | {"90", "100", "10", "15", "28", "9"}
    unknown = [one for one in rest if one.rstrip(".,") not in shown | {str(number)} | set(answered_days(document))]
    assert not unknown


def answered_days(document: Any) -> list[str]:
    return list(document["answer"]["risks"])


def test_where_the_site_was_checked_the_answer_is_of_a_hundred_and_so_is_the_picture(answered: House) -> None:
    text = page(answered, SHARE)
    risk = answered.document(SHARE)["answer"]["risks"]["90"]["risk"]
    assert "Of 100 patients with similar values in the development cohort, about <data" in text
    assert text.count('class="person died"') == round(100 * risk)
    assert text.count('class="person') == 100
    assert "ranks above" not in text


def test_elsewhere_it_is_a_rank_and_no_number_of_a_hundred(answered: House) -> None:
    text = page(answered, RANK)
    assert "risk ranks above about <data" in text
    assert "percentages are not known to hold at this site" in text
    assert "had died by day 90 (interval" not in text
    assert 'class="person' not in text


def test_the_sum_arrives_at_the_risk_and_has_a_table(answered: House) -> None:
    document, text = answered.document(SHARE), page(answered, SHARE)
    points = [one["percentage_points"] for one in document["answer"]["explanation"]["horizons"]["90"]["groups"]]
    risk = document["answer"]["risks"]["90"]
    assert 100 * risk["reference"] + sum(points) == pytest.approx(100 * risk["risk"])
    assert '<table id="points">' in text
    assert f">{100 * risk['risk']:.1f}</text>" in text


def test_what_is_estimated_says_what_it_could_change(answered: House) -> None:
    text = page(answered, PLAIN)
    for estimate in answered.document(PLAIN)["answer"]["estimates"]:
        assert f'<data value="{estimate["risk_at_low"]["90"]!r}">' in text
        assert f'<data value="{estimate["risk_at_high"]["90"]!r}">' in text
    assert "mostly not measured, estimated from the rest; not a reason" in text


def test_the_course_is_drawn_where_there_is_one_with_its_grades_and_a_table(answered: House) -> None:
    text = page(answered, SHARE)
    assert 'id="trend-alc"' in text
    assert all(f'class="grade grade{grade}"' in text for grade in (1, 2, 3, 4))
    assert re.search(r"below <data value=\"2.0\">", text)
    assert 'id="trend-' not in page(answered, PLAIN)


@pytest.mark.parametrize("number", [SHARE, RANK, PLAIN])
def test_the_fixed_lines_the_receipt_and_the_model_are_told(answered: House, number: int) -> None:
    text = html.unescape(page(answered, number))
    document = answered.document(number)
    assert DISCLAIMER in text
    assert document["model"]["digest"] in text
    assert f"/audit/receipts/{number}" in text
    for line in (*document["answer"]["standing"], *document["answer"]["warnings"]):
        assert line in text


def test_a_look_at_an_answer_is_noted(answered: House) -> None:
    page(answered, SHARE)
    assert answered.notes[-1] == ("viewed", {"receipt": SHARE, "form": "answer", "beside": [RANK]})  # of the same patient
    page(answered, PLAIN)
    assert answered.notes[-1] == ("viewed", {"receipt": PLAIN, "form": "answer"})


@pytest.mark.parametrize("number", [1, 999, ERASED, ERASURE, OF_ANOTHER_UNIT])
def test_events_erased_ones_and_those_of_another_unit_are_not_found(shared: House, number: int) -> None:
    assert shared.ask(Role.CLINICIAN, f"/patient/{number}").status_code == 404


def test_an_auditor_sees_the_page_of_any_unit_and_a_data_scientist_none(shared: House) -> None:
    assert shared.ask(Role.AUDITOR, f"/patient/{OF_ANOTHER_UNIT}").status_code == 200
    assert shared.ask(somebody(Role.CLINICIAN, ELSEWHERE), f"/patient/{OF_ANOTHER_UNIT}").status_code == 200
    for role in (Role.DATA_SCIENTIST, Role.ADMINISTRATOR):
        assert shared.ask(role, f"/patient/{WHOLE}").status_code == 403
    assert shared.ask(Identity("X", frozenset({Role.CLINICIAN}), "", "k"), f"/patient/{WHOLE}").status_code == 404


HELD = (ObservedExpected(90, 1.0, 0.9, 1.1), ObservedExpected(365, 2.0, 1.5, 2.5))
HOLDS_AT_90 = CalibrationAtSite("evaluated", "St. Elsewhere", "2026-05-01T00:00:00Z", 3, 400, HELD)
LEFT_ASIDE = {"resource": "Observation/<b>o-7", "what": "specimen", "why": "urine is no blood", "times": 1}


def of_a_record(artifact: Artifact, listed: int) -> Any:
    """What is recorded of an answer to a hospital's record, of which so many resources were left aside."""
    given = json.dumps(BARE).encode()
    source = {"sha256": "0" * 64, "used": ["Patient/p"], "listed": [LEFT_ASIDE] * listed}
    caller = {"by": "FHIR", "from": "loopback", "who": dict(somebody(Role.CLINICIAN).as_json()), "source": source}
    return Answering(artifact, "").answered([(read_line(given), lambda: given)], caller, lambda place, refused: {}).drafts[0]


@pytest.fixture(scope="module")
def others(
    loaded: Artifact, simulated: Artifact, model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Answers that are seldom: a percentage at one horizon alone, a model without ranks, of simulated patients, two records."""
    keeps_none = replace(loaded, model=replace(loaded.model, ranks=None))

    def fill(writer: Any) -> None:
        for artifact in (replace(loaded, at_site=HOLDS_AT_90), keeps_none, simulated):
            writer.record([scored(artifact, BARE, HERE)])
        for listed in (1, MOST_ASIDE + 1):
            writer.record([of_a_record(loaded, listed)])

    with built(loaded, model_folder, tmp_path_factory.mktemp("others"), fill=fill) as found:
        yield found


def test_where_percentages_hold_at_one_horizon_alone_the_others_are_ranked_and_it_says_why(others: House) -> None:
    text, document = page(others, 2), others.document(2)
    ranked = [days for days, how in document["answer"]["shown_as"].items() if how == "rank"]
    assert ranked
    assert "90" not in ranked
    assert "Of 100 patients with similar values" in text
    assert f"By day {', '.join(ranked)} read the rank and not the percentage, since percentages within" in text
    assert text.count("</data> of 100</td>") == len(ranked)


def test_a_model_that_keeps_no_ranks_says_its_own_risk_and_that_it_is_not_known_to_hold(others: House) -> None:
    text = page(others, 3)
    assert "This model keeps no ranks" in text
    assert "That is since percentages are not known to hold at this site" in text
    assert not re.search(r'ranks above|Of 100 patients|id="place"', text)


def test_an_answer_of_simulated_patients_says_so_above_all_whichever_model_answers_now(others: House) -> None:
    assert f'<p class="example" role="note">{EXAMPLE}</p>' in page(others, 4)
    assert EXAMPLE not in page(others, 3)


def test_what_was_left_aside_of_a_record_is_listed_as_text(others: House) -> None:
    assert "<code>Observation/&lt;b&gt;o-7</code> specimen: urine is no blood" in page(others, 5)
    assert "The rest of them stands in the receipt" not in page(others, 5)
    many = page(others, 6)
    assert many.count("urine is no blood") == MOST_ASIDE
    assert "The rest of them stands in the receipt" in many
    assert 'id="aside"' not in page(others, 3)


def test_who_is_of_no_known_sex_is_not_called_unknown_something(others: House) -> None:
    assert re.search(r"<data value=\"70.0\">70</data> years, sex not known, ", page(others, 3))


def test_times_are_told_in_words_and_not_in_letters_of_a_code(others: House) -> None:
    text = html.unescape(page(others, 3))
    assert "age 70 years" in text
    assert not re.search(r"\d (?:a|mo|d)\b(?! before)", re.sub(r"<svg.*?</svg>|<[^>]+>", "", text, flags=re.DOTALL))


@pytest.mark.parametrize("flag", [0.0, 1.0, 0.25])
def test_what_is_only_estimated_is_never_told_as_a_plain_yes_or_no(flag: float) -> None:
    one = {"feature": "gcsf_14d", "label": "G-CSF within 14 days", "unit": "1", "value": flag}
    assert _used(one, estimated=True) == f"{100 * flag:.1f} % probable"
    assert _used({**one, "value": float(flag > 0)}, estimated=False) == ("yes" if flag else "no")
