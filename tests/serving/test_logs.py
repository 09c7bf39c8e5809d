"""The log of the service: JSON, and of what was given nothing, whoever writes the line."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.logs import OURS, Lines, tell

PLANTED = "MRN-73190"


def line(name: str, message: object, *args: object, error: BaseException | None = None, **extra: Any) -> dict[str, Any]:
    raised = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, raised)
    vars(record).update(extra)
    told = Lines().format(record)
    assert "\n" not in told
    found: dict[str, Any] = json.loads(told)
    return found


def test_our_own_lines_tell_what_they_are_given_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, OURS):
        tell(logging.INFO, "request", route="/livez", status=200)
    found = json.loads(Lines().format(caplog.records[0]))
    assert {name: found[name] for name in ("level", "event", "route", "status")} == {
        "level": "info",
        "event": "request",
        "route": "/livez",
        "status": 200,
    }
    assert found["time"].endswith("Z")


@given(st.text(min_size=9).filter(lambda text: not text.isspace()))
def test_of_a_line_of_a_library_only_its_template_is_told(value: str) -> None:
    planted = f"{PLANTED} {value}"
    for found in (
        line("uvicorn.error", "Invalid request %s from %s", planted, planted),
        line("asyncio", f"Task exception was never retrieved\nfuture: <Task exception=ValueError({planted!r})>"),
        line("elsewhere", ValueError(planted)),
        line("elsewhere", "failed", told={"value": planted}),
    ):
        assert PLANTED not in json.dumps(found)


def failed(value: str) -> ValueError:
    try:
        float(value)
    except ValueError as error:
        return error
    raise AssertionError("a word is no number")


def test_an_error_is_told_by_its_kind_and_its_places() -> None:
    found = line(OURS, "no score", error=failed(PLANTED))
    assert found["error"] == "ValueError"
    assert found["at"][-1].startswith(__file__)
    assert found["at"][-1].endswith(" failed")
    assert PLANTED not in json.dumps(found)


def test_an_error_that_ends_a_thread_is_told_in_the_same_way() -> None:
    code = f"""
import threading, warnings
from serving.logs import write_lines
write_lines()
thread = threading.Thread(target=lambda: float({PLANTED!r}))
thread.start(); thread.join()
warnings.warn({PLANTED!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = map(json.loads, done.stderr.splitlines())
    assert (first["event"], first["error"]) == ("a thread ended with an error", "ValueError")
    assert (second["event"], second["kind"]) == ("a warning", "UserWarning")
    assert PLANTED not in done.stdout + done.stderr
