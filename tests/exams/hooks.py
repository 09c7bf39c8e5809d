"""A hospital system opens patient after patient: how long it waits for the card with its explanation and receipt."""

from __future__ import annotations

import http.client
import json
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from child import Child
from marks import Mark

sys.path.insert(0, str(Path(__file__).parents[1] / "serving" / "fhir"))
from bundles import bundle_of

PATH = "/cds-services/early-mortality"
PATIENTS, SCREENS = 1000, 8  # hooks; screens on which patients are opened at once
OLD = 300  # results of a patient of many years, most of which are history
KINDS = {"conditions": "Condition", "observations": "Observation", "statements": "MedicationStatement"}


@dataclass(frozen=True)
class Answered:
    """Seconds of every round trip, how many were answered with a card, and how many with anything but 200."""

    seconds: tuple[float, ...]
    cards: int
    failed: int

    @property
    def p95(self) -> float:
        return quantiles(self.seconds, n=20)[-1]


def hook() -> bytes:
    """A patient who is known for years: current values, and hundreds of older ones."""
    today = datetime.now(UTC).date()
    values = {"alc": (0.8, "10*9/L"), "anc": (5.2, "10*9/L"), "albumin": (34, "g/L"), "ca19_9": (1800, "U/mL")}
    measured = [
        {"analyte": name, "value": value, "unit": unit, "date": (today - timedelta(2 + 7 * place)).isoformat()}
        for place in range(OLD // len(values))
        for name, (value, unit) in values.items()
    ]
    line = {"modality": "chemotherapy", "line": 1, "agents": ["gemcitabine"]}
    span = {"start": (today - timedelta(200)).isoformat(), "end": (today - timedelta(30)).isoformat()}
    document = {"sex": "female", "tumour": "pancreatic", "measurements": measured, "treatments": [line | span]}
    every = [one["resource"] for one in bundle_of(document, "1960-02-03")["entry"]]
    sent: dict[str, Any] = {"patient": every[0]}
    for name, kind in KINDS.items():
        sent[name] = {"resourceType": "Bundle", "entry": [{"resource": one} for one in every if one["resourceType"] == kind]}
    context = {"userId": "Practitioner/1", "patientId": "p1"}
    told = {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": context, "prefetch": sent}
    return json.dumps(told).encode()


def opened(port: int, patients: int, screens: int, advance: Callable[..., object]) -> Answered:
    """So many patients opened, on so many screens at once."""
    body, done = hook(), 0
    with ThreadPoolExecutor(screens) as at_once:
        found = []
        for one in at_once.map(lambda _: _asked(port, body), range(patients)):
            found.append(one)
            done += 1
            advance("hooks", done, patients)
    cards = sum(cards for _, status, cards in found if status == 200)
    return Answered(tuple(seconds for seconds, _, _ in found), cards, sum(status != 200 for _, status, _ in found))


def _asked(port: int, body: bytes) -> tuple[float, int, int]:
    began = time.perf_counter()
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asking.request("POST", PATH, body, {"Content-Type": "application/json"})
    answer = asking.getresponse()
    told = json.loads(answer.read())
    asking.close()
    return time.perf_counter() - began, answer.status, len(told.get("cards", ()))


def sit(folder: Path, advance: Callable[..., object], patients: int = PATIENTS, screens: int = SCREENS) -> list[Mark]:
    """The bar of the issue."""
    with Child(folder) as child:
        opened(child.port, screens, screens, lambda *told: None)  # caches are filled
        found = opened(child.port, patients, screens, advance)
    note = f"{patients} patients on {screens} screens, {len(hook()) // 1024} KiB each, a new connection for each"
    return [
        Mark("round trip of a hook, p95, s", found.p95, most=0.25, note=note),
        Mark("longest, s", max(found.seconds)),
        Mark("answered without a card", patients - found.cards, most=0),
        Mark("answers other than 200", found.failed, most=0),
    ]
