"""One patient on the wire, field by field: what each may hold, and every fault with its place.

The words are those of `models.patient`, which says what they mean; here is only their shape in JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

from models.analytes import ANALYTES, BY_LOINC, InvalidQuantity, quantity
from models.courses import MODALITIES, Treatment, course_faults
from models.history import FLAGS, HISTORY_FIELDS, NUMBERS, OUTCOME_WORDS, OUTCOMES
from models.patient import GivenMeasurement, Patient, assemble
from models.units import plain
from serving.field_names import MEASUREMENT_FIELDS, PATIENT_FIELDS, TREATMENT_FIELDS, analyte_meant, repeatable
from serving.json_fields import ENOUGH, MOST_ROWS, Fields
from serving.plain_words import LONGEST_ID, PSEUDONYM_RULE, is_pseudonym

__all__ = ["ENOUGH", "FLAG_ANSWERS", "LONGEST_ID", "MOST_AGENTS", "MOST_EXTRAS", "MOST_LINES", "MOST_ROWS", "Reading"]

MOST_EXTRAS = 200
MOST_LINES = 30
MOST_AGENTS = 50  # of one treatment
LONG_AGO = timedelta(days=366)  # an index date so far back is of another time
AHEAD = timedelta(days=1)  # by which the clock of another time zone may be ahead
FLAG_ANSWERS = ("yes", "no", "unknown")
# and the tumour, of which assemble() speaks
_REQUIRED = {"as_of": "the index date, YYYY-MM-DD: it is required", "age_years": "a number of years: it is required"}
_REQUIRED_OF_A_TREATMENT = (("modality", "one of " + ", ".join(MODALITIES)), ("start", "a date, YYYY-MM-DD"))
_CODES = "one of " + ", ".join(f"{code} ({analyte})" for code, analyte in BY_LOINC.items())
_NO_FAULT = 120.0  # years: an age of which nothing is to be said, since its fault is named already


class Reading(Fields):
    """One reading of one patient, whose place in the request is `at`: collects faults and doubts as it goes.

    `today` is the day on which it is read, where that is known: an index date after it is a fault, one long before it a doubt.
    """

    def __init__(self, today: date | None = None) -> None:
        super().__init__()
        self.doubts: list[str] = []
        self.today = today

    def id(self, document: Mapping[str, object], at: str) -> str:
        """The pseudonym, or nothing; read first, so that a refusal can name its patient."""
        found = document.get("id")
        if found is None or (isinstance(found, str) and is_pseudonym(found)):
            return found or ""
        self.fault(f"{at}/id", "another text", PSEUDONYM_RULE, "what names a person: leave it out")
        return ""

    def patient(self, document: Mapping[str, object], id: str, at: str) -> Patient:
        """The patient, or InvalidPatient with every fault of him."""
        self.known(document, PATIENT_FIELDS, at)
        for name, allowed in _REQUIRED.items():
            if document.get(name) is None:
                self.fault(f"{at}/{name}", None, allowed)
        self.as_of = self.index_date(document, at)
        landmark = self.days_before(document, "index_date", at)
        patient = assemble(
            id=id,
            age_years=self.age(document, at),
            sex=_word(document.get("sex")),
            tumour=_word(document.get("tumour")),
            measurements=[lab for row in self.rows(document, "measurements", at) if (lab := self.measurement(*row))],
            treatments=self.treatments(document, at),
            history=self.history(document, at),
            extra=self.extra(document, at),
            fields=_pointers(at),
            faults=self.faults,
            doubts=self.doubts,
        )
        return patient if landmark is None else replace(patient, landmark=landmark)

    def index_date(self, document: Mapping[str, object], at: str) -> date | None:
        found = self.date(document, "as_of", at)
        if found is None or self.today is None:
            return found
        if found > self.today + AHEAD:
            self.fault(f"{at}/as_of", found, "today or an earlier day", "a day that has not come yet, or another century")
            return None
        if found < self.today - LONG_AGO:
            self.doubts.append("the index date lies more than a year back: the answer is about that day, and not about now")
        return found

    def age(self, document: Mapping[str, object], at: str) -> float:
        """The age, or one that assemble() has nothing to say about: its fault is named already."""
        found = self.number(document, "age_years", at)
        return _NO_FAULT if found is None else found

    def measurement(self, given: Mapping[str, object], at: str) -> GivenMeasurement | None:
        """The measurement, or None where its shape is at fault; its unit and size are then looked at all the same."""
        before = len(self.faults)
        self.known(given, MEASUREMENT_FIELDS, at)
        analyte, value, uln = self.analyte(given, at), self.result(given, at), self.number(given, "uln", at)
        unit = self.unit(given, analyte, value, at)
        method = "" if given.get("method") is None else self.label(given["method"], f"{at}/method")
        if given.get("date") is None:
            self.fault(f"{at}/date", None, "the date of the draw, YYYY-MM-DD")
        day = self.days_before(given, "date", at)
        if not (analyte and unit) or value is None:
            return None
        if len(self.faults) == before and day is not None:
            return GivenMeasurement(analyte, value, unit, day, uln, method, f"{at}/value")
        self.size(analyte, value, unit, f"{at}/value")
        return None

    def unit(self, given: Mapping[str, object], analyte: str, value: float | str | None, at: str) -> str:
        """An accepted unit of the analyte, or nothing, which is a fault."""
        found = given.get("unit")
        if not (found is None or isinstance(found, str)):
            self.fault(f"{at}/unit", "something else", "a text: the unit of the value")
        elif not analyte:
            if not found:
                self.fault(f"{at}/unit", None, "the unit of the value: it is never guessed")
        elif found and _accepts(analyte, found):
            return found
        else:
            self.size(analyte, math.nan if value is None else value, found or "", f"{at}/unit")
        return ""

    def result(self, given: Mapping[str, object], at: str) -> float | int | str | None:
        value = given.get("value")
        if type(value) is float:
            return value
        if isinstance(value, str) and _is_limit(value):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        likely = "a missing value: leave the measurement out" if value is None or value == "" else ""
        likely = "a number in quotes" if isinstance(value, str) and value.strip().isdecimal() else likely
        self.fault(f"{at}/value", value, 'a number, or a limit such as "<2.0" or ">120000"', likely)
        return None

    def size(self, analyte: str, value: float | str, unit: str, field: str) -> None:
        try:
            quantity(analyte, value, unit or None, field)
        except InvalidQuantity as error:
            self.faults.append(error.fault)

    def analyte(self, given: Mapping[str, object], at: str) -> str:
        """The analyte by its name, its LOINC code or both; none where neither is known, which is a fault."""
        if "loinc" not in given and isinstance(name := given.get("analyte"), str) and name in ANALYTES:
            return name
        name, code = self.text(given, "analyte", at), self.text(given, "loinc", at)
        found = name or BY_LOINC.get(code, "")
        if found not in ANALYTES:
            if not (name or code) and (given.get("analyte") is not None or given.get("loinc") is not None):
                return ""  # said already
            likely = BY_LOINC.get(name) or analyte_meant(name)
            pointer = f"{at}/analyte" if name or not code else f"{at}/loinc"
            self.fault(pointer, name or code, "one of " + ", ".join(ANALYTES) if name or not code else _CODES, likely)
            return ""
        if code and BY_LOINC.get(code) != found:
            self.fault(f"{at}/loinc", code, f"a code of {found}: " + (", ".join(ANALYTES[found].loinc) or "none is known"))
        return found

    def treatments(self, document: Mapping[str, object], at: str) -> list[Treatment]:
        """The treatments if all can be read: faults between them are told by their places, which must not shift."""
        read = [self.treatment(*row) for row in self.rows(document, "treatments", at)]
        return [] if None in read else [course for course in read if course]

    def treatment(self, given: Mapping[str, object], at: str) -> Treatment | None:
        """The treatment, or None where something of it is at fault."""
        before = len(self.faults)
        self.known(given, TREATMENT_FIELDS, at)
        for name, allowed in _REQUIRED_OF_A_TREATMENT:
            if given.get(name) is None:
                self.fault(f"{at}/{name}", None, allowed)
        line = self.number(given, "line", at)
        if line is not None and (line != int(line) or not 1 <= line <= MOST_LINES):
            self.fault(f"{at}/line", line, f"a whole number from 1 to {MOST_LINES}")
        modality, outcome, agents = self.text(given, "modality", at), self.text(given, "outcome", at), self.agents(given, at)
        start, end = self.days_before(given, "start", at), self.days_before(given, "end", at)
        if len(self.faults) > before or start is None:
            return None
        number = None if line is None else int(line)
        word = outcome.strip().lower()
        read = Treatment(modality.lower(), start, end, number, agents, OUTCOME_WORDS.get(word, word) or "unknown")
        self.faults += (replace(fault, field=at + fault.field.removeprefix("/0")) for fault in course_faults([read], ""))
        return None if len(self.faults) > before else read

    def agents(self, given: Mapping[str, object], at: str) -> tuple[str, ...]:
        found = given.get("agents")
        if found is None:
            return ()
        if not isinstance(found, list) or len(found) > MOST_AGENTS:
            self.fault(f"{at}/agents", "something else", f"a list of at most {MOST_AGENTS} texts")
            return ()
        return tuple(self.label(agent, f"{at}/agents/{place}") for place, agent in enumerate(found))

    def history(self, document: Mapping[str, object], at: str) -> dict[str, object]:
        given = self.object(document, "history", at)
        self.known(given, HISTORY_FIELDS, f"{at}/history")
        return {name: value for name, value in given.items() if self.history_kind(name, value, f"{at}/history/{name}")}

    def history_kind(self, name: str, value: object, pointer: str) -> bool:
        """Whether the field is known and of its kind; models.history reads its words and its range."""
        if name in NUMBERS and value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            self.fault(pointer, value, "a number, or null where it is not known")
        elif name in FLAGS and not _is_word_of(value, FLAG_ANSWERS) and not isinstance(value, bool):
            self.fault(pointer, value, "yes, no or unknown")
        elif name == "last_line_outcome" and not _is_word_of(value, (*OUTCOMES, *OUTCOME_WORDS)):
            self.fault(pointer, value, "one of " + ", ".join(OUTCOMES))
        else:
            return name in HISTORY_FIELDS
        return False

    def extra(self, document: Mapping[str, object], at: str) -> dict[str, float | str]:
        read: dict[str, float | str] = {}
        given = self.object(document, "extra", at)
        if len(given) > MOST_EXTRAS:
            self.fault(f"{at}/extra", "more", f"at most {MOST_EXTRAS} covariates")
            return read
        for name, value in given.items():
            pointer = f"{at}/extra/{name}" if repeatable(name) else f"{at}/extra"  # what others are called only a model knows
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                self.fault(pointer, value, "a number or a text for each covariate")
            else:
                self.label(name, f"{at}/extra")
                read[name] = self.label(value, pointer) if isinstance(value, str) else float(value)
        return read


@lru_cache(maxsize=1024)
def _pointers(at: str) -> dict[str, str]:
    simple = {name: f"{at}/{name}" for name in ("age_years", "sex", "tumour", "treatments")}
    return simple | {name: f"{at}/history/{name}" for name in HISTORY_FIELDS}


def _word(value: object) -> str | None:
    """A word for assemble() to read, which refuses what is no word."""
    return value if value is None or (isinstance(value, str) and value.strip()) else "no text"


def _is_word_of(value: object, words: tuple[str, ...]) -> bool:
    """Whether it is one of the words, however written, or left unknown."""
    return value is None or (isinstance(value, str) and value.strip().lower() in words)


def _is_limit(value: str) -> bool:
    return value.lstrip()[:1] in ("<", ">", "\u2264", "\u2265")


@lru_cache(maxsize=1024)
def _accepts(analyte: str, unit: str) -> bool:
    return plain(unit) in {plain(spelling) for spelling in ANALYTES[analyte].units}
