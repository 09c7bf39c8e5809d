"""A cohort becomes a model: what the horizons cost over one XGBoost fit, and how the whole of training grows with the cohort.

1,000, 10,000 and 100,000 patients are in the exams, which take minutes; here they are fewer.
"""

import math

import pytest

from models.design import design_matrix
from training.cohort import read_cohort
from training.fit import Settings, fit
from training.learners.available import choose_design
from training.learners.fit_trees import TreeSettings, fit_trees
from training.learners.learn import GRID, learn, stacked
from training.simulation.files import write
from training.simulation.simulate import simulate

ONCE = 400  # patients, where no figures are wanted


@pytest.fixture
def cohort(race, tmp_path):
    """Reads a simulated cohort of that many patients, or of few."""

    def read(patients):
        few = patients if race.real else ONCE
        return read_cohort(write(simulate(few, 3), tmp_path / str(patients)))

    return read


@pytest.mark.parametrize("patients", [500, 2000, 5000])
def test_both_learners_against_one_xgboost_fit(race, cohort, patients):
    made = cohort(patients)
    design, trees = choose_design(made).design, TreeSettings.for_patients(len(made))
    matrix, followed = design_matrix(design, made.patients), made.follow_up
    race(
        lambda: learn(design, matrix, followed, grid=GRID, served=GRID, trees=trees, seed=1),
        lambda: fit_trees(design, matrix.x, stacked(followed, (90.0,)), trees, seed=1),
        what=f"imputation and both learners at six horizons, {patients:,} patients",
        against="one XGBoost fit at 90 days",
        rounds=3,
    )


@pytest.mark.parametrize(("few", "many"), [(500, 2000), (500, 5000)])
def test_training_grows_no_faster_than_the_cohort(race, cohort, few, many):
    small, large = cohort(few), cohort(many)
    quick = {} if race.real else {"folds": 2, "refits": 2, "tree_refits": 1}
    settings = Settings(learner="ensemble", **quick)  # like with like: which learner is kept, and so refitted, may differ by size
    race(
        lambda: fit(large, settings),
        lambda: fit(small, settings),
        what=f"training on {many:,} simulated patients, both learners kept",
        against=f"training on {few:,}",
        rounds=1,
        said=lambda ratio: f"exponent {math.log(ratio) / math.log(many / few):.2f}",
        bar=many / few,
    )
