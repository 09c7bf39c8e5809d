"""One patient on the wire, field by field: what each may hold, and every fault with its place.

The words are those of `models.patient`, which says what they mean; here is only their shape in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from models.analytes import ANALYTES, BY_LOINC, InvalidQuantity, quantity
from models.courses import MODALITIES, Treatment
from models.fault import Fault
from models.history import FLAGS, HISTORY_FIELDS, NUMBERS, OUTCOMES
from models.patient import GivenMeasurement, Patient, assemble
from models.units import plain

MOST_ROWS = 5000  # measurements or treatments of one patient
MOST_LINES = 30
LONGEST_ID = 128  # characters
LOOKED_UP = 8  # unknown names of an object that are held against the known ones
PATIENT_FIELDS = ("id", "as_of", "age_years", "sex", "tumour", "measurements", "treatments", "history", "extra")
MEASUREMENT_FIELDS = ("analyte", "loinc", "value", "unit", "date", "uln", "method")
TREATMENT_FIELDS = ("line", "modality", "agents", "start", "end", "outcome")
FIELDS = frozenset(("patients", *PATIENT_FIELDS, *MEASUREMENT_FIELDS, *TREATMENT_FIELDS, *HISTORY_FIELDS))
# and the tumour, of which assemble() speaks
_REQUIRED = {"as_of": "the index date, YYYY-MM-DD: it is required", "age_years": "a number of years: it is required"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Reading:
    """One reading of one patient, whose place in the request is `at`: collects faults as it goes."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.as_of: date | None = None

    def fault(self, pointer: str, given: object, allowed: str, likely: str = "") -> None:
        self.faults.append(Fault(pointer, "nothing" if given is None else str(given), allowed, likely))

    def id(self, document: Mapping[str, object], at: str) -> str:
        """The pseudonym, or nothing; read first, so that a refusal can name its patient."""
        return self.text(document, "id", at, limit=LONGEST_ID)

    def patient(self, document: Mapping[str, object], id: str, at: str) -> Patient:
        """The patient, or InvalidPatient with every fault of him."""
        self.known(document, PATIENT_FIELDS, at)
        for name, allowed in _REQUIRED.items():
            if document.get(name) is None:
                self.fault(f"{at}/{name}", None, allowed)
        self.as_of = self.date(document, "as_of", at)
        return assemble(
            id=id,
            age_years=self.age(document, at),
            sex=_word(document.get("sex")),
            tumour=_word(document.get("tumour")),
            measurements=[lab for row in self.rows(document, "measurements", at) if (lab := self.measurement(*row))],
            treatments=[course for row in self.rows(document, "treatments", at) if (course := self.treatment(*row))],
            history=self.history(document, at),
            extra=self.extra(document, at),
            fields=_pointers(at),
            faults=self.faults,
        )

    def known(self, given: Mapping[str, object], allowed: Iterable[str], at: str) -> None:
        """One fault for all unknown fields of an object: their names, which may be a patient's, are not repeated."""
        names = list(allowed)
        if unknown := sorted(set(given) - set(names))[:LOOKED_UP]:
            near = sorted({name for key in unknown for name in get_close_matches(key, names, n=1)})
            likely = "another spelling of " + ", ".join(near) if near else ""
            self.fault(at, "an unknown field", "only " + ", ".join(names), likely)

    def age(self, document: Mapping[str, object], at: str) -> float:
        """The age, or one that assemble() has nothing to say about: its fault is named already."""
        found = self.number(document, "age_years", at)
        return 0.0 if found is None else found

    def text(self, given: Mapping[str, object], name: str, at: str, limit: int = 256) -> str:
        found = given.get(name)
        if found is None:
            return ""
        if not isinstance(found, str) or len(found) > limit:
            self.fault(f"{at}/{name}", found, f"a text of at most {limit} characters")
            return ""
        return found

    def number(self, given: Mapping[str, object], name: str, at: str) -> float | None:
        found = given.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            self.fault(f"{at}/{name}", found, "a number", "a number in quotes" if isinstance(found, str) else "")
            return None
        return float(found)

    def date(self, given: Mapping[str, object], name: str, at: str) -> date | None:
        found = given.get(name)
        if found is None:
            return None
        try:
            if isinstance(found, str) and _DATE.fullmatch(found):
                return date.fromisoformat(found)
        except ValueError:
            pass  # a day that no calendar has: said below, with the rest
        self.fault(f"{at}/{name}", found, "a date of the calendar, written YYYY-MM-DD")
        return None

    def days_before(self, given: Mapping[str, object], name: str, at: str) -> float | None:
        """Days from the date to the index date; later dates are faults."""
        found = self.date(given, name, at)
        if found is None or self.as_of is None:
            return None
        days = (self.as_of - found).days
        if days < 0:
            self.fault(f"{at}/{name}", found, "a day not after as_of", "not known on the index date")
            return None
        return float(days)

    def rows(self, document: Mapping[str, object], name: str, at: str) -> list[tuple[Mapping[str, object], str]]:
        found, pointer = document.get(name), f"{at}/{name}"
        if found is None:
            return []
        if not isinstance(found, list) or len(found) > MOST_ROWS:
            self.fault(pointer, "another length or kind", f"a list of at most {MOST_ROWS} objects")
            return []
        for index, one in enumerate(found):
            if not isinstance(one, dict):
                self.fault(f"{pointer}/{index}", "something else", "an object")
        return [(one, f"{pointer}/{index}") for index, one in enumerate(found) if isinstance(one, dict)]

    def measurement(self, given: Mapping[str, object], at: str) -> GivenMeasurement | None:
        """The measurement, or None where its shape is at fault; its unit and size are then looked at all the same."""
        before = len(self.faults)
        self.known(given, MEASUREMENT_FIELDS, at)
        analyte, unit, method = self.analyte(given, at), self.text(given, "unit", at), self.text(given, "method", at)
        uln, value = self.number(given, "uln", at), self.result(given, at)
        if given.get("date") is None:
            self.fault(f"{at}/date", None, "the date of the draw, YYYY-MM-DD")
        day = self.days_before(given, "date", at)
        if not analyte or value is None:
            return None
        field = f"{at}/value" if _accepts(analyte, unit) else f"{at}/unit"
        if len(self.faults) == before and day is not None:
            return GivenMeasurement(analyte, value, unit or None, day, uln, method, field)
        self.size(analyte, value, unit, field)
        return None

    def result(self, given: Mapping[str, object], at: str) -> float | int | str | None:
        value = given.get("value")
        if isinstance(value, str) and _is_limit(value):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        self.fault(f"{at}/value", value, 'a number, or a limit such as "<2.0" or ">120000"')
        return None

    def size(self, analyte: str, value: float | str, unit: str, field: str) -> None:
        try:
            quantity(analyte, value, unit or None, field)
        except InvalidQuantity as error:
            self.faults.append(error.fault)

    def analyte(self, given: Mapping[str, object], at: str) -> str:
        """The analyte by its name, its LOINC code or both; none where neither is known, which is a fault."""
        name, code = self.text(given, "analyte", at), self.text(given, "loinc", at)
        found = name or BY_LOINC.get(code, "")
        if found not in ANALYTES:
            self.fault(f"{at}/analyte" if name or not code else f"{at}/loinc", name or code, "one of " + ", ".join(ANALYTES))
            return ""
        if code and BY_LOINC.get(code) != found:
            self.fault(f"{at}/loinc", code, f"a code of {found}: " + (", ".join(ANALYTES[found].loinc) or "none is known"))
        return found

    def treatment(self, given: Mapping[str, object], at: str) -> Treatment | None:
        """The treatment, or None where its shape is at fault."""
        before = len(self.faults)
        self.known(given, TREATMENT_FIELDS, at)
        for name, allowed in (("modality", "one of " + ", ".join(MODALITIES)), ("start", "a date, YYYY-MM-DD")):
            if given.get(name) is None:
                self.fault(f"{at}/{name}", None, allowed)
        line = self.number(given, "line", at)
        if line is not None and (line != int(line) or not 1 <= line <= MOST_LINES):
            self.fault(f"{at}/line", line, f"a whole number from 1 to {MOST_LINES}")
        modality, outcome, agents = self.text(given, "modality", at), self.text(given, "outcome", at), self.agents(given, at)
        start, end = self.days_before(given, "start", at), self.days_before(given, "end", at)
        if len(self.faults) > before or start is None:
            return None
        return Treatment(modality.lower(), start, end, None if line is None else int(line), agents, outcome.lower() or "unknown")

    def agents(self, given: Mapping[str, object], at: str) -> tuple[str, ...]:
        found = given.get("agents")
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(agent, str) for agent in found):
            self.fault(f"{at}/agents", "something else", "a list of texts")
            return ()
        return tuple(found)

    def history(self, document: Mapping[str, object], at: str) -> dict[str, object]:
        given = self.object(document, "history", at)
        self.known(given, HISTORY_FIELDS, f"{at}/history")
        return {name: value for name, value in given.items() if self.history_kind(name, value, f"{at}/history/{name}")}

    def history_kind(self, name: str, value: object, pointer: str) -> bool:
        """Whether the field is known and of its kind; models.history reads its words and its range."""
        if name in NUMBERS and value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            self.fault(pointer, value, "a number, or null where it is not known")
        elif name in FLAGS and not (value is None or isinstance(value, str | bool)):
            self.fault(pointer, value, "yes, no or unknown")
        elif name == "last_line_outcome" and not (value is None or isinstance(value, str)):
            self.fault(pointer, value, "one of " + ", ".join(OUTCOMES))
        else:
            return name in HISTORY_FIELDS
        return False

    def extra(self, document: Mapping[str, object], at: str) -> dict[str, float | str]:
        read: dict[str, float | str] = {}
        for name, value in self.object(document, "extra", at).items():
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                self.fault(f"{at}/extra", value, "a number or a text for each covariate")  # whose names only a model knows
            else:
                read[name] = value if isinstance(value, str) else float(value)
        return read

    def object(self, document: Mapping[str, object], name: str, at: str) -> Mapping[str, object]:
        found = document.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self.fault(f"{at}/{name}", "something else", "an object")
            return {}
        return found


@lru_cache(maxsize=1024)
def _pointers(at: str) -> dict[str, str]:
    simple = {name: f"{at}/{name}" for name in ("age_years", "sex", "tumour", "treatments")}
    return simple | {name: f"{at}/history/{name}" for name in HISTORY_FIELDS}


def _word(value: object) -> str | None:
    """A word for assemble() to read, which refuses what is no word."""
    return value if isinstance(value, str) or value is None else "no text"


def _is_limit(value: str) -> bool:
    return value.lstrip()[:1] in ("<", ">", "\u2264", "\u2265")


@lru_cache(maxsize=1024)
def _accepts(analyte: str, unit: str) -> bool:
    return plain(unit) in {plain(spelling) for spelling in ANALYTES[analyte].units}
