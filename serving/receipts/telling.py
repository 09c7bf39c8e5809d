"""One receipt in words and tables, for a tired auditor: what came in, how it was understood, what was said and why.

Percentages are rounded for the eye; the receipt as JSON holds every digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.analytes import ANALYTES
from serving.receipts.checks import Check
from serving.receipts.finding import Receipt
from serving.receipts.payload import REQUEST
from serving.receipts.record import Record, Signed
from serving.receipts.telling_change import parts, which

Row = tuple[str, ...]
DOES_NOT_HOLD = "DOES NOT HOLD"
_HOLDS = {True: "holds", False: DOES_NOT_HOLD, None: "cannot be told yet"}
NOT_KEPT = "The receipt was erased on request: what it said cannot be read any more; that it was given, and when, still can"
UNDERSTOOD = "Counted in days before the index date, and in the unit in which the models are reckoned"
EVERY_TERM = "Every term, as log-odds: the base, the terms and the time bound add up"
ROUNDED = "Percentages, terms and values used are rounded; every digit is in the receipt as JSON (audit show --json)"


@dataclass(frozen=True)
class Section:
    """A title, sentences, and a table whose first row is its header; either may be missing. `name` is one for programs."""

    title: str
    lines: tuple[str, ...] = ()
    table: tuple[Row, ...] = ()
    name: str = ""


def sections(
    receipt: Receipt, signed: Signed | None = None, checked: Sequence[Check] = (), events: Sequence[str] = ()
) -> list[Section]:
    """The whole receipt, in the order in which it is read.

    `signed` is what was signed for it, `checked` what was looked at, `events` sentences on what became of it since.
    """
    found = list(_opening(receipt, signed, checked, events))
    if receipt.document is not None:
        is_score = receipt.record.kind == "score"
        found += _score(receipt.document) if is_score else as_tables("What happened", receipt.document, name="happened")
    return found


def title(receipt: Receipt) -> str:
    """What stands above a receipt."""
    kind = "Receipt" if receipt.record.kind == "score" else f"Event '{receipt.record.kind}'"
    return f"{kind} {receipt.record.sequence}, {receipt.record.time}"


def is_example(receipt: Receipt) -> bool:
    """Whether the model that answered had learned from simulated patients."""
    return receipt.document is not None and "example" in receipt.document.get("answer", {})


def _opening(receipt: Receipt, signed: Signed | None, checked: Sequence[Check], events: Sequence[str]) -> Iterator[Section]:
    told = (NOT_KEPT, receipt.told) if receipt.why == "erased" else (receipt.told,) if receipt.told else ()
    yield Section(title(receipt), (*told, *events), (("", ""), *_record(receipt.record, signed)), "record")
    if checked:
        rows = ((one.what, _HOLDS[one.holds], one.told) for one in checked)
        yield Section("What was checked", (), (("", "", ""), *rows), "checks")


def _record(record: Record, signed: Signed | None) -> list[Row]:
    signature = [("store", signed.store), ("signature", signed.signature)] if signed else []
    return [
        ("written", f"{record.time} (UTC)"),
        ("digest", record.digest),
        ("previous", record.previous),
        ("head", str(record.head)),
        ("seal", record.seal),
        *signature,
        *([("patient (keyed hash)", record.subject or "no pseudonym was given"), ("data key", record.key)] if record.key else []),
    ]


def _score(document: Mapping[str, Any]) -> Iterator[Section]:
    answer = document["answer"]
    caller = (("", ""), *_rows(document["caller"]), ("site", document["site"] or "not named"))
    came = "What came in" if document["form"] == REQUEST else "What came in: a row of a table"
    yield Section("Standing", (*answer["standing"], answer["disclaimer"]), name="standing")
    yield Section("Risk of death", (answer["intervals"]["cover"],), tuple(_risks(answer)), "risk")
    yield Section("Who asked, and where", (), caller, "caller")
    yield from as_tables(came, document["given"], name="given")
    yield from as_tables("How it was understood", _understood(document["patient"]), UNDERSTOOD, "understood")
    yield Section("Which model and which program answered", (), (("", ""), *_made(document)), "made")
    yield Section(EVERY_TERM, (ROUNDED,), tuple(_terms(answer)), "terms")
    yield Section("By clinical group, in percentage points from the reference to the risk", (), tuple(_groups(answer)), "groups")
    if change := answer.get("change"):
        yield Section("What changed since an earlier score", which(change), tuple(parts(change)), "change")
    yield Section("What went into it", (), tuple(_inputs(answer)), "inputs")
    if answer["estimates"]:
        yield Section("Not measured: estimated", (), tuple(_estimates(answer)), "estimates")
    yield Section("Warnings", tuple(answer["warnings"]) or ("none",), name="warnings")
    yield Section("The answer in words, as it was shown", tuple(answer["text"].split("\n")), name="words")


def _made(document: Mapping[str, Any]) -> Iterator[Row]:
    yield from ((f"model {name}", cell(value)) for name, value in flat(document["answer"]["model"]))
    yield from ((f"program {name}", cell(value)) for name, value in flat(document["code"]))


def _risks(answer: Mapping[str, Any]) -> Iterator[Row]:
    level = answer["intervals"]["percent"]
    yield ("within", "risk", f"{level} % interval", "at the average log-odds", "died in development")
    for days, one in answer["risks"].items():
        low, high = percent(one["low"]), percent(one["high"])
        yield (f"{days} days", percent(one["risk"]), f"{low} to {high}", percent(one["reference"]), percent(one["died_share"]))
    yield from ((f"{days} days", "not answered", why, "", "") for days, why in answer["refused_horizons"].items())


def _terms(answer: Mapping[str, Any]) -> Iterator[Row]:
    horizons = list(answer["explanation"]["horizons"].values())
    labels = {one["feature"]: one["label"] for one in answer["explanation"]["inputs"]}
    yield ("", *(f"{days} days" for days in answer["explanation"]["horizons"]))
    yield ("base", *(signed(one["base"]) for one in horizons))
    for feature in horizons[0]["terms"]:
        yield (labels[feature], *(signed(one["terms"][feature]) for one in horizons))
    yield ("time bound", *(signed(one["time_bound"]) for one in horizons))
    yield ("log-odds", *(signed(one["log_odds"]) for one in horizons))


def _groups(answer: Mapping[str, Any]) -> Iterator[Row]:
    horizons = list(answer["explanation"]["horizons"].values())
    yield ("", *(f"{days} days" for days in answer["explanation"]["horizons"]))
    for place, one in enumerate(horizons[0]["groups"]):
        points = (round(horizon["groups"][place]["percentage_points"], 1) + 0.0 for horizon in horizons)  # no -0.0
        yield (one["group"], *(f"{change:+.1f}" for change in points))


def _inputs(answer: Mapping[str, Any]) -> Iterator[Row]:
    states = {one["input"]: "; ".join([", ".join(one["states"]), *one.get("remarks", ())]) for one in answer["quality"]}
    yield ("input", "value used", "unit", "quality")
    for one in answer["explanation"]["inputs"]:
        value, unit = _value(one)
        yield (one["label"], value, unit, states.pop(one["feature"], ""))
    others = (one for one in answer["quality"] if one["input"] in states)
    yield from ((one["label"], "", "", states[one["input"]]) for one in others)


def value_used(one: Mapping[str, Any]) -> str:
    """The value of an input that went into the sum, with its unit; nothing where there was none."""
    value, unit = _value(one)
    return f"{value} {unit}".rstrip() if value else ""


def _value(one: Mapping[str, Any]) -> tuple[str, str]:
    unit = one["unit"] if one["unit"] not in ("1", "{score}") else ""
    return (f"{one['value']:.6g}" if isinstance(one["value"], float) else cell(one["value"]), unit)


def _estimates(answer: Mapping[str, Any]) -> Iterator[Row]:
    yield ("input", "estimate", "10th to 90th percentile", "within", "risk at either end")
    for one in answer["estimates"]:
        value, ends = f"{one['value']:.3g}", f"{one['low']:.3g} to {one['high']:.3g} {one['unit']}".rstrip()
        for days, low in one["risk_at_low"].items():
            yield (one["label"], value, ends, f"{days} days", f"{percent(low)} and {percent(one['risk_at_high'][days])}")


def _understood(patient: Mapping[str, Any]) -> dict[str, Any]:
    """The patient with the unit beside every measured value."""
    first = [{"analyte": one["analyte"], "value": one["value"], "unit": _unit(one["analyte"])} for one in patient["measurements"]]
    measured = [one | rest for one, rest in zip(first, patient["measurements"], strict=True)]
    return {name: value for name, value in patient.items() if name != "format"} | {"measurements": measured}


def _unit(analyte: str) -> str:
    return ANALYTES[analyte].unit if analyte in ANALYTES else ""


def as_tables(called: str, document: Mapping[str, Any], line: str = "", name: str = "") -> Iterator[Section]:
    """Any object as tables: its simple fields one a row, each list of objects a table of its own."""
    lists = {field: value for field, value in document.items() if _is_rows(value)}
    simple = {field: value for field, value in document.items() if field not in lists}
    yield Section(called, (line,) if line else (), (("", ""), *_rows(simple)), name)
    for field, rows in lists.items():
        columns = list(dict.fromkeys(key for row in rows for key in row if any(told(one.get(key)) for one in rows)))
        body = (tuple(cell(row.get(column)) for column in columns) for row in rows)
        yield Section(f"{called}: {field}", (), (tuple(columns), *body), name)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _rows(document: Mapping[str, Any]) -> list[Row]:
    return [(name, cell(value)) for name, value in flat(document) if told(value)]


def flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The fields of an object and of those within it, by names with dots."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def told(value: object) -> bool:
    """Whether a field says anything."""
    return value not in (None, "", [], {})


def cell(value: object) -> str:
    """A value as a cell: numbers with every digit they have."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell(one)}" for name, one in value.items() if told(one))
    if isinstance(value, list):
        return ("; " if _is_rows(value) else ", ").join(map(cell, value))
    return "" if value is None else str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def percent(risk: float) -> str:
    return f"{100 * risk:.1f} %"


def signed(number: float) -> str:
    return f"{number:+.4f}"


def in_a_row(document: Mapping[str, Any], day: int = 90) -> tuple[str, str, str, str, str]:
    """A score in one row: model, site, the horizon nearest to `day`, the risk within it, how many warnings."""
    answer = document["answer"]
    model, site, warnings = answer["model"]["digest"][:16], document["site"], str(len(answer["warnings"]))
    if not answer["risks"]:
        return (model, site, "", "", warnings)
    days = min(answer["risks"], key=lambda horizon: abs(int(horizon) - day))
    return (model, site, f"{days} days", percent(answer["risks"][days]["risk"]), warnings)
