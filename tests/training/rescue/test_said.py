"""What is said of numbers: an association, how far the biased analysis is off, what unmeasured fitness could do, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from training.rescue.said import ASSOCIATION, attenuated, bias, fitness, regression, text

RATIO = {"value": 0.7, "low": 0.55, "high": 0.9, "p": 0.004, "adjusted_for": []}
REFUSED = {"refused": "<10 deaths after it: at least 10 are needed"}


def told(**changed: Any) -> dict[str, Any]:
    """A document as small as the sentences need it."""
    event: dict[str, Any] = {"label": "lymphopenia rescue", "definition": "ALC", "happened": 40, "asked": 100}
    event |= {"unadjusted": RATIO, "adjusted": RATIO}
    found: dict[str, Any] = {
        "cohort": {"name": "a"},
        "settings": {"cut_off": 1.0, "population": "everybody in the cohort"},
        "patients": 100,
        "deaths": 80,
        "adjusted_for": "age",
        "events": [event],
        "regression_to_mean": {
            "noise": 0.2, "two_draws": 0.22, "one_draw": 0.43, "observed_two_draws": 0.4, "observed_one_draw": None,
        },
        "steroids": {"sentence": "Steroids."},
        "without_steroids": RATIO,
        "landmarks": {"28": REFUSED, "56": {"recovered_later": 20, "unadjusted": RATIO, "adjusted": RATIO, "log_rank_p": 0.2}},
        "interactions": [{"by": "line", "groups": [{"level": "line 2", "hazard_ratio": REFUSED}], "differ": REFUSED}],
        "e_value": {"estimate": 1.8, "limit": 1.3},
        "naive": {"unadjusted": RATIO, "adjusted": RATIO, "by_lot": 0.34, "times_the_time_dependent": 0.4, "immortal_days": 80},
    }
    return found | changed


def test_it_says_association_and_the_bias_and_its_size() -> None:
    said = text(told())
    assert ASSOCIATION in said
    assert "BIASED" in said
    assert "a hazard lower by 66% made out of nothing" in said
    assert "0.40 times the time-dependent ratio, 0.70 (0.55 to 0.90); that factor is its bias" in said
    assert "credited with 80 days lived before it" in said
    assert not said.startswith("EXAMPLE")
    assert text(told(example="EXAMPLE")).startswith("EXAMPLE")


def test_unmeasured_fitness_is_warned_of_with_the_e_value() -> None:
    assert "Recovery may mark fitness" in fitness(told())
    assert "E-value 1.80" in fitness(told())
    assert "to move its interval to 1 takes 1.30" in fitness(told())
    assert "its interval holds 1 already" in fitness(told(e_value={"estimate": 1.2, "limit": 1.0}))
    assert "Recovery may mark fitness" in fitness(told(e_value=REFUSED))
    assert "No E-value: <10 deaths" in fitness(told(e_value=REFUSED))


def test_a_landmark_is_said_to_be_attenuated_by_those_who_recover_later() -> None:
    assert "attenuated, that is drawn towards 1" in attenuated(told())
    assert "(day 56: 20 patients)" in attenuated(told())


def test_what_chance_alone_gives_is_said_beside_what_was_seen() -> None:
    assert "call 22% recovered on these very draw days (seen: 40%)" in regression(told())
    assert "a single draw would call 43% so (seen: hidden, few)" in regression(told())
    assert "is not known: 3 draws" in regression(told(regression_to_mean={"refused": "3 draws"}))


@pytest.mark.parametrize("part", ["naive", "e_value", "without_steroids"])
def test_a_refusal_says_the_number_that_is_missing(part: str) -> None:
    assert text(told(**{part: REFUSED})).count("at least 10 are needed") >= 4


def test_without_lots_the_bias_is_told_by_the_ratios_alone() -> None:
    found = told()["naive"] | {"by_lot": REFUSED}
    assert "handed out by lot" not in bias(told(naive=found))
    assert "0.40 times" in bias(told(naive=found))
