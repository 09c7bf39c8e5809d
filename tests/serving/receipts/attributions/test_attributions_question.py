"""What may be asked, and how it is refused: by the name of the field, without what was given."""

from __future__ import annotations

from datetime import date

import pytest

from serving.receipts.attributions.question import InvalidQuestion, Period, Question, asked

TODAY = date(2026, 11, 23)


def test_without_a_word_it_is_about_the_last_thirty_days() -> None:
    assert asked({}, TODAY) == Question(Period(date(2026, 10, 25), TODAY))


def test_every_field_is_taken() -> None:
    given = {"from": "2026-09-01", "to": "2026-09-30", "horizon": "180", "by": "tumour", "receipts": "all", "model": "0123abcd"}
    given |= {"against_from": "2026-10-01", "against_to": "2026-10-31"}
    period = Period(date(2026, 9, 1), date(2026, 9, 30), "0123abcd")
    against = Period(date(2026, 10, 1), date(2026, 10, 31), "0123abcd")
    assert asked(given, TODAY) == Question(period, 180, "tumour", True, against)


def test_days_before_the_calendar_begins_are_not_asked_for() -> None:
    assert asked({"to": "0001-01-05"}, TODAY).period == Period(date.min, date(1, 1, 5))


def test_another_model_of_the_same_days_is_something_to_compare_with() -> None:
    found = asked({"from": "2026-09-01", "to": "2026-09-30", "against_model": "f" * 64}, TODAY)
    assert found.against == Period(date(2026, 9, 1), date(2026, 9, 30), "f" * 64)


def test_empty_fields_of_a_form_are_none() -> None:
    empty = dict.fromkeys(("from", "to", "horizon", "by", "receipts", "model", "against_from", "against_to", "against_model"), "")
    assert asked(empty, TODAY) == asked({}, TODAY)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("from", "secret", "from: allowed is a day"),
        ("from", "2026-11-24", "from: allowed is a day that is not after the last one"),
        ("from", "2026-02-30", "from: allowed is a day such as"),
        ("to", "20261101", "to: allowed is a day such as"),
        ("to", "\u0662026-11-01", "to: allowed is a day such as"),
        ("horizon", "0", "horizon: allowed is a number of days"),
        ("horizon", "-5", "horizon: allowed is a number of days"),
        ("horizon", "٩٠", "horizon: allowed is a number of days"),
        ("horizon", "9" * 400, "horizon: allowed is a number of days"),
        ("by", "patient", "by: allowed is one of tumour, line"),
        ("receipts", "first", "receipts: allowed is one of last, all"),
        ("model", "XYZ", "model: allowed is the first 8 or more hex digits"),
        ("model", "a" * 65, "model: allowed is the first 8 or more hex digits"),
        ("against_from", "x", "against_from: allowed is a day"),
        ("against_model", "../..", "against_model: allowed is the first 8"),
        ("p-1", "p-2", "an unknown field: allowed is one of from, to, horizon"),
    ],
)
def test_what_is_not_understood_is_named_and_not_repeated(field: str, value: str, said: str) -> None:
    with pytest.raises(InvalidQuestion, match="allowed is") as refused:
        asked({field: value}, TODAY)
    assert str(refused.value).startswith(said)
    assert value not in str(refused.value) or value == "0"
    assert not field.startswith("p-") or field not in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidQuestion, match=r"by: .*horizon: |horizon: .*by: ") as refused:
        asked({"by": "x", "horizon": "x"}, TODAY)
    assert {one.field for one in refused.value.faults} == {"by", "horizon"}


def test_a_period_is_not_compared_with_itself() -> None:
    with pytest.raises(InvalidQuestion, match="against_from: allowed is another period, or another model"):
        asked({"from": "2026-09-01", "to": "2026-09-30", "against_from": "2026-09-01", "against_to": "2026-09-30"}, TODAY)


def test_what_is_held_against_the_period_is_not_called_the_same_before_it_is_understood() -> None:
    with pytest.raises(InvalidQuestion, match="against_model: allowed is") as refused:
        asked({"from": "2026-09-01", "to": "2026-09-30", "against_model": "x"}, TODAY)
    assert [one.field for one in refused.value.faults] == ["against_model"]
