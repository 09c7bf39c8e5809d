"""Imports of small sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from small_cdm import Row, a_cdm

from training.sources.account import Account
from training.sources.concept_sets import concepts
from training.sources.imported import Wanted
from training.sources.omop.imported import import_files
from training.sources.people import Index


@pytest.fixture
def importing(tmp_path: Path) -> Callable[..., tuple[Account, Path]]:
    """Imports `a_cdm` with more rows: the account, and the folder of the cohort."""

    def done(line: int = 2, on: date | None = None, everybody: bool = False, **more: Sequence[Row]) -> tuple[Account, Path]:
        number = len(list(tmp_path.iterdir()))
        source, out = a_cdm(tmp_path / f"cdm-{number}", **more), tmp_path / f"cohort-{number}"
        wanted = Wanted(out, "small", Index(line, on), everybody)
        return import_files(source, wanted, concepts(), threads=1, memory="500MB"), out

    return done
