"""What the service writes to its log: JSON, one event a line, and never a word that a caller sent.

A request is told by its method, its route and its status; a path that is no route's is "unknown", for anything can be planted in
one. An error is told by its kind and the places it passed through: its message may hold what was given.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Mapping
from typing import Any

OURS = "lymphorisk"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
_TOLD = "told"
_DEEPEST = 12  # places of an error that are named, the last ones
_written = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode
logger = logging.getLogger(OURS)


class Lines(logging.Formatter):
    """One JSON object a line; of other libraries the first line of their template, without what they put into it."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _utc(record.created), "level": record.levelname.lower(), "logger": record.name, "event": _event(record)}
        told: Mapping[str, object] = getattr(record, _TOLD, {}) if _ours(record) else {}
        return _written({**line, **told, **_error(record)})


def tell(level: int, event: str, **told: object) -> None:
    """One line of ours: `event` and `told` are our own words and numbers, and nothing that was given."""
    if logger.isEnabledFor(level):
        # made here, since a logger would look up first from which line of code it was called: no line tells that
        logger.handle(logger.makeRecord(OURS, level, "", 0, event, (), None, extra={_TOLD: told}))


def write_lines() -> None:
    """From here on everything that is logged goes to standard error as such lines, also warnings and what ends a thread."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    # nor which thread or process it was (Python's Logging HOWTO, "Optimization")
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    warnings.showwarning = _warned
    logger.setLevel(logging.INFO)
    threading.excepthook = _thread_ended


def _warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: object = None, line: object = None
) -> None:
    tell(logging.WARNING, "a warning", kind=category.__name__, at=f"{filename}:{lineno}")


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    error = ended.exc_value
    # an exception by which a thread ends without an instance has nothing to tell but its kind
    logger.error("a thread ended with an error", exc_info=error if error is not None else ended.exc_type())


def _ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] == OURS


def _event(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    return record.getMessage() if _ours(record) else record.msg.strip().partition("\n")[0]


def _error(record: logging.LogRecord) -> dict[str, Any]:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    places = [f"{place.filename}:{place.lineno} {place.name}" for place in traceback.extract_tb(error.__traceback__)]
    return {"error": type(error).__name__, "at": places[-_DEEPEST:]}


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"
