"""A small model made by hand, so that every room can be tested without training one."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from models import artifact
from models.artifact import Artifact
from models.design import Design, columns_of
from models.imputation import Imputation
from models.linear import LinearModel, Ramps
from models.population import Population
from models.ranks import Ranks
from models.risk import Calibration, HorizonStanding, Refits, RiskModel
from models.trees import LeafTables

DAYS = (30.0, 90.0, 180.0, 365.0)
TUMOURS = ("pancreatic", "nsclc", "colorectal")
# feature: mean, SD, lower, upper on the model's scale, and its coefficient early and late
FEATURES = {
    "ln_alc": (0.1, 0.5, math.log(0.2), math.log(4.0), -0.6, -0.3),
    "ln_nlr": (1.5, 0.7, 0.0, math.log(40.0), 1.5, 0.8),
    "ca19_9_log10": (2.5, 1.0, math.log10(3.0), 5.0, 0.9, 0.7),
    "ca19_9_undetectable": (0.08, 0.27, 0.0, 1.0, 0.1, 0.0),
    "ln_ldh_ratio": (0.0, 0.4, -1.0, 2.0, 0.8, 0.5),
    "prior_lines": (2.0, 1.2, 0.0, 6.0, 0.6, 0.7),
    "last_line_months": (5.0, 4.0, 0.0, 30.0, -0.5, -0.4),
    "steroids_14d": (0.2, 0.4, 0.0, 1.0, 0.4, 0.1),
    "albumin": (38.0, 5.0, 22.0, 50.0, -1.6, -1.0),
    "age": (65.0, 10.0, 30.0, 90.0, 0.2, 0.4),
    "sex_male": (0.5, 0.5, 0.0, 1.0, 0.1, 0.1),
    "ecog": (1.0, 0.8, 0.0, 4.0, 1.8, 1.0),
}


def _imputation(design: Design) -> Imputation:
    level = (0.3, 0.46, 0.0, 1.0)
    mean, sd, lower, upper = np.array([(FEATURES.get(column.feature) or level)[:4] for column in design.columns]).T
    k = len(mean)
    closeness = 0.5 ** np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    return Imputation(mean, closeness * np.outer(sd, sd), lower, upper)


def _linear(design: Design, imputation: Imputation) -> LinearModel:
    """Two ramps a numeric column, one a level; the second half of the range counts half."""
    source, start, width, first, last = [], [], [], [], []
    for place, column in enumerate(design.columns):
        low, high = imputation.lower[place], imputation.upper[place]
        early, late = FEATURES[column.feature][4:] if not column.level else (0.1 * place, -0.05 * place)
        for half in (0, 1) if not column.level else (0,):
            source.append(place)
            start.append(low + half * (high - low) / 2)
            width.append((high - low) / (1 if column.level else 2))
            first.append(early / (1 + half))
            last.append(late / (1 + half))
    ramps = Ramps(np.array(source, np.intp), np.array(start), np.array(width), np.full(len(source), 0.4))
    late_share = np.log(np.array(DAYS) / DAYS[0]) / np.log(DAYS[-1] / DAYS[0])
    base = np.array([-3.2, -2.2, -1.3, -0.4])
    return LinearModel(len(design.columns), ramps, np.array(first), np.array(last), base, late_share)


def _trees(design: Design) -> LeafTables:
    """Two twigs: three questions of albumin and ALC, one of ECOG; their tables count at early and at all horizons."""
    places = {column.name: place for place, column in enumerate(design.columns)}
    asked, cut = np.zeros((2, 8), np.int32), np.full((2, 8), np.nan, np.float32)
    asked[0, :3] = places["albumin"], places["albumin"], places["ln_alc"]
    cut[0, :3] = 30.0, 38.0, -0.1
    asked[1, 0], cut[1, 0] = places["ecog"], 2.0
    rng = np.random.default_rng(7)
    return LeafTables(
        horizons=DAYS,
        columns=len(design.columns),
        base=np.array([-3.0, -2.1, -1.2, -0.3]),
        asked=asked,
        cut=cut,
        missing=np.zeros((2, 8), np.bool_),
        column=np.array([places["albumin"], places["ln_alc"], places["ecog"]], np.int32),
        first=np.array([0, 0, 1], np.int32),
        stop=np.array([4, 2, 4], np.int32),
        twig=np.array([0, 0, 1], np.int32),
        run=np.array([0, 1, 2], np.int32),
        table=np.concatenate([rng.normal(0, 0.3, 16), [-0.2, 0.5]]),
    )


def _refits(linear: LinearModel, groups: int) -> Refits:
    rng = np.random.default_rng(11)
    first = linear.first + rng.normal(0, 0.1, (6, len(linear.first)))
    last = linear.last + rng.normal(0, 0.1, (6, len(linear.last)))
    return Refits(first, last, linear.base + rng.normal(0, 0.05, (6, 1)), np.full(groups, 1.1), 1.2)


def hand_made(**changes: object) -> RiskModel:
    """The model made by hand, with `changes`."""
    design = columns_of([*FEATURES, "tumour"], {"tumour": TUMOURS})
    imputation = _imputation(design)
    linear = _linear(design, imputation)
    shares = (0.05, 0.16, 0.31, 0.55)
    model = RiskModel(
        name="hand-made",
        design=design,
        horizons=tuple(
            HorizonStanding(days, *(("promotable", "") if days >= 90 else ("evaluable", "60 deaths: 100 are needed")), share)
            for days, share in zip(DAYS, shares, strict=True)
        ),
        refused={"60": "not asked for"},
        imputation=imputation,
        linear=linear,
        trees=_trees(design),
        tree_share=0.5,
        calibration=Calibration(np.array([0.0, 0.02, -0.01, 0.0]), np.array([0.95, 0.97, 1.0, 1.02])),
        refits=_refits(linear, len(design.groups)),
        population=Population({"pancreatic": 200, "nsclc": 90, "colorectal": 45, "breast": 3}, {"yes": 300, "no": 12}),
        required=("ln_alc", "albumin"),
        development_range={name: values[2:4] for name, values in FEATURES.items()},
        trained_on="hand-made cohort",
        ranks=Ranks(np.array([-3.0, -1.7, -0.8, 0.2])[:, None] + np.linspace(-2.0, 2.0, 50)),
    )
    return replace(model, **changes)  # type: ignore[arg-type]  # tests name the fields of a RiskModel


@pytest.fixture(scope="session")
def make_model() -> Callable[..., RiskModel]:
    """Makes the model made by hand, with changes."""
    return hand_made


@pytest.fixture(scope="session")
def model() -> RiskModel:
    return hand_made()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model made by hand, saved as an artifact."""
    folder = tmp_path_factory.mktemp("hand-made")
    artifact.save(hand_made(), folder, files={}, provenance={"cohort": "none"})
    return folder


@pytest.fixture(scope="session")
def simulated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model, as if it had learned from simulated patients."""
    folder = tmp_path_factory.mktemp("simulated")
    artifact.save(hand_made(trained_on="simulated"), folder, files={}, provenance={"cohort": "none"})
    return folder


@pytest.fixture(scope="session")
def loaded(model_folder: Path) -> Artifact:
    """The model made by hand, as it is loaded to score."""
    return artifact.load(model_folder)


@pytest.fixture(scope="session")
def simulated(simulated_folder: Path) -> Artifact:
    return artifact.load(simulated_folder)


@pytest.fixture(scope="session")
def cohort_tables() -> Path:
    """The folder of the tables of real cohorts, named by LYMPHORISK_COHORTS; without it the test is skipped."""
    folder = os.environ.get("LYMPHORISK_COHORTS", "")
    if not folder:
        pytest.skip("LYMPHORISK_COHORTS names no folder: the tables of real patients are not part of this project")
    return Path(folder)


COHORT_FILE = """\
name = "hospital"
source = "made up"
table = "patients.csv"
patient = "id"
missing = [-999]

[follow_up]
time = { column = "os", unit = "d" }
died = { column = "died" }

[patient_fields]
age_years = "age"
sex = "sex"
tumour = "tumour"

[measurements]
nlr = { column = "nlr", unit = "1" }
albumin = { column = "albumin", unit = "g/L" }

[treatment_history]
prior_lines = "lines"
"""


@pytest.fixture
def write_cohort(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small made-up cohort, altered: whole `columns`, `cells` by (column, row of the sheet), `edits` of the file."""

    def write(
        patients: int = 120,
        columns: Mapping[str, object] = MappingProxyType({}),
        cells: Mapping[tuple[str, int], object] = MappingProxyType({}),
        edits: Mapping[str, str] = MappingProxyType({}),
        more: str = "",
    ) -> Path:
        rng = np.random.default_rng(5)
        table: dict[str, list[object]] = {
            "id": [f"P{row}" for row in range(2, patients + 2)],
            "age": rng.integers(30, 85, patients).tolist(),
            "sex": rng.choice(["female", "male"], patients).tolist(),
            "tumour": rng.choice(["nsclc", "colorectal"], patients).tolist(),
            "nlr": np.exp(rng.normal(1.4, 0.6, patients)).round(2).tolist(),
            "albumin": rng.normal(38, 4, patients).round(1).tolist(),
            "lines": rng.integers(0, 4, patients).tolist(),
            "os": np.ceil(rng.exponential(300, patients)).astype(int).tolist(),
            "died": rng.choice([1, 1, 0], patients).tolist(),
        }
        for column, value in columns.items():
            table[column] = list(value) if isinstance(value, list) else [value] * patients
        for (column, row), value in cells.items():
            table[column][row - 2] = value
        lines = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
        (tmp_path / "patients.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        text = COHORT_FILE
        for old, new in edits.items():
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / "hospital.toml"
        path.write_text(text + more, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Small matrices on one thread, as `train` has them: several would only wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def seal_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The seal key of the tests, apart from the one of whoever runs them, as is that of the receipts."""
    path = tmp_path_factory.mktemp("keys") / "seal.key"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LYMPHORISK_SEAL_KEY", str(path))
        patch.setenv("LYMPHORISK_RECEIPTS_KEY", str(path.with_name("receipts.key")))
        yield path


@pytest.fixture(scope="session")
def hospitals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The cohort files of two made-up hospitals, to learn from and to be judged on; nothing in them says that they are."""
    from training.simulation.files import write
    from training.simulation.simulate import simulate

    found = []
    for seed, patients, name in ((21, 1000, "north"), (22, 600, "south")):
        path = write(simulate(patients, seed), tmp_path_factory.mktemp(name))
        path.with_name("truth.csv").unlink()
        head, _, rest = path.read_text(encoding="utf-8").partition("\n")
        assert head.startswith("name = ")
        path.write_text(f'name = "{name}"\n' + rest.replace('"simulated"', '"made up"', 1), encoding="utf-8")
        found.append(path)
    return found[0], found[1]


@pytest.fixture(scope="session")
def trained_there(hospitals: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of a model that learned in the first of them."""
    from training.fit import Settings
    from training.run import train

    out = tmp_path_factory.mktemp("trained") / "model"
    named = ("ln_alc", "ln_nlr", "ca19_9_log10", "ca19_9_undetectable", "albumin", "ecog", "prior_lines", "age", "sex_male")
    train(hospitals[0], out, Settings(named, "linear", refits=3, folds=3), bootstrap=100, tracking=None)
    return out


@pytest.fixture(scope="session")
def debian() -> Callable[[str, str | None], str]:
    """The program that Debian's package of that name brings; where it is not found, the test is skipped, and in CI it fails."""

    def found(package: str, program: str | None) -> str:
        if program:
            return program
        absent = f"{package} is not here: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)

    return found
