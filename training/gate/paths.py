"""The paths by which a patient can be scored: a file and the HTTP service, as processes of their own, and MLflow's pyfunc."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from models.artifact import load
from training.gate.parity_patients import MadeUp
from training.tracking.as_pyfunc import answers

_COMMAND = (sys.executable, "-m", "lymphorisk")
_PATIENCE = 60.0  # seconds that a service may take to begin, or a path to answer
Risks = Mapping[str, Mapping[str, float]]
"""Risk by patient and by horizon in days, as text."""
Scorer = Callable[[Path, MadeUp], Risks]
"""Scores the made-up patients with the artifact in a folder, by one path."""


class NotScored(RuntimeError):
    """A path that did not answer; the message is what it said."""


def every_path(pyfunc: Path) -> dict[str, Scorer]:
    """Every path but the one of training; `pyfunc` is the models-from-code file that MLflow runs."""
    return {"file": by_file, "HTTP": by_http, "pyfunc": partial(by_pyfunc, pyfunc)}


def by_pyfunc(pyfunc: Path, folder: Path, asked: MadeUp) -> Risks:
    """As MLflow loads and asks the model."""
    return dict(map(_told, answers(folder, pyfunc, asked.lines)))


def by_file(folder: Path, asked: MadeUp) -> Risks:
    """`lymphorisk score`, in a process of its own."""
    out = asked.cohort_file.with_name("scores.csv")
    _run("score", str(folder), str(asked.cohort_file), "--out", str(out))
    with out.open(newline="", encoding="utf-8") as file:
        return {row["id"]: _risks(row) for row in csv.DictReader(file)}


def _risks(row: Mapping[str, str]) -> dict[str, float]:
    told = {name.removeprefix("risk_").removesuffix("d"): cell for name, cell in row.items() if name.startswith("risk_")}
    return {day: float(cell) for day, cell in told.items() if cell}


def by_http(folder: Path, asked: MadeUp) -> Risks:
    """`lymphorisk serve` on a free port of the loopback interface, in a process of its own; patients one by one and together."""
    digest = load(folder).digest
    with _service(folder) as ask:
        if ask("/v1/model", None)["digest"] != digest:
            raise NotScored("another model answers at that port")
        alone = [ask("/v1/scores", patient) for patient in asked.patients]
        together = ask("/v1/scores", {"patients": asked.patients})["scores"]
    if [one["risks"] for one in alone] != [one["risks"] for one in together]:
        raise NotScored("a patient alone has another risk than in company")
    return dict(map(_told, alone))


def _told(answer: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
    """The patient's id and risks in an answer; NotScored where it is a refusal."""
    if "risks" not in answer:
        raise NotScored(f"a patient was refused: {json.dumps(answer)[:300]}")
    return answer["id"], {day: told["risk"] for day, told in answer["risks"].items()}


@contextmanager
def _service(folder: Path) -> Iterator[Callable[[str, object], Any]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*_COMMAND, "serve", "--model", str(folder), "--port", str(port), "--dev"]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryDirectory() as aside:
        # made-up patients leave no receipts beside real ones, and need no key of anybody
        command += ["--receipts", str(Path(aside) / "receipts"), "--receipts-key", str(Path(aside) / "receipts.key")]
        child = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            yield _asker(child, f"http://127.0.0.1:{port}")
        finally:
            child.terminate()
            child.wait(_PATIENCE)


def _asker(child: subprocess.Popen[bytes], at: str) -> Callable[[str, object], Any]:
    """Asks the service, once it answers; NotScored where it ends before or never does."""
    opener = build_opener(ProxyHandler({}))  # the loopback interface needs no proxy

    def ask(path: str, body: object) -> Any:
        content = None if body is None else json.dumps(body).encode()
        with opener.open(Request(at + path, content, {"Content-Type": "application/json"}), timeout=_PATIENCE) as answer:
            return json.load(answer)

    end = time.monotonic() + _PATIENCE
    while True:
        try:
            ask("/livez", None)
            return ask
        except OSError as error:
            if child.poll() is not None or time.monotonic() > end:
                raise NotScored("the service did not begin") from error
            time.sleep(0.1)


def _run(*arguments: str) -> None:
    done = subprocess.run([*_COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=10 * _PATIENCE)
    if done.returncode:
        raise NotScored(done.stderr.strip()[-500:])
