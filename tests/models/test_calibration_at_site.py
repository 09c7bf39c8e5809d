"""Which entries of the ledger vouch for a model at a site, and what they are worth."""

import json

import pytest

from models.calibration_at_site import CalibrationAtSite, ObservedExpected, calibration_at_site
from models.ledger import AT_SITE, LOOK, RECALIBRATED, Entry

OURS, PARENT = "a" * 64, "b" * 64


def entry(sequence, kind, model=OURS, site="Northern", **facts):
    return Entry(sequence, "2026-11-02T10:00:00+00:00", kind, {"model": model, "site": site, **facts}, "p", "d")


def evaluated(sequence, value=1.0, **which):
    horizons = {"90": {"value": value, "low": value - 0.1, "high": value + 0.1}}
    return entry(sequence, AT_SITE, patients=300, horizons=horizons, **which)


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([], None),
        ([entry(1, LOOK)], None),
        ([evaluated(1, model=PARENT), entry(2, RECALIBRATED, model=PARENT)], None),
        ([evaluated(1, site="Southern"), entry(2, RECALIBRATED, site="Northern Annexe")], None),
        ([entry(1, RECALIBRATED), evaluated(2), evaluated(3, model=PARENT)], 2),
        ([evaluated(1), entry(2, RECALIBRATED)], 1),
        ([evaluated(1), evaluated(2, site=" northern ")], 2),
        ([entry(1, RECALIBRATED)], 1),
    ],
)
def test_the_newest_evaluation_of_this_very_model_at_this_very_site_counts_then_its_recalibration(entries, found):
    known = calibration_at_site(entries, OURS, "Northern")
    assert (known and known.entry) == found


def test_where_no_site_is_named_nothing_is_known():
    assert calibration_at_site([evaluated(1, site="")], OURS, "") is None


@pytest.mark.parametrize(
    ("low", "high", "within"), [(0.8, 1.25, True), (0.79, 1.0, False), (1.0, 1.26, False), (0.5, 2.0, False), (0.9, 1.1, True)]
)
def test_the_whole_interval_must_lie_within(low, high, within):
    assert ObservedExpected(90, 1.0, low, high).within is within


def test_what_is_known_goes_through_json_unharmed():
    known = calibration_at_site([evaluated(1)], OURS, "Northern")
    assert CalibrationAtSite.from_json(json.loads(json.dumps(known.as_json()))) == known
