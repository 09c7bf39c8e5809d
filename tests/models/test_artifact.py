"""An artifact is what its manifest says, to the byte, or it is refused before anything of it is parsed."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import artifact
from models.artifact import MANIFEST, InvalidArtifact, load, save, sealed_manifest
from models.design import DesignMatrix
from models.risk import RiskModel
from models.seal import canonical

MakeModel = Callable[..., RiskModel]
DAMAGED = r"does not match its own digest|differs from its SHA-256"
FILES = {"card.md": b"# A card\n", "booster.ubj": bytes(range(256))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, make_model: MakeModel) -> Path:
    """An artifact folder with further files."""
    folder = tmp_path_factory.mktemp("whole") / "model"
    save(make_model(), folder, files=FILES, provenance={"cohort": "hand-made"})
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "copy")


class Parsers:
    """Stand where the parsers stand: a verified manifest may be read, and nothing else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, manifest: bool = True):
        self.loads, self.manifest = json.loads, manifest
        monkeypatch.setattr(artifact.json, "loads", self.json)
        monkeypatch.setattr(artifact.np, "load", self.npz)
        monkeypatch.setattr(artifact.zipfile, "ZipFile", self.npz)

    def json(self, content: bytes) -> Any:
        assert self.manifest, "parsed"
        assert content.startswith(b'{"files":'), "parsed"
        return self.loads(content)

    def npz(self, *args: object, **options: object) -> None:
        raise AssertionError("parsed")


def resealed(folder: Path, **contents: bytes) -> None:
    """Write files and a manifest that fits them: what somebody who can recompute digests would do."""
    names = {name.replace("_", "."): content for name, content in contents.items()}
    for name, content in names.items():
        (folder / name).write_bytes(content)
    everything = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}
    (folder / MANIFEST).write_bytes(sealed_manifest(everything, {})[0])


def test_saving_and_loading_changes_no_bit(whole: Path, model: RiskModel) -> None:
    again = load(whole).model
    x = np.random.default_rng(2).normal(0, 20, (50, 15))
    x[x > 15] = np.nan
    matrix = DesignMatrix(x, np.isnan(x))
    before, after = model.score(matrix), again.score(matrix)
    for name in ("terms", "log_odds", "risk", "time_bound"):
        assert getattr(before, name).tobytes() == getattr(after, name).tobytes()
    for one, other in zip(model.spreads(before.filled.x), again.spreads(after.filled.x), strict=True):
        assert one.tobytes() == other.tobytes()


def test_the_same_model_has_the_same_digest(whole: Path, tmp_path: Path, make_model: MakeModel) -> None:
    digest = save(make_model(), tmp_path / "again", files=FILES, provenance={"cohort": "hand-made"})
    assert load(whole).digest == load(tmp_path / "again", digest).digest == digest
    saved = load(tmp_path / "again").model
    third = save(saved, tmp_path / "third", files=FILES, provenance={"cohort": "hand-made"})
    assert third == digest


def test_the_digest_names_all_of_it(tmp_path: Path, make_model: MakeModel) -> None:
    digests = [
        save(make_model(), tmp_path / "a", files={}, provenance={}),
        save(make_model(), tmp_path / "b", files=FILES, provenance={}),
        save(make_model(), tmp_path / "c", files={}, provenance={"cohort": "another"}),
        save(make_model(tree_share=0.4), tmp_path / "d", files={}, provenance={}),
    ]
    assert len(set(digests)) == 4


def test_the_provenance_is_kept(whole: Path) -> None:
    assert load(whole).provenance == {"cohort": "hand-made"}


def test_the_manifest_closes_with_the_digest_of_the_rest(whole: Path) -> None:
    manifest = json.loads((whole / MANIFEST).read_bytes())
    assert list(manifest)[-1] == "sha256"
    digest = manifest.pop("sha256")
    assert digest == hashlib.sha256(canonical(manifest)).hexdigest() == load(whole).digest
    assert manifest["files"]["card.md"] == hashlib.sha256(FILES["card.md"]).hexdigest()


def test_nothing_in_it_is_a_pickle(whole: Path) -> None:
    assert not [
        path.name for path in whole.iterdir() if path.suffix in (".pkl", ".pickle", ".joblib") or b"pickle" in path.read_bytes()
    ]
    with np.load(whole / "trees.npz", allow_pickle=False) as archive:
        assert not [name for name in archive.files if archive[name].dtype.hasobject]


@given(st.data())
def test_any_bit_of_any_file_changed_is_refused_before_parsing(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("damaged") / "model")
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as monkeypatch:
        Parsers(monkeypatch)
        with pytest.raises(InvalidArtifact, match=DAMAGED):
            load(folder)


@pytest.mark.parametrize("name", ["model.json", "trees.npz", "manifest.json", "card.md"])
@pytest.mark.parametrize("change", [lambda content: content[:-1], lambda content: content + b"\n", lambda content: b""])
def test_a_file_cut_short_or_gone_on_with_is_refused_before_parsing(
    copy: Path, monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[bytes], bytes]
) -> None:
    (copy / name).write_bytes(change((copy / name).read_bytes()))
    Parsers(monkeypatch)
    with pytest.raises(InvalidArtifact, match=DAMAGED):
        load(copy)


@pytest.mark.parametrize("name", ["model.json", "trees.npz", "card.md", "booster.ubj"])
def test_a_missing_file_is_refused_before_parsing(copy: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (copy / name).unlink()
    Parsers(monkeypatch)
    with pytest.raises(InvalidArtifact, match=rf"missing \['{name}'\], extra \[\]"):
        load(copy)


@pytest.mark.parametrize("name", ["evil.pkl", ".hidden", "model.json.bak"])
def test_an_added_file_or_folder_is_refused_before_parsing(copy: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    Parsers(monkeypatch)
    (copy / name).mkdir()
    with pytest.raises(InvalidArtifact, match=rf"extra \['{name}'\]"):
        load(copy)
    (copy / name).rmdir()
    (copy / name).write_bytes(b"x")
    with pytest.raises(InvalidArtifact, match=rf"extra \['{name}'\]"):
        load(copy)


def test_another_digest_than_the_pinned_one_is_refused_before_anything_is_parsed(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Parsers(monkeypatch, manifest=False)
    with pytest.raises(InvalidArtifact, match="the pinned digest is 0000"):
        load(whole, "0" * 64)


def test_a_pin_tells_forgery_where_no_pin_cannot(copy: Path) -> None:
    pinned = load(copy).digest
    resealed(copy, card_md=b"# Another card\n")
    assert load(copy).digest != pinned
    with pytest.raises(InvalidArtifact, match=f"the pinned digest is {pinned}"):
        load(copy, pinned)


@pytest.mark.parametrize("name", ["model.json", "manifest.json"])
def test_links_are_refused(copy: Path, tmp_path: Path, name: str) -> None:
    shutil.move(copy / name, tmp_path / name)
    (copy / name).symlink_to(tmp_path / name)
    with pytest.raises(InvalidArtifact, match="no plain file"):
        load(copy)


def test_a_file_beyond_measure_is_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "_LARGEST", 100)
    with pytest.raises(InvalidArtifact, match="no plain file of at most"):
        load(copy)


def test_what_is_no_artifact_is_said_to_be_none(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidArtifact, match=r"has no manifest.json: not an artifact folder"):
            load(folder)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("model_json", b"not json", "Expecting value"),
        ("model_json", b"[]", "list indices must be integers"),
        ("model_json", b"{}", "no field 'columns'"),
        ("model_json", b'{"columns": [["albumin", ""]]}', "no field 'refits'"),
        ("model_json", b"\x80", "codec can't decode"),
        ("trees_npz", b"", "not a zip file"),
        ("trees_npz", b"PK\x03\x04 and then nothing", "zip"),
        ("trees_npz", b"\x80\x04N.", "not a zip file"),
    ],
)
def test_a_whole_artifact_that_makes_no_sense_is_refused_with_the_reason(copy: Path, name: str, content: bytes, why: str) -> None:
    resealed(copy, **{name: content})
    with pytest.raises(InvalidArtifact, match=rf"is whole, but this version cannot read it: .*{why}"):
        load(copy)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda model: b"[" * 100_000, "recursion"),
        (lambda model: canonical({**model, "name": None}).replace(b'"name":null', b'"name":' + b'{"a":' * 100_000), "recursion"),
        (lambda model: ramps_of(model, 10**30), "too large"),
        (lambda model: ramps_of(model, 0.5), "integer"),
    ],
)
def test_a_sealed_document_that_breaks_its_parser_is_refused_all_the_same(
    copy: Path, change: Callable[[dict[str, Any]], bytes], why: str
) -> None:
    resealed(copy, model_json=change(json.loads((copy / "model.json").read_bytes())))
    with pytest.raises(InvalidArtifact, match=f"is whole, but this version cannot read it: .*{why}"):
        load(copy)


def ramps_of(model: dict[str, Any], source: object) -> bytes:
    model["linear"]["ramps"]["source"][-1] = source
    return canonical(model)


def npz_with(folder: Path, compression: int = zipfile.ZIP_DEFLATED, **members: bytes | None) -> bytes:
    """The leaf tables with members altered, added or, where None is given, left out."""
    with zipfile.ZipFile(folder / "trees.npz") as archive:
        content: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    content |= {f"{name}.npy": member for name, member in members.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, member in content.items():
            if member is not None:
                archive.writestr(name, member)
    return buffer.getvalue()


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


HUGE = npy(np.zeros(3)).replace(b"(3,), }" + b" " * 16, b"(9999999999999,), }" + b" " * 4)
HOSTILE: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a member claims more than there is": (lambda folder: npz_with(folder, table=HUGE), "table.npy says another shape"),
    "a foreign member": (lambda folder: npz_with(folder, bomb=bytes(2**20)), "13 members: allowed is exactly one each"),
    "a member left out": (lambda folder: npz_with(folder, twig=None), "11 members: allowed is exactly one each"),
    "no array": (lambda folder: npz_with(folder, twig=b"(" * 300), "twig.npy is no array of plain numbers"),
    "an array of objects": (lambda folder: npz_with(folder, twig=npy(np.array([{}]))), "twig.npy is no array of plain numbers"),
    "a strange compression": (lambda folder: npz_with(folder, zipfile.ZIP_LZMA), "neither stored nor deflated"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_leaf_tables_are_looked_at_before_any_array_is_unpacked(copy: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    make, why = HOSTILE[what]
    resealed(copy, trees_npz=make(copy))
    monkeypatch.setattr(artifact.np, "load", lambda *args, **options: pytest.fail("unpacked"))
    with pytest.raises(InvalidArtifact, match=why):
        load(copy)


def test_leaf_tables_that_unpack_beyond_measure_are_refused_unread(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resealed(copy, trees_npz=npz_with(copy, table=npy(np.zeros(100_000))))
    monkeypatch.setattr(artifact, "_LARGEST", 700_000)
    monkeypatch.setattr(artifact.np, "load", lambda *args, **options: pytest.fail("unpacked"))
    with pytest.raises(InvalidArtifact, match="unpacks to more than"):
        load(copy)


def test_files_that_together_are_beyond_measure_are_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resealed(copy, card_md=bytes(60_000), booster_ubj=bytes(60_000))
    monkeypatch.setattr(artifact, "_LARGEST", 100_000)
    with pytest.raises(InvalidArtifact, match="its files come to more than"):
        load(copy)


def test_a_document_without_its_trees_is_refused_with_the_reason(copy: Path) -> None:
    (copy / "trees.npz").unlink()
    resealed(copy)
    with pytest.raises(InvalidArtifact, match="trees where they count"):
        load(copy)


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ({"files": {}, "format": 99, "provenance": {}}, "format 99: this version reads format 1"),
        ({"files": {}, "format": 1}, r"missing \[\], extra"),
        ({"format": 1, "provenance": {}}, "no field 'files'"),
        ([], "list indices"),
    ],
)
def test_a_sealed_manifest_that_makes_no_sense_is_refused_with_the_reason(copy: Path, rest: Any, why: str) -> None:
    sealed = canonical(rest)[:-1] + b"}"
    digest = hashlib.sha256(sealed).hexdigest()
    (copy / MANIFEST).write_bytes(sealed[:-1] + b',"sha256":"' + digest.encode() + b'"}\n')
    with pytest.raises(InvalidArtifact, match=why if isinstance(rest, dict) else "cannot read it"):
        load(copy)


def test_an_artifact_is_written_once(whole: Path, make_model: MakeModel) -> None:
    with pytest.raises(FileExistsError, match="written once and never altered"):
        save(make_model(), whole, files={}, provenance={})


@pytest.mark.parametrize("name", ["model.json", "trees.npz", "manifest.json", "../out.txt", "a/b", ".hidden", ""])
def test_further_files_have_plain_names_of_their_own(tmp_path: Path, make_model: MakeModel, name: str) -> None:
    with pytest.raises(ValueError, match="allowed are plain names other than"):
        save(make_model(), tmp_path / "model", files={name: b"x"}, provenance={})
    assert not (tmp_path / "model").exists()


def test_a_model_with_no_number_in_a_place_cannot_be_saved(tmp_path: Path, make_model: MakeModel) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(make_model(facts={"ipa": float("nan")}), tmp_path / "model", files={}, provenance={})
    assert not list((tmp_path / "model").glob("*"))
