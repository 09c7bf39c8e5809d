"""Planted names, ids, addresses and values are found in no log, no error and no file of the receipts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

VALUE = 73190.2581  # a CA19-9 that can be
WORDS = ("Plantagenet", "plant@example.org", "MRN-731902581", "1951-07-31", "73190.2581", "p731-902581")
ID = WORDS[5]
# in the process of the service: a patient of this id brings down the scoring, with everything known of him in the message
CRASH = """
import serving.recorded as recorded
whole = recorded.score
def score(artifact, patients, site=""):
    if any(one.id.endswith("-crash") for one in patients):
        raise ValueError(f"planted: {patients!r} 73190.2581")
    return whole(artifact, patients, site)
recorded.score = score
"""


class Service(Protocol):
    """What the fixture `serving` starts."""

    folder: Path
    receipts: Path
    said: bytes

    def ask(self, method: str, path: str, body: object = None, headers: Any = ...) -> tuple[int, dict[str, str], bytes]: ...

    def raw(self, sent: bytes, patience: float = 30.0) -> bytes: ...


def patient(**changes: Any) -> dict[str, Any]:
    labs = {"alc": (800, "cells/uL"), "albumin": (3.6, "g/dL"), "ca19_9": (VALUE, "U/mL")}
    return {
        "id": ID,
        "as_of": "2026-03-31",
        "age_years": 61,
        "tumour": "pancreatic",
        "measurements": [
            {"analyte": analyte, "value": value, "unit": unit, "date": "2026-03-20"} for analyte, (value, unit) in labs.items()
        ],
    } | changes


def lab(**changes: Any) -> dict[str, Any]:
    whole = patient()
    whole["measurements"][2] |= changes
    return whole


BAD: tuple[object, ...] = (
    patient(name="Plantagenet"),
    patient(**{"Plantagenet": 1}),
    patient(id="Plantagenet plant@example.org"),
    patient(id="MRN-731902581"),
    patient(id="\u202eMRN-731902581"),
    patient(birth_date="1951-07-31"),
    patient(as_of="1951-07-31T73190.2581"),
    patient(age_years=VALUE),
    patient(age_years="73190.2581"),
    patient(age_years=17),
    patient(sex="Plantagenet"),
    patient(tumour="Plantagenet of plant@example.org"),
    patient(extra={"Plantagenet": {"plant@example.org": VALUE}}),
    patient(history={"prior_lines": VALUE}),
    patient(history={"Plantagenet": "yes", "steroids_14d": "plant@example.org"}),
    patient(treatments=[{"modality": "Plantagenet", "start": "1951-07-31", "agents": ["MRN-731902581"]}]),
    patient(measurements=[]),
    patient(measurements=[{"Plantagenet": VALUE}]),
    lab(value=-VALUE),
    lab(value=VALUE * 1e9),
    lab(value="73190.2581 Plantagenet"),
    lab(unit="73190.2581 plants"),
    lab(analyte="Plantagenet"),
    lab(date="2026-07-31 plant@example.org"),
    lab(method="Plantagenet" * 40),
    {"patients": [patient(), patient(id=ID + "b", tumour="Plantagenet")] * 3, "Plantagenet": 1},
    {"patients": "plant@example.org"},
    ["Plantagenet", VALUE],
    "Plantagenet",
    b'{"id": "Plantagenet", "id": "MRN-731902581"}',
    b'{"Plantagenet": NaN, "age_years": 73190.2581e999',
    b"Plantagenet \xff plant@example.org",
    b"[" * 40 + b'"Plantagenet"' + b"]" * 40,
)
PLACES = (
    ("GET", "/v1/patients/Plantagenet/MRN-731902581"),
    ("GET", "/livez?name=Plantagenet&mail=plant@example.org"),
    ("GET", "/v1/model?id=p731-902581"),
    ("GET", "/%50lantagenet/..%2fMRN-731902581"),
    ("MRN-731902581", "/v1/scores"),
    ("DELETE", "/v1/scores?id=p731-902581"),
    ("GET", "http://plant@example.org/livez"),
)
HEADERS = {
    "User-Agent": "Plantagenet/73190.2581",
    "X-Request-ID": "MRN-731902581",
    "X-Forwarded-For": "Plantagenet",
    "Forwarded": "for=plant@example.org",
    "Referer": "http://example.org/?id=p731-902581",
    "Cookie": "patient=p731-902581",
    "Authorization": "Basic plant@example.org",
}
RAW = (
    b"Plantagenet plant@example.org\r\n\r\n",
    b"GET /MRN-731902581 HTTP/1.1\r\nPlantagenet\r\n\r\n",
    b"POST /v1/scores HTTP/1.1\r\nHost: Plantagenet\r\nContent-Type: application/json\r\nContent-Length: MRN-731902581\r\n\r\n",
    b"POST /v1/scores HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"Plantagenet\r\n",
    b"POST /v1/scores HTTP/1.1\r\nHost: [::1]\r\nContent-Type: text/Plantagenet\r\nContent-Encoding: plant@example.org\r\n\r\n",
)


@pytest.fixture(scope="module")
def asked(serving: Callable[..., Service], tmp_path_factory: pytest.TempPathFactory) -> tuple[Service, list[tuple[int, bytes]]]:
    """A service that was asked everything above, and what it said to whoever got no score."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    options = ("--heads", elsewhere / "heads.jsonl", "--witness", elsewhere / "witness.jsonl", "--site", "St. Elsewhere")
    service = serving(*options, before=CRASH, folder=elsewhere)
    return service, list(_everything(service, elsewhere / "heads.jsonl"))


def _everything(service: Service, heads: Path) -> Iterator[tuple[int, bytes]]:
    for place in range(20):
        assert _score(service, patient(id=f"{ID}-{place % 5}"))[0] == 200
    assert _score(service, {"patients": [patient(id=f"{ID}-{place}") for place in range(30)]})[0] == 200
    yield from (one for body in BAD if (one := _score(service, body))[0] != 200)
    yield from ((0, service.raw(sent)) for sent in RAW)
    for method, path in PLACES:
        status, _, body = service.ask(method, path, headers=HEADERS)
        if status != 200:
            yield status, body
    yield _score(service, patient(id=ID + "-crash"))
    yield _score(service, {"patients": [patient(), patient(id=ID + "-crash")]})
    heads.rename(heads.with_name("gone.jsonl"))
    yield _score(service, patient())
    yield service.ask("GET", "/readyz")[::2]
    heads.with_name("gone.jsonl").rename(heads)
    assert _score(service, patient())[0] == 200


def _score(service: Service, body: object) -> tuple[int, bytes]:
    status, _, said = service.ask("POST", "/v1/scores?name=Plantagenet", body, HEADERS)
    return status, said


def found(content: bytes) -> list[str]:
    """The planted words in it, in any of the encodings in which a text is usually written."""
    spelled = ((word, word.encode(encoding)) for word in WORDS for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
    return [word for word, spelling in spelled if spelling.lower() in content.lower()]


def test_every_kind_of_refusal_was_provoked(asked: tuple[Service, list[tuple[int, bytes]]]) -> None:
    _, said = asked
    assert {400, 404, 405, 422, 500, 503} <= {status for status, _ in said}
    assert 200 not in {status for status, _ in said}


def test_no_error_repeats_what_was_planted(asked: tuple[Service, list[tuple[int, bytes]]]) -> None:
    _, said = asked
    assert [words for _, body in said if (words := found(body))] == []


def test_no_log_tells_what_was_planted(asked: tuple[Service, list[tuple[int, bytes]]]) -> None:
    service, said = asked
    log = service.said
    assert found(log) == []
    assert b"Traceback" not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith(b"{")]
    assert sum(one["event"] == "request" for one in lines) > len(said)
    assert "ValueError" in {one.get("error") for one in lines}  # the crash is told, by its kind


def test_no_metric_tells_what_was_planted(asked: tuple[Service, list[tuple[int, bytes]]]) -> None:
    status, _, told = asked[0].ask("GET", "/metrics")
    assert (status, found(told)) == (200, [])
    assert b"lymphorisk_scores_total 5" in told  # of 51 and more patients


def test_no_file_of_the_receipts_holds_what_was_planted(asked: tuple[Service, list[tuple[int, bytes]]]) -> None:
    service, _ = asked
    files = [path for path in service.folder.rglob("*") if path.is_file()]
    assert {"receipts.db", "receipts.db-wal", "heads.jsonl", "witness.jsonl"} <= {path.name for path in files}
    assert [path.name for path in files if found(path.read_bytes())] == []


def test_the_words_would_be_found() -> None:
    assert found(json.dumps(patient(name="plantagenet")).encode()) == ["Plantagenet", "73190.2581", "p731-902581"]
    assert found("MRN-731902581".encode("utf-16-le")) == ["MRN-731902581"]
