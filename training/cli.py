"""The data scientist's commands, mounted on the command line.

Heavy libraries are imported inside the commands, because the same program scores patients and must not load them then.
"""

from __future__ import annotations

from pathlib import Path

import typer

from training.commands.card import card
from training.commands.check import check
from training.commands.draft import draft
from training.commands.evaluate import evaluate
from training.commands.fetch import fetch
from training.commands.history import history
from training.commands.importing import app as importing
from training.commands.promote import promote_command
from training.commands.recalibrate import recalibrate
from training.commands.rescue import rescue
from training.commands.rollback import rollback
from training.commands.simulate import simulate
from training.commands.train import train_command


def mount(app: typer.Typer, pyfunc: Path) -> None:
    """Add the commands to `app`; `pyfunc` is the models-from-code file that MLflow is to register."""
    for command in (simulate, draft, check, card, evaluate, fetch, recalibrate, rescue, rollback, history):
        app.command()(command)
    app.add_typer(importing, name="import")
    app.command()(train_command(pyfunc))
    app.command()(promote_command(pyfunc))
