"""No group of fewer than ten patients can be counted, or worked out from the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.small_cells import about, masked, masked_by_name, masked_parts, masked_sentence
from training.statistics.censoring import FollowUp
from training.statistics.standing import standing

counts = st.lists(st.integers(0, 300), min_size=1, max_size=8)


@given(counts)
def test_no_small_count_is_shown(given_counts: list[int]) -> None:
    for count, shown in zip(given_counts, masked_parts(given_counts), strict=True):
        assert (shown == "<10") == (1 <= count <= 9)


@given(counts.filter(lambda each: sum(1 <= count <= 9 for count in each) > 0 and max(each) >= 10))
def test_a_small_count_does_not_come_back_by_subtraction(given_counts: list[int]) -> None:
    shown = masked_parts(given_counts)
    assert sum(isinstance(each, str) for each in shown) >= 2, "one unknown in a known total is known"


@given(counts.filter(lambda each: not any(1 <= count <= 9 for count in each)))
def test_counts_without_a_small_one_are_shown_as_they_are(given_counts: list[int]) -> None:
    assert masked_parts(given_counts) == given_counts


def test_names_stay_with_their_counts() -> None:
    assert masked_by_name({"pancreatic": 170, "sarcoma": 4}) == {"pancreatic": "about 170", "sarcoma": "<10"}


def test_about_is_the_nearest_ten_and_says_so() -> None:
    assert [about(494), about(496), about(3), about(0)] == ["about 490", "about 500", "<10", 0]


def test_a_size_that_is_no_whole_number_is_rounded() -> None:
    assert [masked(47.4), masked(9.7)] == [47, "<10"]


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("tumour sarcoma: 3 deaths, fewer than 20", "tumour sarcoma: fewer than 10 deaths, fewer than 20"),
        ("measured in 7 of 400 patients it applies to", "measured in fewer than 10 of 400 patients it applies to"),
        ("sex is unknown for 1 of 491 patients", "sex is unknown for fewer than 10 of 491 patients"),
        ("19 deaths by day 30: at least 20 are needed", "19 deaths by day 30: at least 20 are needed"),
        ("109 patients known to be alive", "109 patients known to be alive"),
        ("falls to 0.05: at least 0.10 is needed", "falls to 0.05: at least 0.10 is needed"),
    ],
)
def test_sentences_lose_small_counts_and_keep_the_others(sentence: str, shown: str) -> None:
    assert masked_sentence(sentence) == shown


def test_the_reason_for_a_refused_horizon_does_not_count_nine_patients() -> None:
    trial = FollowUp(np.repeat([20.0, 200.0], [9, 138]), np.ones(147, np.bool_))
    assert masked_sentence(standing(trial, 30).why) == "fewer than 10 deaths by day 30: at least 20 are needed"
    assert masked_sentence(standing(trial, 250).why) == standing(trial, 250).why, "nobody is no small group"
