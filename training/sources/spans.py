"""The table of treatments: what each drug of a line amounts to on the index date, and apart from it what was given later.

On the index date a drug lasts from its first dose to the last one given by then. What was given later stands dose by dose, so
that on no day a row tells of doses still to come. A drug first given on the index date runs on it, whether another dose followed
or not.
"""

from __future__ import annotations

from training.sources.database import Work


def make_spans(work: Work) -> None:
    """Make `spans` of the single doses in `courses` of those in `chosen`."""
    work.keep("begun", """
        SELECT person, line, start_of, lead(start_of) OVER (PARTITION BY person ORDER BY line) AS next_line
        FROM (SELECT person, line, min(since) AS start_of FROM courses WHERE line IS NOT NULL GROUP BY person, line) AS each""")
    work.keep("given", """
        SELECT c.person, i.index_date, c.line, c.modality, c.agents, CASE WHEN c.since <= i.index_date THEN 1 ELSE 0 END AS known,
               CASE WHEN c.since > i.index_date THEN c.since END AS later,
               min(c.since) AS since, CASE WHEN count(*) = count(c.until) THEN max(c.until) END AS until
        FROM courses c JOIN chosen i ON i.person = c.person WHERE c.line IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7""")
    # what stands after the index date may not end what was known on it
    last = "CASE WHEN b.next_line <= g.index_date OR g.known = 0 THEN b.next_line END"
    work.keep("ended", f"""
        SELECT g.*, b.start_of, {last} AS last_day, coalesce({last}, CASE WHEN g.known = 1 THEN g.index_date END) AS told_by
        FROM given g JOIN begun b ON b.person = g.person AND b.line = g.line""")
    work.keep("told", """
        SELECT person, line, known, outcome FROM (
            SELECT e.person, e.line, e.known, s.outcome,
                   row_number() OVER (PARTITION BY e.person, e.line, e.known ORDER BY s.day DESC, s.outcome) AS place
            FROM (SELECT DISTINCT person, line, known, start_of, told_by FROM ended) AS e JOIN statuses s
              ON s.person = e.person AND s.day > e.start_of AND s.day <= coalesce(e.told_by, s.day)) AS every
        WHERE place = 1""")
    end = """CASE WHEN e.last_day IS NOT NULL THEN least(coalesce(e.until, e.last_day), e.last_day)
        WHEN e.since = e.index_date AND e.until = e.index_date THEN e.until + 1 ELSE e.until END"""
    work.keep("spans", f"""
        SELECT e.person, e.line, e.modality, e.agents, e.since, {end} AS until, coalesce(t.outcome, 'unknown') AS outcome
        FROM ended e LEFT JOIN told t ON t.person = e.person AND t.line = e.line AND t.known = e.known
        UNION ALL SELECT c.person, c.line, c.modality, c.agents, c.since, c.until, 'unknown'
        FROM courses c JOIN chosen i ON i.person = c.person WHERE c.line IS NULL""")
