"""The exam of the killed services and the killed server, scaled down."""

from collections.abc import Callable
from pathlib import Path

from kills_postgres import sit
from postgres import programs


def test_nothing_acknowledged_is_lost_when_a_service_or_its_postgresql_is_killed(
    tmp_path: Path, debian: Callable[[str, str | None], str]
) -> None:
    debian("postgresql", programs())
    marks = sit(tmp_path, lambda *_: None, services=1, servers=2)
    assert [str(mark) for mark in marks if mark.falls_short] == []
