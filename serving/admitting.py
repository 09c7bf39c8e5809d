"""Who is let in: whoever has a key, and whom the identity provider vouches for; where a service is tried out, everybody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from models.ledger import exists
from models.seal import BrokenSeal
from models.seal_key import ACCESS, read_key
from serving.access.api_keys import ApiKeys
from serving.access.desk import Desk
from serving.access.door import Access
from serving.access.one_time import Links
from serving.access.proofs import Proofs
from serving.access.session_store import SessionStore
from serving.access.sessions import Sessions
from serving.access.settings import NAME, InvalidSettings, Oidc, read_oidc
from serving.cds.callers import CdsCallers
from serving.cds.settings import read_cds
from serving.cds.shown import Shown
from serving.loading import refuse
from serving.pages.signing import Ways

_FIRST_KEY = 'lymphorisk keys add NAME --role clinician --unit "Ward 3" makes one; --dev is the way without keys, for trying out'


@dataclass(frozen=True)
class Admitted:
    """What finds out who asks, the browsers that are signed in, and the ways to sign in."""

    access: Access
    sessions: Sessions
    ways: Ways
    address: str = ""  # under which hospital systems reach the service


@contextmanager
def trying_out(receipts: Path) -> Iterator[Admitted]:
    """Everybody; browsers by a link. Who signs in here is signed in nowhere else: it is known beside these receipts alone."""
    with closing(_store(receipts)) as store:
        sessions = Sessions(store)
        yield Admitted(Desk(sessions), sessions, Ways(Links(store)))


@contextmanager
def admitting(folder: Path, key: Path | None) -> Iterator[Admitted]:
    """Those whom the access folder names; leaves with exit code 1 and the reason where it is not in order, or names nobody."""
    try:
        oidc, cds = read_oidc(folder / NAME), read_cds(folder / NAME)
    except (InvalidSettings, OSError) as error:
        _nobody(f"{error}")
    keys = _keys(folder, key) if oidc is None or exists(folder) else None
    if oidc is None and (keys is None or not keys.any_good()):
        _nobody(f"no key in {folder} is good. {_FIRST_KEY}")
    with ExitStack() as open_:
        sessions = Sessions(open_.enter_context(closing(_store(folder))))
        systems = None if cds is None else CdsCallers(cds, open_.enter_context(closing(_shown(folder))))
        yield _admitted(sessions, keys, oidc, systems)


def _admitted(sessions: Sessions, keys: ApiKeys | None, oidc: Oidc | None, systems: CdsCallers | None) -> Admitted:
    address = "" if systems is None else systems.settings.service
    if oidc is None:
        return Admitted(Proofs(keys, None, sessions, systems), sessions, Ways(), address)
    from serving.access.code_flow import CodeFlow
    from serving.access.provider import Provider
    from serving.access.tokens import Tokens

    provider = Provider(oidc.issuer)
    tokens = Tokens(oidc, provider)
    ways = Ways(provider=CodeFlow(oidc, provider, tokens) if oidc.client_id else None)
    return Admitted(Proofs(keys, tokens, sessions, systems), sessions, ways, address)


def _keys(folder: Path, key: Path | None) -> ApiKeys:
    try:
        return ApiKeys(folder, read_key(key, ACCESS))
    except (BrokenSeal, OSError) as error:
        _nobody(f"{error}. {_FIRST_KEY}")


def _store(folder: Path) -> SessionStore:
    try:
        return SessionStore(folder)
    except (OSError, sqlite3.Error) as error:
        _nobody(f"{folder}: {error}")


def _shown(folder: Path) -> Shown:
    try:
        return Shown(folder)
    except (OSError, sqlite3.Error) as error:
        _nobody(f"{folder}: {error}")


def _nobody(why: str) -> NoReturn:
    refuse(f"nobody could be let in: {why}")
