"""What every source is brought to before the shared rules apply: seven plain tables of persons and of what happened to them.

A source that is a database makes them by queries, one that is files by rows. A person is named by text; days are days of the
hospital; what is not told is "" in text, NO_NUMBER for a number, and null for a day.
"""

from __future__ import annotations

from collections.abc import Mapping

from training.sources.database import Columns

NO_NUMBER = -1e300  # no result: a join on it is an ordinary one, which a join on null is not

STAGES: Mapping[str, Columns] = {
    # sex: female, male or unknown; born_exact 0 where day or month of birth is made up
    "persons": {"person": "TEXT", "born": "DATE", "born_exact": "INTEGER", "sex": "TEXT", "site": "TEXT", "died": "DATE"},
    "observed": {"person": "TEXT", "since": "DATE", "until": "DATE"},
    # clock: HH:MM:SS, "" where it is not told; unit a code, unit_words as the source writes it; uln in the unit of the value
    "measured": {
        "person": "TEXT", "analyte": "TEXT", "day": "DATE", "clock": "TEXT", "sign": "TEXT", "number": "DOUBLE PRECISION",
        "words": "TEXT", "unit": "TEXT", "unit_words": "TEXT", "uln": "DOUBLE PRECISION", "route": "TEXT",
    },
    # means: a tumour, or a word of concept_sets
    "diagnosed": {"person": "TEXT", "day": "DATE", "means": "TEXT"},
    "dosed": {"person": "TEXT", "modality": "TEXT", "agent": "TEXT", "since": "DATE", "until": "DATE"},
    "statuses": {"person": "TEXT", "day": "DATE", "outcome": "TEXT"},
    # what no rule reads: how many rows of which table, and why
    "ignored": {"place": "TEXT", "what": "TEXT", "why": "TEXT", "n": "BIGINT"},
}
