"""A study: what is to be learned, how it will be chosen and judged, and what it must show, declared before training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from training.study.criteria import Criteria
from training.study.landmarks import Landmarks
from training.study.tunable import SPACE, Range

LEARNERS = ("linear", "ensemble", "trees")
HORIZONS = (30.0, 60.0, 90.0, 180.0, 365.0)  # days
PRUNERS = ("median", "none")


@dataclass(frozen=True)
class Search:
    """How better settings of the learners are looked for: so many settings tried, in so many repeats of the cross-validation.

    `pruner`: "median" gives a setting up that is behind half of the others after as many folds. `storage`: the database in which
    the trials are kept, shared by all who search together; a file beside the artifact where it is empty. `space`: the settings
    that are searched, by name, and how far.
    """

    trials: int = 30
    repeats: int = 4
    pruner: str = "median"
    storage: str = field(default="", repr=False)  # it may name a host
    space: Mapping[str, Range] = field(default_factory=lambda: dict(SPACE))

    def as_json(self) -> dict[str, object]:
        """What was declared, JSON-ready; of the storage only its kind."""
        kind = self.storage.partition(":")[0].partition("+")[0] or "sqlite"
        space = {name: [one.low, one.high] for name, one in self.space.items()}
        return {"trials": self.trials, "repeats": self.repeats, "pruner": self.pruner, "storage": kind, "space": space}


@dataclass(frozen=True)
class Study:
    """A study file, read. `features` None: all that the cohort supports; `search` None: the default settings.

    `test`: cohort files kept for the end, their tables beside them or in `test_data`. `card`: what a person answers of the
    checklists, by item. `digest`: SHA-256 of the file.
    """

    name: str
    digest: str
    features: tuple[str, ...] | None = None
    horizons: tuple[float, ...] = HORIZONS
    learners: tuple[str, ...] = LEARNERS
    folds: int = 5
    repeats: int = 1
    refits: int = 50
    seed: int = 1
    search: Search | None = None
    test: tuple[Path, ...] = ()
    test_data: Path | None = None
    criteria: Criteria = field(default_factory=Criteria)
    card: Mapping[str, str] = field(default_factory=dict)
    landmarks: Landmarks | None = None  # None: patients are looked at on the index date alone

    def as_json(self) -> dict[str, object]:
        """What was declared, JSON-ready: of files their names, of no computer its paths."""
        scheme = {name: value for name, value in asdict(self).items() if name in ("folds", "repeats", "refits", "seed")}
        return {
            "name": self.name,
            "digest": self.digest,
            "features": "all that the cohort supports" if self.features is None else list(self.features),
            "horizons": list(self.horizons),
            "learners": list(self.learners),
            **scheme,
            "search": None if self.search is None else self.search.as_json(),
            "test": [path.name for path in self.test],
            "gate": self.criteria.as_json(),
            "card": dict(self.card),
        } | ({} if self.landmarks is None else {"landmarks": self.landmarks.as_json()})
