"""An earlier release becomes the champion again."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from training.commands.answering import answer, refusing
from training.commands.options import (
    DEFAULT_ACCESS,
    DEFAULT_NAME,
    DEFAULT_RELEASES,
    DEFAULT_TRACKING,
    Access,
    AccessKey,
    ApprovedByKey,
    AsJson,
    ByKey,
    Reason,
    RegisteredName,
    Releases,
    SealKey,
    TrackingUri,
)

_TO = "Digest of an earlier release (its first 8 digits or more); without it the one that the champion replaced."


def rollback(
    reason: Reason,
    by_key: ByKey = None,
    approved_by_key: ApprovedByKey = None,
    access: Access = DEFAULT_ACCESS,
    access_key: AccessKey = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DIGEST", help=_TO)] = None,
    releases: Releases = DEFAULT_RELEASES,
    seal_key: SealKey = None,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    registered_name: RegisteredName = DEFAULT_NAME,
    as_json: AsJson = False,
) -> None:
    """Bring an earlier release back: two people prove who they are, nothing is judged again, the ledger keeps why."""
    with refusing(as_json):
        from models import ledger
        from models.identity import Role
        from training.gate.promote import rollback as roll_back
        from training.gate.proved import APPROVES, PROMOTES, proved_claim
        from training.gate.store import opened
        from training.refused import NotSupported
        from training.tracking.champion import Registry

        claim = proved_claim(by_key, approved_by_key, reason, access, access_key, PROMOTES | APPROVES, Role.ADMINISTRATOR)
        if not ledger.exists(releases):
            raise NotSupported(f"{releases} holds no ledger: nothing was ever promoted there")
        store = opened(releases, seal_key, Registry(tracking_uri, registered_name), partial(typer.echo, err=True))
        done = roll_back(claim, store, to)
    answer(done.as_json(), done.text(), as_json)
