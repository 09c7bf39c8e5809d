"""Ratios, not seconds: ours and a named peer run in turn, round by round, and the ratios stand at the end of the output.

In the ordinary suite every benchmark runs once, small, to show that it still works. For figures:
`uv run pytest tests/benchmarks --benchmark-only --benchmark-enable`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import xgboost
from pytest_benchmark.fixture import BenchmarkFixture
from threadpoolctl import threadpool_limits

from lymphorisk import EXAMPLE_PATIENT
from models import artifact
from models.artifact import Artifact
from models.design import DesignMatrix, FloatArray
from training.cohort import Cohort, read_cohort
from training.fit import Fit, Settings, fit
from training.simulation.files import write
from training.simulation.simulate import simulate

RESULTS = pytest.StashKey[list["Result"]]()


@dataclass(frozen=True)
class Result:
    """What one race gave: seconds of each round of both, for one unit of work, and the largest ratio allowed."""

    what: str
    against: str
    ours: FloatArray
    peer: FloatArray
    bar: float | None
    note: str = ""

    @property
    def ratios(self) -> FloatArray:
        """Ours over the peer's, round by round: what slows one round slows both."""
        return self.ours / self.peer

    @property
    def median(self) -> float:
        return float(np.median(self.ratios))

    def __str__(self) -> str:
        low, high = np.quantile(self.ratios, [0.25, 0.75])
        bar = "" if self.bar is None else f"  bar {self.bar:g}"
        spent = f"{seconds(np.median(self.ours))} against {seconds(np.median(self.peer))}"
        return f"{self.median:8.3g} ({low:.3g}-{high:.3g}){bar}  {self.what}, against {self.against}: {spent}{self.note}"


def seconds(spent: float) -> str:
    """Seconds as a reader likes them."""
    return f"{spent * 1e6:.0f} us" if spent < 1e-3 else f"{spent * 1e3:.1f} ms" if spent < 1 else f"{spent:.1f} s"


class Race:
    """Runs ours and a peer in turn; pytest-benchmark times ours, and the peer is timed while it sets up the next round."""

    def __init__(self, benchmark: BenchmarkFixture, results: list[Result]):
        self.benchmark, self.results = benchmark, results

    @property
    def real(self) -> bool:
        """Whether figures are wanted; otherwise everything runs once, and small."""
        return not self.benchmark.disabled

    def __call__(
        self,
        ours: Callable[[], object],
        peer: Callable[[], object],
        *,
        what: str,
        against: str,
        rounds: int,
        calls: int = 1,
        units: tuple[int, int] = (1, 1),
        bar: float | None = None,
        said: Callable[[float], str] = lambda ratio: "",
    ) -> Result | None:
        """Race `ours` against `peer` over `rounds` of `calls` each; `units`: how much work one call of either does.

        With more than one round there is one more, first, that does not count. `said` is what the median ratio means, in words.
        None where no figures are wanted. Fails where the median ratio is above `bar`.
        """
        calls, taken = calls if self.real else 1, []

        def peer_first() -> tuple[tuple[Callable[[], object], int], dict[str, object]]:
            start = time.perf_counter()
            repeat(peer, calls)
            taken.append(time.perf_counter() - start)
            return (ours, calls), {}

        with threadpool_limits(1):  # two threads on one free core wait for each other: one each, as a worker for each core has
            self.benchmark.pedantic(repeat, setup=peer_first, rounds=rounds, warmup_rounds=int(rounds > 1))
        if not self.real:
            return None
        own = np.array(self.benchmark.stats.stats.data) / (calls * units[0])
        result = Result(what, against, own, np.array(taken[-rounds:]) / (calls * units[1]), bar)
        result = replace(result, note=f"; {words}" if (words := said(result.median)) else "")
        self.benchmark.extra_info |= {"against": against, "ratio": result.median}
        self.results.append(result)
        assert bar is None or result.median <= bar, f"{result}"
        return result


def repeat(call: Callable[[], object], times: int) -> None:
    """Call it that often."""
    for _ in range(times):
        call()


@pytest.fixture
def race(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> Race:
    """A race whose result is printed when the session ends."""
    return Race(benchmark, request.config.stash.setdefault(RESULTS, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The ratios of the session."""
    if results := terminalreporter.config.stash.get(RESULTS, []):
        terminalreporter.section("ratios, ours to the peer's: median of alternating rounds (quartiles)")
        for result in results:
            terminalreporter.write_line(str(result))


@dataclass(frozen=True)
class Trained:
    """A model of both learners, as `train` would save it, with the patient of the demo."""

    cohort: Cohort
    fit: Fit
    folder: Path
    artifact: Artifact
    line: str

    @property
    def booster(self) -> xgboost.Booster:
        """The trees as trained, on one thread as beside a service with a worker for each core."""
        booster = xgboost.Booster(model_file=self.folder / "booster.ubj")
        booster.set_param({"nthread": 1})
        return booster

    @property
    def one(self) -> DesignMatrix:
        """One patient's design row."""
        return DesignMatrix(self.fit.matrix.x[:1], self.fit.matrix.to_estimate[:1])


@pytest.fixture(scope="session")
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """An ensemble of simulated patients, large where figures are wanted: small trees would flatter us."""
    real = request.config.getoption("benchmark_enable")
    folder = tmp_path_factory.mktemp("benchmarks")
    cohort = read_cohort(write(simulate(3000 if real else 500, 1), folder / "cohort"))
    settings = Settings(learner="ensemble", folds=2, refits=50 if real else 2, tree_refits=2)
    with threadpool_limits(1):
        fitted = fit(cohort, settings)
    assert fitted.booster is not None
    artifact.save(fitted.model, folder / "model", files={"booster.ubj": fitted.booster}, provenance={"cohort": cohort.digest})
    return Trained(cohort, fitted, folder / "model", artifact.load(folder / "model"), json.dumps(EXAMPLE_PATIENT))
