"""Receipts in PostgreSQL are found, read, computed again, verified and taken away by the same pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres import programs, receipts_database, server

from models.artifact import Artifact
from models.durable import locked
from models.identity import Role
from serving.pages.verifying import LOCK

from .conftest import SCORES, WHOLE, House, built


@pytest.fixture(scope="module")
def kept_there(
    debian: Callable[[str, str | None], str],
    simulated: Artifact,
    simulated_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    with server(debian("postgresql", programs())) as postgres:
        receipts_database(postgres, "pages")
        folder = tmp_path_factory.mktemp("postgresql")
        with built(simulated, simulated_folder, folder, postgres.url("pages", "service")) as house:
            yield house


def test_everything_an_auditor_does_is_done_there_as_well(kept_there: House) -> None:
    def ask(path: str, form: dict[str, str] | None = None) -> str:
        answer = kept_there.ask(Role.AUDITOR, path, form)
        assert answer.status_code in (200, 303), answer.text
        return answer.text

    found = [int(one) for one in re.findall(r'href="/audit/receipts/(\d+)"', ask("/audit"))]
    assert found == list(range(SCORES + 1, 1, -1))
    assert f'href="/audit/receipts/{WHOLE}"' in ask("/audit/patient", {"pseudonym": f"p-{WHOLE}"})
    risk = kept_there.document(WHOLE)["answer"]["risks"]["90"]["risk"]
    assert f'<data value="{risk!r}">' in ask(f"/audit/receipts/{WHOLE}")
    assert "equal to the bit" in ask(f"/audit/receipts/{WHOLE}/replay", {})
    assert len([json.loads(line) for line in ask("/audit/export", {"format": "jsonl"}).splitlines()]) == SCORES
    ask("/audit/verification", {"extent": "whole"})
    with locked(kept_there.archive.folder / LOCK):
        assert "Every record is as it was written" in ask("/audit/verification")
    did = [did for did, _ in kept_there.notes]
    assert did[:5] == ["searched", "searched by pseudonym", "viewed", "replayed", "exported"]
