"""Persons, their observation, results, diagnoses and drugs of an OMOP source, brought to the plain tables of `stages`.

A result is recognised by its concept, else by the concept of its source, else, where nothing was mapped, by its code in the
source. Concepts are found in the source's own vocabularies by code, and by their numbers where it has none.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.analytes import UNCONFIRMED_LOINC
from training.sources.concept_sets import Concept
from training.sources.database import Work
from training.sources.stages import NO_NUMBER

_FEMALE, _MALE = 8532, 8507  # concepts of OMOP's vocabulary Gender
COMMON, SHORT = 20, 24  # rows of a code of the source that is repeated, and its characters
ROUTES = ("its concept", "the concept of its source", "its code in the source")


def stage_concepts(work: Work, concepts: Iterable[Concept]) -> None:
    """Make `code_sets`, `meanings` (concept_id, kind, means) and `texts` (kind, code, means)."""
    columns = {"kind": "TEXT", "vocabulary": "TEXT", "code": "TEXT", "concept_id": "BIGINT", "means": "TEXT"}
    work.fill("code_sets", columns, [one[:5] for one in concepts])
    work.keep("by_code", """
        SELECT DISTINCT c.concept_id, k.kind, k.means FROM cdm_concept c
        JOIN code_sets k ON k.vocabulary = c.vocabulary_id AND k.code = c.concept_code AND k.code <> ''""")
    work.keep("meanings", """
        SELECT concept_id, kind, min(means) AS means FROM (
            SELECT concept_id, kind, means FROM by_code
            UNION SELECT r.concept_id_2, b.kind, b.means FROM by_code b JOIN cdm_concept_relationship r
                ON r.concept_id_1 = b.concept_id AND r.relationship_id = 'Maps to' AND coalesce(r.invalid_reason, '') = ''
            UNION SELECT concept_id, kind, means FROM code_sets WHERE concept_id > 0) AS every
        GROUP BY concept_id, kind HAVING count(DISTINCT means) = 1""")
    work.keep("texts", """SELECT kind, code, min(means) AS means FROM code_sets WHERE code <> ''
        GROUP BY kind, code HAVING count(DISTINCT means) = 1""")


def stage_persons(work: Work) -> None:
    """Make `persons` and `observed`; a person with two rows of death died on the first."""
    month = "CASE WHEN month_of_birth BETWEEN 1 AND 12 THEN month_of_birth ELSE 7 END"
    after = "CASE WHEN day_of_birth BETWEEN 1 AND 31 THEN day_of_birth - 1 ELSE 0 END"
    first = f"CAST(year_of_birth AS VARCHAR) || '-' || lpad(CAST({month} AS VARCHAR), 2, '0') || '-01'"
    known = "year_of_birth BETWEEN 1900 AND 2100"
    sex = f"CASE p.gender_concept_id WHEN {_FEMALE} THEN 'female' WHEN {_MALE} THEN 'male' ELSE 'unknown' END"
    born = f"CASE WHEN {known} THEN CAST({first} AS DATE) + CAST({after} AS INTEGER) END"
    work.keep("persons", f"""
        SELECT CAST(p.person_id AS VARCHAR) AS person, max({born}) AS born,
               min(CASE WHEN p.day_of_birth IS NULL OR p.month_of_birth IS NULL THEN 0 ELSE 1 END) AS born_exact,
               CASE WHEN count(DISTINCT {sex}) = 1 THEN max({sex}) ELSE 'unknown' END AS sex,
               max(coalesce(CAST(p.care_site_id AS VARCHAR), '')) AS site, min(d.death_date) AS died
        FROM cdm_person p LEFT JOIN cdm_death d ON d.person_id = p.person_id
        WHERE p.person_id IS NOT NULL GROUP BY p.person_id""")
    work.keep("observed", """
        SELECT CAST(person_id AS VARCHAR) AS person, observation_period_start_date AS since,
               observation_period_end_date AS until
        FROM cdm_observation_period WHERE person_id IS NOT NULL""")


def stage_results(work: Work) -> None:
    """Make `measured` of the tables of measurements and of observations."""
    work.keep("measured", f"{_results('measurement', 'measurement')} UNION ALL {_results('observation', 'observation')}")


def _results(table: str, prefix: str) -> str:
    words = "value_source_value" if table == "measurement" else "value_as_string"
    sign = "coalesce(o.means, CASE WHEN coalesce(m.operator_concept_id, 0) = 0 THEN '' ELSE '?' END)"
    of_limit = f"CASE WHEN {_ANALYTE} = 'ldh' AND m.range_high > 0 THEN m.range_high ELSE {NO_NUMBER!r} END"
    if table != "measurement":
        sign, of_limit = "''", repr(NO_NUMBER)
    operators = "LEFT JOIN meanings o ON o.kind = 'operator' AND o.concept_id = m.operator_concept_id"
    clock = f"CAST(CAST(m.{prefix}_datetime AS TIME) AS VARCHAR)"
    return f"""
        SELECT CAST(m.person_id AS VARCHAR) AS person, {_ANALYTE} AS analyte, m.{prefix}_date AS day,
               CASE WHEN {clock} IS NULL OR {clock} = '00:00:00' THEN '' ELSE {clock} END AS clock, {sign} AS sign,
               CASE WHEN m.value_as_number IS NULL OR abs(m.value_as_number) > 1e15 THEN {NO_NUMBER!r}
                    ELSE m.value_as_number END AS number,
               CASE WHEN m.value_as_number IS NULL OR m.{words} LIKE '%<%' OR m.{words} LIKE '%>%' OR m.{words} LIKE '%\u2264%'
                         OR m.{words} LIKE '%\u2265%' THEN trim(coalesce(m.{words}, '')) ELSE '' END AS words,
               coalesce(w.means, CASE WHEN u.vocabulary_id = 'UCUM' THEN u.concept_code END, '') AS unit,
               trim(coalesce(m.unit_source_value, '')) AS unit_words, {of_limit} AS uln,
               CASE WHEN a.means IS NOT NULL THEN '{ROUTES[0]}' WHEN s.means IS NOT NULL THEN '{ROUTES[1]}'
                    ELSE '{ROUTES[2]}' END AS route
        FROM cdm_{table} m {_meaning(prefix)} {operators if table == 'measurement' else ''}
        LEFT JOIN cdm_concept u ON u.concept_id = m.unit_concept_id AND m.unit_concept_id <> 0
        LEFT JOIN meanings w ON w.kind = 'unit' AND w.concept_id = m.unit_concept_id
        WHERE {_ANALYTE} IS NOT NULL"""


_ANALYTE = "coalesce(a.means, s.means, t.means)"


def _meaning(prefix: str, kind: str = "measurement") -> str:
    """How the concept, the concept of the source and its code find their meaning."""
    return f"""
        LEFT JOIN meanings a ON a.kind = '{kind}' AND a.concept_id = m.{prefix}_concept_id
        LEFT JOIN meanings s ON s.kind = '{kind}' AND s.concept_id = m.{prefix}_source_concept_id
        LEFT JOIN texts t ON t.kind = '{kind}' AND coalesce(m.{prefix}_concept_id, 0) = 0 AND t.code = m.{prefix}_source_value"""


def stage_ignored(work: Work) -> None:
    """Make `unread`: the measurements that are no input of a model, by code.

    Codes in use for one that nobody has confirmed stand apart, and so do the source's own codes where nothing was mapped: of
    those only what is as short and as common as a code is repeated, since a text may be anything.
    """
    unconfirmed = ", ".join(f"'{code}'" for code in UNCONFIRMED_LOINC)
    own = f"n >= {COMMON} AND length(own) BETWEEN 1 AND {SHORT}"
    work.keep("unread", f"""
        SELECT CASE WHEN code <> '' THEN code WHEN {own} THEN own ELSE '' END AS code, name,
               CASE WHEN coalesce(nullif(code, ''), own) IN ({unconfirmed}) THEN 'a code that no primary source has confirmed'
                    WHEN code = '' AND {own} THEN 'a code of the source that is not mapped: --concepts may say what it means'
                    WHEN code = '' THEN 'not mapped, and no code that is common'
                    ELSE 'no input of a model' END AS why, sum(n) AS n FROM (
            SELECT coalesce(c.concept_code, '') AS code, coalesce(c.concept_name, '') AS name, own, sum(n) AS n FROM (
                SELECT coalesce(m.measurement_concept_id, 0) AS concept_id, CASE WHEN coalesce(m.measurement_concept_id, 0) = 0
                       THEN trim(coalesce(m.measurement_source_value, '')) ELSE '' END AS own, count(*) AS n
                FROM cdm_measurement m {_meaning('measurement')} WHERE {_ANALYTE} IS NULL GROUP BY 1, 2) AS counted
            LEFT JOIN cdm_concept c ON c.concept_id = counted.concept_id AND counted.concept_id <> 0
            GROUP BY 1, 2, 3) AS named
        GROUP BY 1, 2, 3""")
