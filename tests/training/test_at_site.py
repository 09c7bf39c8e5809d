"""From an evaluation at a hospital to the words of the answers given there, through the sealed ledger."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lymphorisk
from models import ledger
from models.artifact import load
from models.seal_key import read_key
from training.gate.at_site import record_at_site
from training.refused import NotSupported

PATIENT = {
    "id": "p-1", "as_of": "2026-03-31", "age_years": 61, "sex": "female", "tumour": "pancreatic",
    "measurements": [
        {"analyte": name, "value": value, "unit": unit, "date": "2026-03-30"}
        for name, value, unit in (("alc", 0.8, "10*9/L"), ("anc", 5.0, "10*9/L"), ("albumin", 36, "g/L"), ("ecog", 1, "{score}"))
    ],
    "history": {"prior_lines": 2},
}  # fmt: skip


def run(*words):
    return CliRunner().invoke(lymphorisk.app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return tmp_path_factory.mktemp("at-site") / "releases"


@pytest.fixture(scope="module")
def evaluated(trained_there, hospitals, releases):
    where = ("--site", "South Clinic", "--by", "A. Frey", "--releases", releases, "--bootstrap", 100)
    done = run("evaluate", trained_there, hospitals[1], *where)
    assert done.exit_code == 0, done.output
    return done


def standing_of(model, releases, site, folder: Path):
    (folder / "p.ndjson").write_text(json.dumps(PATIENT) + "\n", encoding="utf-8")
    where = ("--site", site) if site else ()
    done = run("score", model, folder / "p.ndjson", "--out", folder / "out.ndjson", "--releases", releases, *where)
    assert done.exit_code == 0, done.output
    answer = json.loads((folder / "out.ndjson").read_text(encoding="utf-8"))
    (said,) = [line for line in answer["standing"] if line.startswith("calibration: ")]
    return said, answer


def test_an_evaluation_at_a_site_is_kept_in_the_ledger(evaluated, releases, trained_there):
    entry = ledger.read_ledger(releases, read_key())[-1]
    assert (entry.kind, entry.facts["site"], entry.facts["by"]) == (ledger.AT_SITE, "South Clinic", "A. Frey")
    assert all(set(one) == {"value", "low", "high", "slope", "deaths"} for one in entry.facts["horizons"].values())
    assert "kept as entry" in evaluated.stderr
    told = run("history", "--releases", releases).stdout
    assert "at South Clinic on" in told


def test_answers_given_there_tell_of_it_and_those_given_elsewhere_do_not(evaluated, releases, trained_there, tmp_path):
    entry = ledger.read_ledger(releases, read_key())[-1]
    said, answer = standing_of(trained_there, releases, "south clinic", tmp_path)
    horizons = entry.facts["horizons"].values()
    checked = any(one["low"] >= 0.8 and one["high"] <= 1.25 for one in horizons)
    assert said.startswith(f"calibration: {'' if checked else 'not '}checked at this site (south clinic)")
    assert f"entry {entry.sequence} of the ledger" in said
    assert answer["model"]["calibration"]["entry"] == entry.sequence
    days = [one["day"] for one in answer["model"]["calibration"]["horizons"]]
    assert days == sorted(days)
    assert standing_of(trained_there, releases, "", tmp_path)[0] == "calibration: not checked at this site"
    said, answer = standing_of(trained_there, releases, "North Clinic", tmp_path)
    assert said == "calibration: not checked at this site (North Clinic)"
    assert "calibration" not in answer["model"]


def test_the_model_s_own_cohort_says_nothing_of_a_site(trained_there, hospitals, tmp_path):
    where = ("--site", "North Clinic", "--by", "A. Frey", "--releases", tmp_path / "releases", "--bootstrap", 100)
    done = run("evaluate", trained_there, hospitals[0], *where)
    assert done.exit_code == 1
    assert "Nothing was kept of North Clinic" in done.stderr
    assert not ledger.exists(tmp_path / "releases")


def test_of_several_cohorts_none_is_the_site_s(trained_there, hospitals, tmp_path):
    done = run("evaluate", trained_there, *hospitals, "--site", "x", "--by", "A. Frey", "--releases", tmp_path / "releases")
    assert done.exit_code == 1
    assert "--site with 2 cohorts" in done.stderr


def test_a_ledger_that_does_not_verify_lets_nothing_be_scored_there(evaluated, releases, trained_there, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    content = (releases / ledger.LEDGER).read_bytes()
    (broken / ledger.LEDGER).write_bytes(content.replace(b"South Clinic", b"Sorth Clinic"))
    (broken / ledger.HEAD).write_bytes((releases / ledger.HEAD).read_bytes())
    (tmp_path / "p.ndjson").write_text(json.dumps(PATIENT) + "\n", encoding="utf-8")
    done = run("score", trained_there, tmp_path / "p.ndjson", "--out", tmp_path / "o.csv", "--releases", broken, "--site", "x")
    assert done.exit_code == 1
    assert "was altered" in done.stderr
    assert not (tmp_path / "o.csv").exists()


def evaluation(**more):
    calibration = {"observed_expected": {"value": 1.0, "low": 0.9, "high": 1.1}, "slope": {"value": 0.95}}
    horizons = {"90": {"calibration": calibration, "deaths": 40}}
    return {"cohort": "south", "n": 300, "horizons": horizons, "diagnosis": {"findings": []}} | more


def finding(verdict, accepted=""):
    return {"findings": [{"item": "early deaths", "verdict": verdict, "accepted": accepted}]}


def kept(releases, trained_there, told, site="South", digest="c" * 64):
    model = load(trained_there)
    return record_at_site(
        releases, model, told, site=site, cohort_digest=digest, by="A. Frey", seal_key=None, say=lambda words: None
    )


@pytest.mark.parametrize(
    ("told", "site", "why"),
    [
        (evaluation(), "  ", "--site names no hospital"),
        (evaluation(example="simulated"), "South", "south is simulated: it says nothing of a hospital's patients"),
        (evaluation(diagnosis=finding("Fail")), "South", "the diagnosis of south fails: early deaths"),
        (evaluation(horizons={}), "South", "no interval at any horizon"),
    ],
)
def test_what_is_no_evidence_of_a_site_is_not_kept(trained_there, tmp_path, told, site, why):
    with pytest.raises(NotSupported, match=why):
        kept(tmp_path, trained_there, told, site)
    assert not ledger.exists(tmp_path)


def test_a_cohort_the_model_was_made_of_is_known_by_its_digest(trained_there, tmp_path):
    own = str(load(trained_there).provenance["cohort_digest"])
    with pytest.raises(NotSupported, match="learned from patients of this cohort"):
        kept(tmp_path, trained_there, evaluation(), digest=own)


def test_a_failure_that_a_person_accepted_by_name_is_kept(trained_there, tmp_path):
    told = evaluation(diagnosis=finding("Fail", "transferred patients, all seen from the index date on"))
    entry = kept(tmp_path, trained_there, told, " South ")
    assert (entry.facts["site"], entry.facts["patients"], entry.facts["horizons"]["90"]["deaths"]) == ("South", 300, 40)


def test_a_recalibrated_child_counts_where_the_ledger_names_it_and_only_there(trained_there, hospitals, tmp_path):
    child, releases = tmp_path / "child", tmp_path / "releases"
    where = ("--site", "South Clinic", "--by", "A. Frey", "--releases", releases, "--bootstrap", 0, "--out", child)
    done = run("recalibrate", trained_there, hospitals[1], *where)
    assert done.exit_code == 0, done.output
    (entry,) = ledger.read_ledger(releases, read_key())
    said, answer = standing_of(child, releases, "South Clinic", tmp_path)
    assert said.startswith("calibration: recalibrated at this site (South Clinic) on ")
    assert (answer["model"]["calibration"]["kind"], answer["model"]["calibration"]["entry"]) == ("recalibrated", entry.sequence)
    claimed = "the model was recalibrated for South Clinic, and no ledger at hand knows of that here"
    assert standing_of(child, tmp_path / "none", "South Clinic", tmp_path)[0].endswith(claimed)
    assert standing_of(child, releases, "North Clinic", tmp_path)[0].endswith(claimed)
    parent = standing_of(trained_there, releases, "South Clinic", tmp_path)[0]
    assert parent == "calibration: not checked at this site (South Clinic)"


@pytest.mark.parametrize(
    ("words", "reason"), [((), "--site without --by"), (("--by", "A. Frey", "--bootstrap", 10), "100 resamples")]
)
def test_what_answers_will_rest_on_bears_a_name_and_intervals(trained_there, hospitals, tmp_path, words, reason):
    done = run("evaluate", trained_there, hospitals[1], "--site", "x", "--releases", tmp_path / "releases", *words)
    assert done.exit_code == 1
    assert reason in done.stderr
    assert not ledger.exists(tmp_path / "releases")
