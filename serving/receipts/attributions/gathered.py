"""Documents of receipts become rows of a table, a block at a time: a document is forgotten once its numbers were taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from models.features import FEATURES
from models.patient_document import patient_from
from serving.receipts.attributions.strata import STRATA
from serving.receipts.attributions.table import ABSENT, STATES, Input, Named, Table
from serving.receipts.record import Record

_BIT = {name: 1 << place for place, name in enumerate(STATES)}
_BLOCK = 1000  # rows kept as Python's own numbers before they become an array
_WIDE: Mapping[str, tuple[type, float]] = {  # its type, and what stands where a model has no such input or group
    "term": (np.float32, 0.0),
    "value": (np.float32, math.nan),
    "states": (np.uint16, ABSENT),
    "group_term": (np.float64, 0.0),
    "points": (np.float64, 0.0),
    "distinguishable": (np.bool_, 0.0),
    "estimated": (np.float64, 0.0),
    "stratum": (np.int16, 0.0),
}
_NARROW: Mapping[str, Any] = {
    "sequence": np.int64,
    "time": "datetime64[s]",
    "patient": np.int64,
    "model": np.int16,
    "risk": np.float64,
    "log_odds": np.float64,
    "base": np.float64,
}
_BY_GROUP = ("group_term", "points", "distinguishable", "estimated")


@dataclass
class Places:
    """Words by the order in which they were met."""

    of: dict[Any, int] = field(default_factory=dict)

    def at(self, word: object) -> int:
        return self.of.setdefault(word, len(self.of))


@dataclass
class Gathered:
    """Rows on their way into a table, and what their places mean."""

    horizon: int
    inputs: dict[str, Input] = field(default_factory=dict)
    groups: Places = field(default_factory=Places)
    models: Places = field(default_factory=Places)
    levels: Mapping[str, Places] = field(default_factory=lambda: {name: Places() for name in STRATA})
    words: dict[str, Places] = field(default_factory=dict)
    _waiting: list[Mapping[str, Any]] = field(default_factory=list)
    _blocks: list[Mapping[str, np.ndarray[Any, Any]]] = field(default_factory=list)

    def add(self, record: Record, document: Mapping[str, Any]) -> bool:
        """Take one receipt in; False where it tells no risk at the horizon. Raises InvalidPatient for one not read any more."""
        answer = document["answer"]
        told = answer["explanation"]["horizons"].get(str(self.horizon))
        if told is None:
            return False
        self._waiting.append(self._row(record, document, answer, told))
        if len(self._waiting) >= _BLOCK:
            self._pack()
        return True

    def table(self) -> Table:
        """Everything that was taken in."""
        self._pack()
        arrays = {name: self._column(name) for name in (*_NARROW, *_WIDE)}
        return Table(
            horizon=self.horizon,
            inputs=tuple(self.inputs.values()),
            groups=tuple(self.groups.of),
            models=tuple(self.models.of),
            levels={name: tuple(places.of) for name, places in self.levels.items()},
            words={name: tuple(places.of) for name, places in self.words.items()},
            strata=tuple(STRATA),
            **arrays,
        )

    def _row(
        self, record: Record, document: Mapping[str, Any], answer: Mapping[str, Any], told: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        patient = patient_from(document["patient"])
        used = list(map(self._used, answer["explanation"]["inputs"]))
        states = {one["input"]: sum(map(_BIT.__getitem__, one["states"])) for one in answer["quality"]}
        groups = told["groups"]
        for one in groups:
            self.groups.at(one["group"])
        return {
            "sequence": record.sequence,
            "time": record.time[:19],
            "patient": int((record.subject or record.key)[:15], 16),
            "model": self.models.at(Named(answer["model"]["digest"], answer["model"]["name"])),
            "risk": answer["risks"][str(self.horizon)]["risk"],
            "log_odds": told["log_odds"],
            "base": told["base"],
            "inputs": tuple(name for name, _ in used),
            "term": [told["terms"][name] for name, _ in used],
            "value": [value for _, value in used],
            "states": [states[name] for name, _ in used],
            "groups": tuple(one["group"] for one in groups),
            "group_term": [one["term"] for one in groups],
            "points": [one["percentage_points"] for one in groups],
            "distinguishable": [one["distinguishable"] for one in groups],
            "estimated": [one["estimated_share"] for one in groups],
            "stratum": [self.levels[name].at(level(patient, document)) for name, level in STRATA.items()],
        }

    def _used(self, one: Mapping[str, Any]) -> tuple[str, float]:
        """An input's name and the value that was used."""
        name, value = one["feature"], one["value"]
        if name not in self.inputs or (isinstance(value, str) and self.inputs[name].scale != "level"):
            self.inputs[name] = Input(name, one["label"], one["group"], one["unit"], scale_of(name, value))
        if isinstance(value, str):
            return name, self.words.setdefault(name, Places()).at(value)
        return name, math.nan if value is None else _on_scale(self.inputs[name].scale)(value)

    def _pack(self) -> None:
        """What waits becomes arrays; receipts of models with other inputs become arrays of their own."""
        alike: dict[tuple[Any, Any], list[Mapping[str, Any]]] = {}
        for row in self._waiting:
            alike.setdefault((row["inputs"], row["groups"]), []).append(row)
        for (inputs, groups), rows in alike.items():
            block = {name: np.array([row[name] for row in rows], kind) for name, kind in _NARROW.items()}
            for name, (kind, _) in _WIDE.items():
                block[name] = np.array([row[name] for row in rows], kind)
            places = list(self.inputs)
            block["inputs"] = np.array([places.index(one) for one in inputs], np.intp)
            block["groups"] = np.array([self.groups.at(one) for one in groups], np.intp)
            self._blocks.append(block)
        self._waiting = []

    def _column(self, name: str) -> np.ndarray[Any, Any]:
        """One column of all blocks in the order of the receipts."""
        order = np.argsort(np.concatenate([np.empty(0, np.int64), *(block["sequence"] for block in self._blocks)]), kind="stable")
        if name in _NARROW:
            empty = np.empty(0, _NARROW[name])
            return np.concatenate([empty, *(block[name] for block in self._blocks)])[order]
        kind, absent = _WIDE[name]
        of = "groups" if name in _BY_GROUP else "inputs"
        width = len(STRATA) if name == "stratum" else len(self.groups.of) if name in _BY_GROUP else len(self.inputs)
        whole: np.ndarray[Any, Any] = np.full((len(order), width), absent, kind)
        begin = 0
        for block in self._blocks:
            end = begin + len(block["sequence"])
            columns = np.arange(width) if name == "stratum" else block[of]
            whole[begin:end, columns] = block[name]
            begin = end
        return whole[order]


def scale_of(name: str, value: object) -> str:
    """The scale on which the model reads an input; of a site's own covariate as its value shows."""
    if name in FEATURES:
        return FEATURES[name].scale
    return "level" if isinstance(value, str) else "identity"


@cache
def _on_scale(scale: str) -> Callable[[float], float]:
    """From the unit a reader knows back to the model's scale, on which distances are taken."""
    return {"ln": math.log, "log10": math.log10}.get(scale, float)
