"""A service that was begun as a hospital begins it: keys decide from the first request on, and again within a second."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lymphorisk import EXAMPLE_PATIENT

WITHIN = 3.0  # seconds for a second: the computer of a test has others at work


@dataclass(frozen=True)
class Hospital:
    """A service outside --dev, and the command that makes its keys."""

    port: int
    folder: Path

    def keys(self, verb: str, *words: str) -> str:
        """What `lymphorisk keys` writes to standard output."""
        return _keys(self.folder, verb, *words)

    def ask(self, key: str, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Status and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            found = connection.getresponse()
            return found.status, found.read()
        finally:
            connection.close()

    def becomes(self, key: str, status: int) -> float:
        """Seconds until the key is answered so."""
        began = time.monotonic()
        while self.ask(key, "GET", "/v1/me")[0] != status:
            assert time.monotonic() - began < WITHIN
            time.sleep(0.02)
        return time.monotonic() - began


def _keys(folder: Path, verb: str, *words: str) -> str:
    place = ("--access", str(folder / "access"), "--access-key", str(folder / "access.key"))
    command = [sys.executable, "-m", "lymphorisk", "keys", verb, *words, *place]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _clinician(folder: Path, ward: str) -> str:
    return _keys(folder, "add", ward, "--role", "clinician", "--unit", ward)


@pytest.fixture(scope="module")
def ward_3(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder, and the key of a clinician of Ward 3 in it: the one key there is."""
    folder = tmp_path_factory.mktemp("hospital")
    return folder, _clinician(folder, "Ward 3")


@pytest.fixture(scope="module")
def hospital(ward_3: tuple[Path, str], model_folder: Path) -> Iterator[Hospital]:
    folder, _ = ward_3
    kept = ("--receipts", folder / "receipts", "--receipts-key", folder / "receipts.key")
    place = ("--access", folder / "access", "--access-key", folder / "access.key")
    command = [sys.executable, "-m", "lymphorisk", "serve", "--model", model_folder, "--port", 0, *kept, *place]
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while (at := re.search(r"answers at http://127\.0\.0\.1:([0-9]+)", said)) is None:
            line = process.stderr.readline()
            assert line, said
            said += line
        yield Hospital(int(at[1]), folder)
        process.terminate()
        process.stderr.read()


def test_a_key_is_needed_from_the_first_request_on(hospital: Hospital, ward_3: tuple[Path, str]) -> None:
    assert hospital.ask("", "POST", "/v1/scores", EXAMPLE_PATIENT)[0] == 401
    assert hospital.ask(ward_3[1][:-1] + "?", "POST", "/v1/scores", EXAMPLE_PATIENT)[0] == 401
    status, me = hospital.ask(ward_3[1], "GET", "/v1/me")
    told: dict[str, Any] = json.loads(me)
    assert (status, told["name"], told["roles"], told["unit"]) == (200, "Ward 3", ["clinician"], "Ward 3")


def test_a_receipt_is_the_own_units_and_the_auditors_and_to_others_there_is_none(
    hospital: Hospital, ward_3: tuple[Path, str]
) -> None:
    other, auditor = _clinician(hospital.folder, "Ward 7"), hospital.keys("add", "B. Okoro", "--role", "auditor")
    hospital.becomes(auditor, 200)
    status, answer = hospital.ask(ward_3[1], "POST", "/v1/scores", EXAMPLE_PATIENT)
    assert status == 200
    own = f"/v1/receipts/{json.loads(answer)['receipt']['sequence']}"
    for key in (ward_3[1], auditor):
        status, receipt = hospital.ask(key, "GET", own)
        assert (status, json.loads(receipt)["content"]["answer"]["risks"]) == (200, json.loads(answer)["risks"])
    found, none, event = (hospital.ask(other, "GET", path) for path in (own, "/v1/receipts/999999", "/v1/receipts/1"))
    assert found == none == event
    assert found[0] == 404


def test_a_key_is_good_within_a_second_of_being_made_and_none_within_a_second_of_being_taken_back(hospital: Hospital) -> None:
    key = hospital.keys("add", "C. Lund", "--role", "administrator")
    hospital.becomes(key, 200)
    hospital.keys("revoke", key.split("_")[1], "--reason", "left the hospital")
    hospital.becomes(key, 401)
    unknown = hospital.ask("lr_00000000_" + "A" * 43, "GET", "/v1/me")
    assert hospital.ask(key, "GET", "/v1/me") == unknown
