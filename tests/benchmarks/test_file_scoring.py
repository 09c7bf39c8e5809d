"""A file of patients becomes a file of scores."""

from filing import explainers, score_with_shap, write_rows

from models.design import design_matrix
from serving.batch import score_file
from training.cohort import read_cohort
from training.simulation.files import write
from training.simulation.simulate import simulate

PEER = 4000  # rows of the peer's file: at 100,000 it would take minutes


def test_a_file_against_pandas_and_shap(race, trained, tmp_path):
    patients, peer = (100_000, PEER) if race.real else (200, 50)
    model, scored = trained.artifact.model, []
    cohort = write(simulate(patients, 2), tmp_path / "many")
    few = read_cohort(write(simulate(peer, 2), tmp_path / "few")).patients
    rows = write_rows(model.design, model.imputation.fill(design_matrix(model.design, few)).x, tmp_path / "rows.csv")
    made = explainers(trained.booster, model.imputation.fill(trained.fit.matrix).x, model.days)
    race(
        lambda: scored.append(score_file(trained.artifact, cohort, tmp_path / "scores.csv", progress=False)),
        lambda: score_with_shap(made, model.days, rows, tmp_path / "peer.csv"),
        what=f"a row of a file of {patients:,} patients, CSV to CSV, five horizons",
        against="a row by pandas and shap, from ready-made design columns, trees alone",
        rounds=1,
        units=(patients, len(few)),
    )
    assert all(one.scored == patients and not one.refused for one in scored)
