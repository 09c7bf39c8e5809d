"""The rows of the cohort's table in which some of its patients stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.cohort import Cohort


def rows_at(cohort: Cohort, patients: NDArray[np.bool_] | NDArray[np.intp]) -> tuple[int, ...]:
    """The rows of some patients (a mask or indices), as a spreadsheet counts them; none where the cohort came from no table."""
    places = np.arange(len(cohort))[patients]
    return tuple(cohort.rows[place] for place in places) if cohort.rows else ()
