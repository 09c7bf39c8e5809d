"""The model that answered is kept, byte for byte, and found by its digest or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.artifact import MODEL, Artifact, InvalidArtifact
from serving.receipts.models_kept import MODELS, KeptModels, ModelMissing, keep_model


def test_a_kept_model_is_the_artifact_byte_for_byte(tmp_path: Path, model_folder: Path, loaded: Artifact) -> None:
    kept = keep_model(tmp_path, model_folder, loaded.digest)
    assert kept == tmp_path / MODELS / loaded.digest
    was, now = ({one.name: one.read_bytes() for one in folder.iterdir()} for folder in (model_folder, kept))
    assert was == now
    assert keep_model(tmp_path, model_folder, loaded.digest) == kept  # the next start finds it there
    assert KeptModels(tmp_path).model(loaded.digest).digest == loaded.digest


def test_another_model_is_not_kept_under_a_digest(tmp_path: Path, model_folder: Path) -> None:
    with pytest.raises(InvalidArtifact, match="the pinned digest is 0000"):
        keep_model(tmp_path, model_folder, "0" * 64)
    assert not any((tmp_path / MODELS).iterdir())


def test_a_kept_model_that_was_altered_is_neither_kept_again_nor_used(
    tmp_path: Path, model_folder: Path, loaded: Artifact
) -> None:
    kept = keep_model(tmp_path, model_folder, loaded.digest)
    (kept / MODEL).write_bytes((kept / MODEL).read_bytes().replace(b"hand-made", b"hand-nade"))
    with pytest.raises(InvalidArtifact, match=r"model\.json differs from its SHA-256"):
        keep_model(tmp_path, model_folder, loaded.digest)
    with pytest.raises(ModelMissing, match=r"model\.json differs from its SHA-256"):
        KeptModels(tmp_path).model(loaded.digest)


def test_a_model_that_is_gone_is_found_in_the_folder_that_is_given(tmp_path: Path, model_folder: Path, loaded: Artifact) -> None:
    shutil.rmtree(keep_model(tmp_path, model_folder, loaded.digest))
    with pytest.raises(ModelMissing, match=f"no model {loaded.digest} in .*; --model FOLDER"):
        KeptModels(tmp_path).model(loaded.digest)
    assert KeptModels(tmp_path, [model_folder]).model(loaded.digest).digest == loaded.digest


def test_the_folder_that_is_given_must_hold_that_very_model(
    tmp_path: Path, simulated_folder: Path, loaded: Artifact, simulated: Artifact
) -> None:
    with pytest.raises(ModelMissing, match=f"no model.*; .*has digest {simulated.digest}: the pinned digest is {loaded.digest}"):
        KeptModels(tmp_path, [simulated_folder]).model(loaded.digest)
