"""Which results of a person on a day count: each row gets one fate, and every fate is counted.

Nothing is dropped in silence: the rows of a table are those that are written and those that have another fate.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from models.analytes import ANALYTES
from models.measurements import PARTS, PARTS_ROUNDING, PARTS_TOLERANCE, SHARES
from training.sources.database import Work
from training.sources.judged import KEY, judge_all

DUPLICATE = "the same result of the same day: counted once"
EARLIER = "an earlier result of the same day: the last one counts"
CONTRADICTED = "different results of one day, and no times that tell which is the last"
INCOHERENT = "counts of one day that cannot be true together"
TWO_SCORES = "a Karnofsky score on a day with an ECOG grade: ECOG counts"
NOT_IN_COHORT = "of persons who are not in the cohort"
_NEARLY = 1e-9  # so that no rounding lets through what a cohort would be refused for
_BLOOD = (*PARTS, "wbc", *(share for _, share in SHARES))


def place_all(work: Work, extracted: date) -> None:
    """Make `placed`: every recognised row with its `why`, "" for what may be used."""
    judge_all(work)
    same = " AND ".join(f"j.{name} = m.{name}" for name in KEY)
    ends = "(SELECT person, max(until) AS last_day FROM observed GROUP BY person)"
    why = f"""CASE
        WHEN p.person IS NULL THEN 'of a person who is not in the table of persons'
        WHEN m.day IS NULL THEN 'no date that can be read'
        WHEN m.day > DATE '{extracted:%Y-%m-%d}' THEN 'dated after the day of extraction'
        WHEN m.day < p.born THEN 'dated before the birth'
        WHEN m.day > p.died THEN 'dated after the death'
        WHEN m.day > e.last_day THEN 'dated after the last day of observation'
        ELSE j.why END"""
    work.keep("placed", f"""
        SELECT m.person, m.analyte, m.day, m.clock, m.route, j.value, j.in_unit, j.canonical, j.bound, j.limit_high, j.converted,
               j.remark, {why} AS why
        FROM measured m JOIN judged j ON {same}
        LEFT JOIN persons p ON p.person = m.person LEFT JOIN {ends} AS e ON e.person = m.person""")


def settle(work: Work) -> None:
    """Make `settled` of the usable rows of those in `chosen`: one row for each different result of a day, with its `fate`."""
    work.keep("results", """
        SELECT person, analyte, day, canonical, bound, min(value) AS value, min(in_unit) AS in_unit,
               max(limit_high) AS limit_high, max(clock) AS clock, min(clock) AS first_clock, count(*) AS times
        FROM placed WHERE why = '' AND person IN (SELECT person FROM chosen)
        GROUP BY person, analyte, day, canonical, bound""")
    work.keep("daily", """
        SELECT r.*, count(*) OVER same_day AS different, min(first_clock) OVER same_day AS earliest,
               max(clock) OVER same_day AS latest, count(*) OVER (PARTITION BY person, analyte, day, clock) AS at_once
        FROM results r WINDOW same_day AS (PARTITION BY person, analyte, day)""")
    work.keep("fated", f"""
        SELECT d.*, CASE WHEN different = 1 THEN ''
            WHEN earliest = '' OR tied THEN '{CONTRADICTED}'
            WHEN clock < latest THEN '{EARLIER}' ELSE '' END AS fate
        FROM (SELECT a.*, max(CASE WHEN clock = latest AND at_once > 1 THEN 1 ELSE 0 END)
                          OVER (PARTITION BY person, analyte, day) = 1 AS tied FROM daily a) AS d""")
    work.keep("incoherent", _incoherent())
    work.keep("settled", f"""
        SELECT f.person, f.analyte, f.day, f.value, f.in_unit, f.limit_high, f.times, CASE WHEN f.fate <> '' THEN f.fate
            WHEN i.person IS NOT NULL THEN '{INCOHERENT}' WHEN e.person IS NOT NULL THEN '{TWO_SCORES}' ELSE '' END AS fate
        FROM fated f
        LEFT JOIN incoherent i ON i.person = f.person AND i.day = f.day AND f.analyte IN ({_listed(_BLOOD)})
        LEFT JOIN fated e ON e.person = f.person AND e.day = f.day AND e.analyte = 'ecog' AND e.fate = ''
                          AND f.analyte = 'karnofsky'""")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _incoherent() -> str:
    """The days of a person whose counts a cohort would be refused for: the rules of models.measurements, as SQL."""
    values = ", ".join(
        f"max(CASE WHEN analyte = '{name}' THEN canonical END) AS {name}, "
        f"max(CASE WHEN analyte = '{name}' AND bound <> '' THEN 1 ELSE 0 END) AS {name}_bound" for name in _BLOOD
    )
    day = f"SELECT person, day, {values} FROM fated WHERE fate = '' AND analyte IN ({_listed(_BLOOD)}) GROUP BY person, day"
    made = {count: f"coalesce({count}, wbc * {share} / 100)" for count, share in SHARES}
    parts = " + ".join(f"coalesce({made.get(name, name)}, 0)" for name in PARTS)
    shares = " + ".join(f"coalesce({share}, 0)" for _, share in SHARES)
    faults = [f"{parts} > wbc * {PARTS_TOLERANCE} + {PARTS_ROUNDING} - {_NEARLY}"]
    faults.append(f"{shares} > {100 * PARTS_TOLERANCE} - {_NEARLY}")
    for count, share in SHARES:
        apart = f"abs({count} - wbc * {share} / 100) > {PARTS_TOLERANCE - 1:.6g} * wbc + {PARTS_ROUNDING} - {_NEARLY}"
        faults.append(f"({count}_bound + wbc_bound + {share}_bound = 0 AND {apart})")
        faults.append(f"({count} IS NULL AND wbc * {share} / 100 > {ANALYTES[count].hard[1]} - {_NEARLY})")
    return f"SELECT person, day FROM ({day}) AS draws WHERE " + " OR ".join(faults)


def fates(work: Work) -> dict[str, dict[str, int]]:
    """Rows by analyte and by what became of them: "written", or the reason why not. They add up to the rows recognised."""
    found: dict[str, dict[str, int]] = {}

    def add(analyte: str, fate: str, n: int) -> None:
        if n:
            of_one = found.setdefault(analyte, {})
            of_one[fate] = of_one.get(fate, 0) + int(n)

    outside = "person NOT IN (SELECT person FROM chosen)"
    for analyte, why, out, n in work.rows(
        f"SELECT analyte, why, CASE WHEN why = '' AND {outside} THEN 1 ELSE 0 END, count(*) FROM placed GROUP BY 1, 2, 3"
    ):
        if why or out:
            add(analyte, why or NOT_IN_COHORT, n)
    for analyte, fate, different, times in work.rows("SELECT analyte, fate, count(*), sum(times) FROM settled GROUP BY 1, 2"):
        add(analyte, fate or "written", different)
        add(analyte, DUPLICATE, times - different)
    return found


def remarks(work: Work) -> Mapping[str, int]:
    """How often a usable result was read with a remark, or converted."""
    said = {remark: int(n) for remark, n in work.rows("SELECT remark, count(*) FROM placed WHERE why = '' GROUP BY 1") if remark}
    (number,) = work.rows("SELECT coalesce(sum(converted), 0) FROM placed WHERE why = ''")
    return said | {"given in another unit than the canonical one": int(number[0])}
