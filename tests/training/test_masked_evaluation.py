"""An evaluation that leaves the hospital counts out nobody, not even by subtraction or by a share with all its digits."""

import json
from typing import Any

import pytest

from training.telling.masked_evaluation import masked_evaluation


def _horizon(deaths: int, survivors: int, censored: int) -> dict[str, Any]:
    naive = {"weighted": 0.2512, "dropped": 0.2549, "called_alive": 0.2491}
    return {"deaths": deaths, "survivors": survivors, "censored_before": censored, "min_g": 0.98765, "naive": naive}


def _document(**evaluations: Any) -> dict[str, Any]:
    return {"evaluations": {name: {"refused": {}} | found for name, found in evaluations.items()}}


def _masked(document: dict[str, Any], patients: int) -> Any:
    return masked_evaluation(document, patients)["evaluations"]


def test_a_small_count_is_hidden_and_the_largest_beside_it_rounded() -> None:
    told = _masked(_document(everybody={"n": 163, "horizons": {"90": _horizon(41, 119, 3)}}), 163)
    found = told["everybody"]["horizons"]["90"]
    assert (found["deaths"], found["survivors"], found["censored_before"]) == (41, "about 120", "<10")


def test_shares_beside_a_hidden_count_tell_it_to_the_nearest_ten() -> None:
    told = _masked(_document(everybody={"n": 163, "horizons": {"90": _horizon(41, 119, 3), "180": _horizon(60, 83, 20)}}), 163)
    hidden, whole = told["everybody"]["horizons"].values()
    assert (hidden["min_g"], hidden["naive"]["dropped"]) == (0.9816, 0.2454)
    assert [round(share * 163) for share in (0.9816, 0.2454)] == [160, 40]
    assert (whole["min_g"], whole["naive"]["dropped"]) == (0.98765, 0.2549)


def test_those_who_are_not_in_a_part_are_not_counted_out_by_subtraction() -> None:
    treated = {"n": 443, "horizons": {"180": _horizon(192, 211, 40)}}
    everybody = {"n": 491, "horizons": {"180": _horizon(200, 251, 40)}}
    told = _masked({"evaluations": {"treated": treated | {"refused": {}}, "everybody": everybody | {"refused": {}}}}, 491)
    assert told["treated"]["n"] == 443
    found = told["treated"]["horizons"]["180"]
    assert (found["deaths"], found["survivors"]) == ("about 190", 211)
    assert told["everybody"]["horizons"]["180"]["deaths"] == 200


def test_a_part_that_lacks_a_few_is_rounded() -> None:
    told = _masked(_document(treated={"n": 486, "horizons": {}}, everybody={"n": 491, "horizons": {}}), 491)
    assert (told["treated"]["n"], told["everybody"]["n"]) == ("about 490", 491)


def test_a_reason_loses_its_small_count() -> None:
    document = {"evaluations": {"everybody": {"n": 50, "horizons": {}, "refused": {"30": "7 deaths by day 30: 20 are needed"}}}}
    assert _masked(document, 50)["everybody"]["refused"] == {"30": "fewer than 10 deaths by day 30: 20 are needed"}


def test_a_split_is_masked_and_a_refused_one_says_why() -> None:
    split = {"n": 40, "horizons": {"90": _horizon(31, 5, 4)}, "refused": {}}
    document = _document(everybody={"n": 163, "horizons": {}}) | {"splits": {"temporal": split, "sites": {"refused": "no site"}}}
    told = masked_evaluation(document, 163)["splits"]
    assert told["temporal"]["horizons"]["90"]["survivors"] == "<10"
    assert told["sites"] == {"refused": "no site"}


def test_masking_twice_changes_nothing() -> None:
    document = _document(everybody={"n": 163, "horizons": {"90": _horizon(41, 119, 3)}})
    once = masked_evaluation(document, 163)
    assert masked_evaluation(json.loads(json.dumps(once)), 163) == once


def test_no_share_beside_a_hidden_count_gives_it_back():
    """43 of 636 died, of everybody 51: from the net benefit of treating all, or Brier and IPA, the 8 others could be had."""
    died, n = 43 / 636, 636
    odds = 0.05 / 0.95
    benefit = {"value": died - (1 - died) * odds, "low": None, "high": None}
    brier, ipa = died * (1 - died) * 0.85, 0.15
    part = {"deaths": 43, "survivors": 592, "censored_before": 1, "min_g": 1 - 1 / 636, "naive": {"called_alive": died}}
    part |= {"brier": {"value": brier, "low": None, "high": None}, "ipa": {"value": ipa, "low": None, "high": None}}
    part |= {"net_benefit": [{"threshold": 0.05, "model": dict(benefit), "treat_all": dict(benefit)}]}
    one = {"n": n, "horizons": {"30": part}, "refused": {}}
    told = masked_evaluation({"evaluations": {"everybody": one}}, n)["evaluations"]["everybody"]["horizons"]["30"]
    (decision,) = told["net_benefit"]
    for cell in (decision["treat_all"], decision["model"]):
        assert (cell["value"] + odds) / (1 + odds) * n == pytest.approx(40, abs=0.1)
    assert told["naive"]["called_alive"] * n == pytest.approx(40, abs=0.1)
    assert told["brier"]["value"] == 0.05
    assert told["deaths"] == 43  # what is hidden is the one who was lost, and the largest count beside it
    assert (told["censored_before"], told["survivors"]) == ("<10", "about 590")


def test_what_flagging_finds_is_withheld_where_fewer_than_ten_died_or_did_not() -> None:
    def flagged(share: float, ppv: float) -> dict[str, Any]:
        cell = {"value": ppv, "low": ppv, "high": ppv}
        return {"flagged": share, "ppv": cell, "sensitivity": cell, "number_needed_to_evaluate": cell}

    rows = [flagged(0.05, 6 / 40), flagged(0.05, 20 / 40), flagged(0.05, 35 / 40)]
    one = {"n": 800, "horizons": {"90": {"deaths": 60, "survivors": 700, "censored_before": 40, "flagging": rows}}, "refused": {}}
    told = masked_evaluation({"evaluations": {"everybody": one}}, 800)["evaluations"]["everybody"]["horizons"]["90"]["flagging"]
    assert [row["ppv"]["value"] for row in told] == [None, 0.5, None]
    assert [row["sensitivity"]["value"] is None for row in told] == [True, False, True]
