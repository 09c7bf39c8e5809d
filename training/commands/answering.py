"""How a verb answers, and how it refuses: every fault on standard error, and exit code 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

INTERRUPTED = 130  # as shells say of whoever was stopped by Ctrl-C


@contextmanager
def refusing(as_json: bool) -> Iterator[None]:
    """What a command refuses becomes its faults on standard error, and exit code 1."""
    from models.artifact import InvalidArtifact
    from models.cohort_file import InvalidCohort
    from models.durable import Busy
    from models.seal import BrokenSeal
    from training.refused import NothingEvaluable, NotSupported, NotTracked, SearchInterrupted
    from training.study.study_file import InvalidStudy

    try:
        yield
    except (InvalidCohort, InvalidStudy) as error:
        refuse(list(map(str, error.faults)), as_json)
    except (InvalidArtifact, BrokenSeal, Busy, NotSupported, NothingEvaluable, NotTracked, FileExistsError) as error:
        refuse([str(error)], as_json)
    except SearchInterrupted as stopped:
        typer.echo(str(stopped), err=True)
        raise typer.Exit(INTERRUPTED) from stopped
    except ModuleNotFoundError as error:
        refuse([f"{error.name} is not installed: this command needs lymphorisk[training]"], as_json)


def answer(document: object, text: str, as_json: bool) -> None:
    """The document as JSON where asked, else the text, on standard output."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False) if as_json else text)


def refuse(faults: list[str], as_json: bool) -> NoReturn:
    """Name every fault on standard error (and as JSON on standard output where asked), and stop with 1."""
    for fault in faults:
        typer.echo(fault, err=True)
    if as_json:
        typer.echo(json.dumps({"faults": faults}, indent=2))
    raise typer.Exit(1)
