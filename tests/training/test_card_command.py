"""`lymphorisk card` shows a card that holds, and refuses one that does not."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner

import lymphorisk
from models.artifact import MANIFEST, sealed_manifest
from models.example import EXAMPLE


def _run(*words: str) -> tuple[int, str, str]:
    ran = CliRunner().invoke(lymphorisk.app, ["card", *words])
    return ran.exit_code, ran.stdout, ran.stderr


def test_the_page_or_the_card_is_shown(small_artifact: Path) -> None:
    code, page, _ = _run(str(small_artifact))
    assert code == 0
    assert page.startswith(EXAMPLE)
    code, card, _ = _run(str(small_artifact), "--json")
    assert code == 0
    assert len(json.loads(card)["source_attributes"]) == 31


def test_a_card_whose_metric_was_changed_and_sealed_again_is_refused(small_artifact: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_artifact, tmp_path / "model")
    changed = (folder / "evaluation.json").read_text().replace('"seed": 1', '"seed": 2')
    (folder / "evaluation.json").write_text(changed)
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}
    (folder / MANIFEST).write_bytes(sealed_manifest(contents, {})[0])
    code, out, said = _run(str(folder))
    assert (code, out) == (1, "")
    assert "evaluation.json: not the file the card was written from" in said


def test_a_damaged_artifact_is_refused_before_its_card_is_read(small_artifact: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_artifact, tmp_path / "model")
    (folder / "card.json").write_text("{}")
    code, out, said = _run(str(folder))
    assert (code, out) == (1, "")
    assert "card.json" in said


def test_a_card_of_an_earlier_version_says_so(small_artifact: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_artifact, tmp_path / "model")
    (folder / "card.json").write_text("{}")
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}
    (folder / MANIFEST).write_bytes(sealed_manifest(contents, {})[0])
    code, _, said = _run(str(folder))
    assert code == 1
    assert "it names no evidence; likely written by an earlier version" in said
