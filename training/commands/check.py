"""A cohort is read and diagnosed, and nothing is trained."""

from __future__ import annotations

from training.commands.answering import answer, refuse, refusing
from training.commands.given import cohort_of
from training.commands.options import Accept, Against, AsJson, CohortPath, Data


def check(cohort: CohortPath, data: Data = None, against: Against = None, accept: Accept = "", as_json: AsJson = False) -> None:
    """Read and diagnose a cohort: exclusions, what its follow-up can answer, and whether it may be believed.

    Exit code 1 where the cohort cannot be read, or holds suspicious columns that nobody accepted: training would refuse it. What
    only stands in the way of a promotion is told as Fail, counted in the JSON, and ends with 0.
    """
    with refusing(as_json):
        from training.diagnosed import before_training
        from training.diagnosis.finding import diagnosis_text
        from training.fit import Settings
        from training.telling.account import account_json, account_text

        read = cohort_of(cohort, data, accept, doubtful=True)
        other = None if against is None else cohort_of(against, data, "", doubtful=True)
        found = before_training(read, Settings(), other)
    doubts = [str(doubt.fault) for doubt in read.doubts if not doubt.accepted]
    document = account_json(read) | {"diagnosis": found.as_json()} | ({"faults": doubts} if doubts else {})
    answer(document, f"{account_text(read)}\n\n{diagnosis_text(found)}", as_json)
    if doubts:
        refuse(doubts, as_json=False)
