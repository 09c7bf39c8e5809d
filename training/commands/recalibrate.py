"""A model becomes one hospital's own."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.commands.answering import answer, refusing
from training.commands.given import cohort_of, folder_of
from training.commands.options import (
    DEFAULT_TRACKING,
    Accept,
    Artifacts,
    AsJson,
    Bootstrap,
    CohortPath,
    Data,
    Digest,
    ModelName,
    Seed,
    TrackingUri,
)

if TYPE_CHECKING:
    from training.cohort import Cohort
    from training.recalibration.recalibrate import Recalibrated

_SLOPE = "Learn too how far risks spread there; from 200 patients and 60 deaths by the primary horizon."


def recalibrate(
    model: ModelName,
    cohort: CohortPath,
    out: Artifacts,
    site: Annotated[str, typer.Option("--site", help="The hospital, as its service will be told (lymphorisk serve --site).")],
    slope: Annotated[bool, typer.Option("--slope", help=_SLOPE)] = False,
    data: Data = None,
    accept: Accept = "",
    bootstrap: Bootstrap = 200,
    seed: Seed = 1,
    digest: Digest = None,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who recalibrates; a claim, kept in the ledger.")] = "",
    releases: Annotated[Path, typer.Option("--releases", help="The folder of the ledger.", file_okay=False)] = Path("releases"),
    seal_key: Annotated[Path | None, typer.Option("--seal-key", help="The file of the key that seals the ledger.")] = None,
    as_json: AsJson = False,
) -> None:
    """A saved model with its risks shifted to a hospital's own patients, as a model of its own; who is sicker stays the same."""
    with refusing(as_json):
        from models import artifact, ledger
        from training.gate.store import key_of
        from training.landmarks.refused import require_index_date
        from training.progress import Bars
        from training.recalibration.recalibrate import recalibrate as make
        from training.telling.child_files import child_files, sheet

        _require_empty(out)
        key = key_of(releases, seal_key, lambda sentence: typer.echo(sentence, err=True))
        ledger.read_ledger(releases, key)  # a broken one is refused before anything is made
        with folder_of(model, tracking_uri) as folder:
            parent = artifact.load(folder, digest)
            require_index_date(parent.model, "recalibrated")
            local = cohort_of(cohort, data, accept, parent.model.required)
            with Bars() as bars:
                made = make(parent, local, site, slope=slope, bootstrap=bootstrap, seed=seed, advance=bars)
            files = child_files(folder, made.model, made.account)
        settings = {"slope": slope, "bootstrap": bootstrap, "seed": seed}
        child = artifact.save(made.model, out, files=files, provenance=_provenance(made, local) | {"settings": settings})
        ledger.append(releases, ledger.RECALIBRATED, _entry(made, child) | {"by": by}, key)
    answer(made.account | {"model": str(out), "digest": child}, f"{sheet(made.account)}\n{out}  digest {child}", as_json)


def _require_empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: an artifact is written once and never altered")


def _provenance(made: Recalibrated, local: Cohort) -> dict[str, object]:
    account = made.account
    whence = {"parent": account["parent"]["digest"], "site": account["site"]}
    return {"code": version("lymphorisk"), **whence, "cohort": local.name, "cohort_digest": local.digest}


def _entry(made: Recalibrated, child: str) -> dict[str, object]:
    account = made.account
    return {"model": child, "parent": account["parent"]["digest"], "site": account["site"], "cohort": account["cohort"]["digest"]}
