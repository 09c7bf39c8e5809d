"""The peer as a process: `mlflow models serve` of the booster alone, and a request for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lymphorisk import EXAMPLE_PATIENT
from models.artifact import load
from models.design import design_matrix
from models.patient import Patient
from serving.wire import read_line

PEER = Path(__file__).parents[1] / "benchmarks" / "peer.py"
_BEGINS = 90.0  # seconds that it may take to begin
_SAVE = """
import sys, json, pandas, mlflow
mlflow.pyfunc.save_model(sys.argv[1], python_model=sys.argv[2], artifacts={"booster": sys.argv[3]},
    input_example=pandas.DataFrame([json.loads(sys.argv[4])]), pip_requirements=["mlflow", "xgboost"])
"""


@dataclass(frozen=True)
class Usual:
    """The peer while it serves: where, by which process, and how long it took to its first answer."""

    port: int
    process: int
    first: float  # seconds
    request: bytes


@contextmanager
def usual(folder: Path, model: Path, port: int) -> Iterator[Usual]:
    """`mlflow models serve` of the booster of an artifact; one process answers, as is its default."""
    row = _row(model)
    saved = folder / "peer"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/peer.db", "PATH": _path()}
    environment.pop("OMP_NUM_THREADS", None)  # XGBoost as it is found
    save = [sys.executable, "-c", _SAVE, saved, PEER, model / "booster.ubj", json.dumps(row)]
    if not saved.exists():
        subprocess.run([str(word) for word in save], check=True, capture_output=True, env=environment)
    serve = [sys.executable, "-m", "mlflow", "models", "serve", "-m", saved, "--env-manager", "local", "-p", port]
    began = time.perf_counter()
    with (folder / "peer.log").open("wb") as said:
        words = [str(word) for word in serve]
        process = subprocess.Popen(words, stdout=said, stderr=said, env=environment, start_new_session=True)
    try:
        request = _request(port, row)
        _await(process, request)
        yield Usual(port, process.pid, time.perf_counter() - began, _bytes(request))
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _row(model: Path) -> dict[str, float]:
    """The example patient in the columns of the booster, whose last one is the horizon."""
    artifact = load(model)
    patient = read_line(json.dumps(EXAMPLE_PATIENT).encode())
    if not isinstance(patient, Patient):
        raise TypeError("the example patient is refused")
    x = artifact.model.imputation.fill(design_matrix(artifact.model.design, [patient])).x[0]
    return {f"column_{place}": value for place, value in enumerate(x.tolist())}


def _request(port: int, row: dict[str, float]) -> urllib.request.Request:
    body = json.dumps({"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}).encode()
    return urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})


def _bytes(request: urllib.request.Request) -> bytes:
    body = bytes(request.data or b"")  # type: ignore[arg-type]  # given as bytes above
    told = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"POST /invocations HTTP/1.1\r\n{told}".encode() + body


def _await(process: subprocess.Popen[bytes], request: urllib.request.Request) -> None:
    end = time.monotonic() + _BEGINS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the peer did not begin")


def _path() -> str:
    """MLflow looks for uvicorn on the path."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def family(process: int) -> Sequence[int]:
    """A process and all that it began."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def processor(process: int) -> float:
    """Seconds of the processor that a process and its family have used (proc(5): utime and stime)."""
    return sum(map(_seconds, family(process)))


def memory(process: int) -> float:
    """MiB that the family holds in memory (proc(5): resident pages)."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(process))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _seconds(process: int) -> float:
    words = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
