"""Folds for cross-validation in which no patient sits on both sides, and each fold has its share of the deaths."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.statistics.censoring import Flags


def grouped_folds(groups: ArrayLike, deaths: Flags, k: int, seed: int) -> NDArray[np.intp]:
    """The fold (0 ... k - 1) of each row (n,); all rows of a patient share one.

    `groups` (n,) names the patient of each row, `deaths` (n,) says who died. The patients are shuffled, laid out with the
    dead first and those with many rows first, and dealt like cards: the folds differ by at most one patient, and by at most
    one who died. A patient's fold does not depend on the order of the rows. Raises ValueError for fewer patients than folds.
    """
    names, patients, rows = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    if not 2 <= k <= names.size:
        raise ValueError(f"{k} folds of {names.size} patients: allowed is 2 to the number of patients")
    died = np.zeros(names.size, np.bool_)
    np.logical_or.at(died, patients, deaths)
    dealt = np.lexsort((np.random.default_rng(seed).random(names.size), -rows, ~died))
    folds = np.empty(names.size, np.intp)
    folds[dealt] = np.arange(names.size) % k
    return folds[patients]
