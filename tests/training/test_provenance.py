import getpass
import json
import platform
from importlib.metadata import version

from training.learners.plan import Settings
from training.provenance import provenance_of


def test_it_names_the_cohort_the_code_and_the_settings(small_cohort):
    told = json.loads(json.dumps(provenance_of(small_cohort, Settings(features=("ln_nlr",), seed=7))))
    assert told["cohort_digest"] == small_cohort.digest
    assert told["code"] == version("lymphorisk")
    assert told["libraries"]["xgboost"] == version("xgboost")
    assert (told["settings"]["features"], told["settings"]["seed"]) == (["ln_nlr"], 7)


def test_it_names_nobody_and_no_machine(small_cohort):
    told = json.dumps(provenance_of(small_cohort, Settings()))
    machine, user = platform.node() or "nowhere", f'"{getpass.getuser()}"'
    for word in (small_cohort.patients[0].id, str(small_cohort.file.path), machine, user):
        assert word not in told


def test_the_same_cohort_and_settings_have_the_same_provenance(small_cohort):
    assert provenance_of(small_cohort, Settings()) == provenance_of(small_cohort, Settings())
