"""A cohort is read and nothing is trained."""

from __future__ import annotations

from training.commands.answering import answer, refusing
from training.commands.given import cohort_of
from training.commands.options import Accept, AsJson, CohortPath, Data


def check(cohort: CohortPath, data: Data = None, accept: Accept = "", as_json: AsJson = False) -> None:
    """Read and validate a cohort: faults, exclusions, what its follow-up can answer. Nothing is trained."""
    with refusing(as_json):
        from training.telling.account import account_json, account_text

        read = cohort_of(cohort, data, accept)
    answer(account_json(read), account_text(read), as_json)
