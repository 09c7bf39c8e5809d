"""Receipts on disk, made the way the service makes them, and the auditor's commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from models.artifact import Artifact
from models.patient import Patient
from serving import cli
from serving.answer import Answer
from serving.receipts.keys import read_or_make_keys
from serving.receipts.models_kept import keep_model
from serving.receipts.payload import code_version, draft_of, dumped
from serving.receipts.record import OPENED, Draft
from serving.receipts.writer import open_writer
from serving.score import score
from serving.wire import read_patient


def request(id: str | None = "p-1", **changes: Any) -> dict[str, Any]:
    labs = {"alc": (0.8, "10*9/L"), "anc": (4.1, "10*9/L"), "albumin": (34.0, "g/L")}
    rows = [{"analyte": name, "value": value, "unit": unit, "date": "2026-02-26"} for name, (value, unit) in labs.items()]
    person = {"id": id, "as_of": "2026-03-02", "age_years": 61.5, "sex": "female", "tumour": "pancreatic"}
    return person | {"measurements": rows, "history": {"prior_lines": 2}} | changes


@dataclass
class Kept:
    """A folder of receipts; record 1 tells of its opening, and those of `given` follow, one each."""

    folder: Path
    key: Path
    model: Path
    artifact: Artifact
    answers: list[dict[str, Any]] = field(default_factory=list)

    def record(self, given: Sequence[dict[str, Any]], site: str = "north") -> None:
        """Receipts for these patients, in one group each."""
        keys = read_or_make_keys(self.key, lambda said: None)
        with open_writer(self.folder, keys) as writer:
            keep_model(self.folder, self.model, self.artifact.digest)
            writer.record([Draft(OPENED, "", dumped({"model": self.artifact.digest, "site": site}))])
            for one in given:
                writer.record([self._draft(one, site)])

    def _draft(self, given: dict[str, Any], site: str) -> Draft:
        patient = read_patient(given)
        (answer,) = score(self.artifact, [patient], site)
        assert isinstance(patient, Patient)
        assert isinstance(answer, Answer)
        self.answers.append(json.loads(dumped(answer.as_json())))
        return draft_of(dumped(given), patient, dumped(answer.as_json()), {"by": "HTTP"}, self.artifact, site, code_version())

    def run(self, *words: object) -> tuple[int, str, str]:
        """`audit` with these words on these receipts: exit code, standard output, standard error."""
        app = typer.Typer()
        cli.mount(app)
        where = ("--receipts", self.folder, "--receipts-key", self.key)
        found = CliRunner().invoke(app, ["audit", *map(str, (*words, *where))])
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found.exit_code, found.stdout, found.stderr

    def told(self, *words: object) -> Any:
        """The JSON on standard output of a command that went well."""
        code, stdout, stderr = self.run(*words, "--json")
        assert code == 0, stderr
        return json.loads(stdout)


@pytest.fixture
def keep(tmp_path: Path, model_folder: Path, loaded: Artifact) -> Callable[..., Kept]:
    """Makes a folder of receipts for the patients given."""

    def kept(given: Sequence[dict[str, Any]] = (), model: Path = model_folder, artifact: Artifact = loaded) -> Kept:
        found = Kept(tmp_path / "receipts", tmp_path / "receipts.key", model, artifact)
        found.record(given)
        return found

    return kept


@pytest.fixture
def kept(keep: Callable[..., Kept]) -> Kept:
    """Records 2 and 3 of one patient, 4 of another, 5 of nobody in particular."""
    return keep([request("p-1"), request("p-1", age_years=62), request("p-2", age_years=44), request(None)])
