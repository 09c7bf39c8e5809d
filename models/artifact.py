"""A model as a folder of JSON and npz: written whole, checked byte by byte before any parser sees it, never a pickle.

`manifest.json` is canonical JSON that names the SHA-256 of every file; its last field is the digest of the rest, and that
digest is the model's. Without a pinned digest the check detects damage, not forgery.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.calibration_at_site import CalibrationAtSite
from models.document import model_document, model_from
from models.risk import RiskModel
from models.seal import canonical
from models.trees import LAYOUT, LeafTables

MODEL, TREES, MANIFEST = "model.json", "trees.npz", "manifest.json"
FORMAT = 1
_TAIL = re.compile(rb',"sha256":"([0-9a-f]{64})"\}\n\Z')
_LARGEST = 128 * 2**20  # bytes of a folder, and of its leaf tables unpacked; an artifact is a few megabytes
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NPY = re.compile(  # the header of an array of plain numbers as numpy writes it: bytes of a number, and the shape
    rb"\x93NUMPY\x01\x00..\{'descr': '[<|][bif](\d)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n", re.DOTALL
)
_HEADER = 256  # bytes at most of what says the type and the shape of an array
# what the parsers raise at bytes that are whole and make no sense to them
_UNREADABLE = (
    *(AttributeError, EOFError, IndexError, KeyError, TypeError, ValueError),
    *(MemoryError, OverflowError, RuntimeError, zipfile.BadZipFile, zlib.error),  # RecursionError is a RuntimeError
)


class InvalidArtifact(ValueError):
    """An artifact folder that is not, to the byte, what its manifest says, or that this version cannot read.

    The rule it defends: no parser sees a byte before its digest has been checked.
    """


@dataclass(frozen=True)
class Promotion:
    """Who says to have brought a model to patients, and who to have approved it; when, by which entry of the ledger."""

    version: str
    by: str
    approved_by: str
    time: str  # UTC
    sequence: int
    champion: bool  # False: an earlier release, taken because its digest was pinned
    proved: bool = False  # True: each of the two showed an API key of their own; False: nothing is known of it

    def as_json(self) -> Mapping[str, object]:
        """JSON-ready; `proved` only where it is so: receipts from before there were keys do not tell."""
        return {name: value for name, value in vars(self).items() if name != "proved" or value}


@dataclass(frozen=True)
class Artifact:
    """A verified model and the digest by which registry, ledger and receipts name it."""

    model: RiskModel
    digest: str
    provenance: Mapping[str, object]
    promotion: Promotion | None = None  # of a release (models.release)
    at_site: CalibrationAtSite | None = None  # what the ledger knows of it where it is used


def save(model: RiskModel, folder: Path, *, files: Mapping[str, bytes], provenance: Mapping[str, object]) -> str:
    """Write `model` and further `files` (card, booster) to `folder`, which must not exist or be empty; returns the digest."""
    if wrong := sorted(name for name in files if name in (MODEL, TREES, MANIFEST) or not _NAME.fullmatch(name)):
        raise ValueError(f"files {', '.join(wrong)}: allowed are plain names other than {MODEL}, {TREES} and {MANIFEST}")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: an artifact is written once and never altered")
    contents = {MODEL: canonical(model_document(model)) + b"\n", **files}
    if model.trees is not None:
        contents[TREES] = _npz(model.trees)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    manifest, digest = sealed_manifest(contents, provenance)
    (folder / MANIFEST).write_bytes(manifest)
    return digest


def sealed_manifest(contents: Mapping[str, bytes], provenance: Mapping[str, object]) -> tuple[bytes, str]:
    """The manifest of `contents` as bytes, and the digest that closes it."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    rest = canonical({"files": hashes, "format": FORMAT, "provenance": provenance})
    digest = hashlib.sha256(rest).hexdigest()
    return rest[:-1] + b',"sha256":"' + digest.encode() + b'"}\n', digest


def load(folder: Path | str, digest: str | None = None) -> Artifact:
    """The verified artifact in `folder`; with `digest`, only the one of that digest.

    Raises InvalidArtifact before parsing when a byte, a file or the pinned digest differs.
    """
    folder = Path(folder)
    rest, found = _verified_manifest(folder)
    if digest is not None and digest != found:
        raise InvalidArtifact(f"{folder} has digest {found}: the pinned digest is {digest}")
    try:
        manifest = _manifest_of(rest)
        contents = _verified_contents(folder, manifest["files"])
        trees = LeafTables.from_arrays(_arrays(contents[TREES])) if TREES in contents else None
        return Artifact(model_from(json.loads(contents[MODEL]), trees), found, manifest["provenance"])
    except InvalidArtifact:
        raise
    except _UNREADABLE as error:
        reason = f"no field {error}" if isinstance(error, KeyError) else f"{error}"
        raise InvalidArtifact(f"{folder} is whole, but this version cannot read it: {reason}") from error


def verify(folder: Path, digest: str) -> None:
    """Raise InvalidArtifact unless `folder` holds, to the byte, the artifact of this digest; its manifest alone is parsed."""
    rest, found = _verified_manifest(folder)
    if found != digest:
        raise InvalidArtifact(f"{folder} has digest {found}: the pinned digest is {digest}")
    _verified_contents(folder, _manifest_of(rest)["files"])


def _verified_manifest(folder: Path) -> tuple[bytes, str]:
    """The manifest but for its last field, which is the digest of the rest, and that digest."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InvalidArtifact(f"{folder} has no {MANIFEST}: not an artifact folder, or not written to the end")
    content = _read(path)
    tail = _TAIL.search(content)
    rest = content[: tail.start()] + b"}" if tail else b""
    if tail is None or hashlib.sha256(rest).hexdigest().encode() != tail[1]:
        raise InvalidArtifact(f"{path} does not match its own digest: damaged, or altered after the model was saved")
    return rest, tail[1].decode()


def _manifest_of(rest: bytes) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(rest)
    if manifest["format"] != FORMAT:
        raise ValueError(f"{MANIFEST} has format {manifest['format']}: this version reads format {FORMAT}")
    return manifest


def _verified_contents(folder: Path, hashes: Mapping[str, str]) -> dict[str, bytes]:
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if present != set(hashes):
        missing, extra = sorted(set(hashes) - present), sorted(present - set(hashes))
        raise InvalidArtifact(f"{folder}: missing {missing}, extra {extra}; the manifest names {sorted(hashes)}")
    if sum(_plain(folder / name).stat().st_size for name in hashes) > _LARGEST:
        raise InvalidArtifact(f"{folder}: its files come to more than {_LARGEST // 2**20} MiB")
    contents = {name: _read(folder / name) for name in hashes}
    wrong = sorted(name for name, content in contents.items() if hashlib.sha256(content).hexdigest() != hashes[name])
    if wrong:
        raise InvalidArtifact(f"{folder}: {', '.join(wrong)} differs from its SHA-256 in the manifest: damaged or altered")
    return contents


def _read(path: Path) -> bytes:
    return _plain(path).read_bytes()


def _plain(path: Path) -> Path:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        raise InvalidArtifact(f"{path} is no plain file of at most {_LARGEST // 2**20} MiB")
    return path


def _npz(trees: LeafTables) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **trees.arrays())
    return buffer.getvalue()


def _arrays(content: bytes) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _require_members(archive)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _require_members(archive: zipfile.ZipFile) -> None:
    """ValueError unless the archive holds the leaf tables and nothing else; no array is unpacked, or room made for it, before."""
    members = archive.infolist()
    if sorted(one.filename for one in members) != sorted(f"{name}.npy" for name in LAYOUT):
        raise ValueError(f"{TREES} of {len(members)} members: allowed is exactly one each of {', '.join(sorted(LAYOUT))}")
    if sum(one.file_size for one in members) > _LARGEST:
        raise ValueError(f"{TREES} unpacks to more than {_LARGEST // 2**20} MiB")
    for one in members:
        if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{TREES}: {one.filename} is neither stored nor deflated")
        with archive.open(one) as member:
            _require_size(one, member.read(_HEADER))


def _require_size(member: zipfile.ZipInfo, start: bytes) -> None:
    header = _NPY.match(start)
    if header is None:
        raise ValueError(f"{TREES}: {member.filename} is no array of plain numbers")
    shape = [int(length) for length in header[2].replace(b",", b" ").split()]
    if header.end() + int(header[1]) * math.prod(shape) != member.file_size:
        raise ValueError(f"{TREES}: {member.filename} says another shape than its {member.file_size} bytes hold")
