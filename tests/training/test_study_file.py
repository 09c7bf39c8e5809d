"""A study file is followed to the letter or refused whole, every fault named."""

from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from training.learners.fit_linear import LinearSettings
from training.learners.fit_trees import TreeSettings
from training.learners.learn import LEARNERS
from training.learners.plan import HORIZONS, Settings
from training.study import study as declared
from training.study.criteria import Criteria
from training.study.study import Search
from training.study.study_file import InvalidStudy, read_study_file
from training.study.tunable import TUNABLE, Range
from training.tuning.varied import settings_of

EXAMPLE = Path(__file__).parents[1] / "cohorts" / "study.toml"


@pytest.fixture
def write(tmp_path):
    """Writes a study file."""

    def written(text):
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_an_empty_study_declares_what_is_done_without_one(write):
    study = read_study_file(write(""))
    assert (study.search, study.test, study.criteria, study.card) == (None, (), Criteria(), {})
    assert settings_of(study) == Settings()
    assert study.name == "study"


def test_the_example_says_every_default_and_the_whole_space():
    study = read_study_file(EXAMPLE)
    assert study.search == Search()
    assert study.criteria == Criteria()
    assert settings_of(study) == Settings()


def test_what_is_declared_is_read(write, tmp_path):
    (tmp_path / "later.toml").write_text("")
    study = read_study_file(
        write(
            'features = ["ln_nlr", "extra.tmb"]\nhorizons = [90, 180]\nlearners = ["trees", "linear"]\nseed = 7\n'
            '[search]\ntrials = 4\nspace = { linear = { penalty = [20, 80] } }\nstorage = "postgresql://search@host/trials"\n'
            '[test]\ncohorts = ["later.toml"]\ndata = "tables"\n[gate]\nslope = [0.8, 1.2]\nrequire_test = true\n'
            'least_auc_gain_over = { cox_four = 0.01 }\n[card]\ntripod_3a = "Ward rounds."\n'
        )
    )
    assert study.features == ("ln_nlr", "extra.tmb")
    assert (study.horizons, study.learners, study.seed) == ((90.0, 180.0), ("linear", "trees"), 7)
    assert study.search == Search(4, space={"linear.penalty": Range(20, 80)}, storage="postgresql://search@host/trials")
    assert (study.test, study.test_data) == ((tmp_path / "later.toml",), tmp_path / "tables")
    assert study.criteria == Criteria(slope=(0.8, 1.2), require_test=True, least_auc_gain_over={"cox_four": 0.01})
    assert study.card == {"tripod_3a": "Ward rounds."}
    assert settings_of(study).candidates == ("linear", "trees")


def test_every_fault_is_named_at_once_with_what_is_allowed(write):
    text = (
        'features = ["shoe_size"]\nhorizons = [90, 30]\nlearners = ["forest"]\nfolds = 1\nsede = 3\n'
        '[search]\ntrials = "many"\npruner = "hasty"\nstorage = "mysql://host/db"\n'
        "[search.space]\nlinear.penalty = [100, 200]\ntrees.depth = [2, 9]\ntrees.rounds = [50.5, 600]\ntrees.leaves = [1, 2]\n"
        '[test]\ncohorts = ["nowhere.toml"]\n[gate]\nslope = [1.1, 0.9]\nrequire_test = 1\nstrata_least_patients = 0\n'
        "least_auc = true\nprimary_day = 45\nleast_auc_gain_over = { luck = 0 }\n[card]\ntripod_3a = 3\n"
    )
    with pytest.raises(InvalidStudy, match="features = 'shoe_size'") as refused:
        read_study_file(write(text))
    said = "\n".join(map(str, refused.value.faults))
    for words in (
        "horizons = [90, 30]: allowed is whole days above 0, each once, ascending",
        "learners = 'forest': allowed is one of",
        "folds = 1: allowed is a whole number, 2 or more",
        "sede = 'sede': allowed is one of",
        "likely seed",
        "search.trials = 'many'",
        "search.pruner = 'hasty': allowed is one of median, none",
        "search.storage = 'mysql': allowed is sqlite:///FILE or postgresql://",
        "search.space.linear.penalty = 100 to 200: allowed is a range that holds the default, 40",
        "search.space.trees.depth = 2 to 9: allowed is within 1 to 4",
        "search.space.trees.rounds = 50.5 to 600: allowed is whole numbers",
        "search.space.trees.leaves",
        "test.cohorts = 'nowhere.toml'",
        "likely no such file",
        "gate.slope = [1.1, 0.9]: allowed is [lowest, highest]",
        "gate.require_test = 1: allowed is true or false",
        "gate.strata_least_patients = 0: allowed is a whole number, 1 or more",
        "gate.least_auc = True: allowed is a number",
        "gate.primary_day = 45: allowed is one of the horizons",
        "gate.least_auc_gain_over.luck",
        "card.tripod_3a = 3: allowed is a text",
    ):
        assert words in said, words


def test_a_test_that_is_required_must_be_declared(write):
    with pytest.raises(InvalidStudy, match=r"gate\.require_test = True: allowed is true with \[test\] cohorts"):
        read_study_file(write("[gate]\nrequire_test = true\n"))


def test_a_password_does_not_stand_in_a_study_file_nor_in_its_refusal(write):
    with pytest.raises(InvalidStudy, match="PGPASSWORD or") as refused:
        read_study_file(write('[search]\nstorage = "postgresql://ann:secret@host/trials"\n'))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("text", "likely"), [("folds = ", "study.toml = a file that is no TOML"), (None, "no such file")])
def test_what_is_no_study_file_is_said_to_be_none(write, tmp_path, text, likely):
    path = tmp_path / "nowhere.toml" if text is None else write(text)
    with pytest.raises(InvalidStudy, match=likely):
        read_study_file(path)


def test_what_a_study_tells_of_itself_names_no_path_and_no_host(write, tmp_path):
    (tmp_path / "later.toml").write_text("")
    study = read_study_file(write('[search]\nstorage = "postgresql://ann@host/trials"\n[test]\ncohorts = ["later.toml"]\n'))
    told = str(study.as_json())
    assert str(tmp_path) not in told + repr(study.search)
    assert "host" not in told + repr(study.search)
    assert study.as_json()["search"]["storage"] == "postgresql"


def test_the_digest_is_that_of_the_file(write):
    one, again, other = (read_study_file(write(text)).digest for text in ("seed = 1", "seed = 1", "seed = 2"))
    assert one == again != other


def test_the_words_of_a_study_are_those_of_the_learners():
    assert set(declared.LEARNERS) == set(LEARNERS)
    assert declared.HORIZONS == HORIZONS
    learners = {"linear": LinearSettings(), "trees": TreeSettings.for_patients(100)}
    names = {f"{name}.{one.name}" for name, settings in learners.items() for one in fields(settings)}
    assert set(TUNABLE) == names
    for name, one in TUNABLE.items():
        learner, _, field = name.partition(".")
        assert getattr(learners[learner], field) == one.defaults[0]
        assert all(value in one.searched for value in one.defaults)
        assert one.searched.low in one.allowed
        assert one.searched.high in one.allowed
    assert TreeSettings.for_patients(10**6).rounds in TUNABLE["trees.rounds"].defaults


def test_a_band_is_a_low_and_a_high_end():
    bands = [value for value in vars(Criteria()).values() if isinstance(value, tuple)]
    assert bands
    assert all(low < high for band in bands for low, high in pairwise(band))
