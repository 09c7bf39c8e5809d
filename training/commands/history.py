"""What was promoted, by whom and why, and whether everything verifies."""

from __future__ import annotations

import typer

from training.commands.answering import answer, refusing
from training.commands.options import (
    DEFAULT_NAME,
    DEFAULT_RELEASES,
    DEFAULT_TRACKING,
    AsJson,
    RegisteredName,
    Releases,
    SealKey,
    TrackingUri,
)


def history(
    releases: Releases = DEFAULT_RELEASES,
    seal_key: SealKey = None,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    registered_name: RegisteredName = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Every entry of the ledger, and whether ledger, pointer, releases and MLflow's alias are as they were left (else exit 1)."""
    with refusing(as_json):
        from models import ledger
        from models.seal_key import read_key
        from training.gate.history import history as read_history
        from training.gate.store import Store
        from training.refused import NotSupported
        from training.tracking.champion import Registry

        if not ledger.exists(releases):
            raise NotSupported(f"{releases} holds no ledger: nothing was recorded there")
        found = read_history(Store(releases, read_key(seal_key), Registry(tracking_uri, registered_name)))
    answer(found.as_json(), found.text(), as_json)
    if found.faults:
        raise typer.Exit(1)
