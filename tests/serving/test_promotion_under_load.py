"""The champion changes while the service is asked: the exam, scaled down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import promotion
from postgres import programs

PROMOTIONS = 3


def test_under_load_each_answer_is_of_exactly_one_model_and_none_fails(
    tmp_path: Path, debian: Callable[[str, str | None], str]
) -> None:
    debian("postgresql", programs())
    found = promotion.sit(tmp_path, lambda *told: None, PROMOTIONS, 0.5)
    assert [one.what for one in found if one.falls_short] == []


def test_an_answer_of_two_models_would_be_seen(tmp_path: Path) -> None:
    two = promotion.two_models(tmp_path)
    seen = promotion.Seen()
    (first, numbers), (second, _) = two.expected.items()
    risks, explanation, name = numbers
    for digest in (first, second, "0" * 64):
        answer = {"risks": risks, "explanation": explanation, "model": {"name": name, "digest": digest}}
        promotion._held(b"HTTP/1.1 200 OK\r\n", promotion.json.dumps(answer).encode(), two, seen)
    promotion._held(b"HTTP/1.1 503 Service Unavailable\r\n", b"", two, seen)
    assert len(seen.faults) == 3
    assert [one.falls_short for one in promotion.marks(seen, two, 1)] == [True, True, True]


def test_a_champion_that_is_not_taken_up_would_be_seen(tmp_path: Path) -> None:
    two = promotion.two_models(tmp_path)
    seen = promotion.Seen(by=promotion.Counter(dict.fromkeys(two.expected, 100)), changes=1)
    assert [one.falls_short for one in promotion.marks(seen, two, 2)] == [False, False, True]
