"""A small simulated cohort, fitted and validated once for every test of what a run leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from models import artifact
from training.cohort import Cohort, read_cohort
from training.fit import Fit, Settings, fit
from training.provenance import provenance_of
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.telling.card import card_files
from training.telling.evidence import evidence_files, evidence_of
from training.validate import Validation, validate


@pytest.fixture(scope="session")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cohort file of 500 simulated patients, of whom a few must be excluded."""
    return write(simulate(500, 3, blemishes=True), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def small_cohort(small_file: Path) -> Cohort:
    return read_cohort(small_file)


@pytest.fixture(scope="session")
def small_settings() -> Settings:
    return Settings(learner="ensemble", refits=4, tree_refits=1, seed=1)


@pytest.fixture(scope="session")
def small_fit(small_cohort: Cohort, small_settings: Settings) -> Fit:
    with threadpool_limits(1):
        return fit(small_cohort, small_settings)


@pytest.fixture(scope="session")
def small_validation(small_cohort: Cohort, small_fit: Fit) -> Validation:
    with threadpool_limits(1):
        return validate(small_cohort, small_fit, bootstrap=10, seed=1)


@pytest.fixture(scope="session")
def small_evidence(small_cohort: Cohort, small_fit: Fit, small_validation: Validation) -> dict[str, dict[str, Any]]:
    """The documents of the run, without a diagnosis and without a study."""
    return evidence_of(small_cohort, small_fit, small_validation.as_json())


@pytest.fixture(scope="session")
def small_artifact(
    tmp_path_factory: pytest.TempPathFactory,
    small_cohort: Cohort,
    small_settings: Settings,
    small_fit: Fit,
    small_evidence: dict[str, dict[str, Any]],
) -> Path:
    """The folder of the model as `train` saves it: with its card and its booster."""
    folder = tmp_path_factory.mktemp("artifact") / "model"
    files = evidence_files(small_evidence) | card_files(small_evidence) | {"booster.ubj": small_fit.booster or b""}
    artifact.save(small_fit.model, folder, files=files, provenance=provenance_of(small_cohort, small_settings))
    return folder
