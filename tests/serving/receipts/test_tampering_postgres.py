"""What is done to receipts in PostgreSQL by whoever has the service's password, or the owner's, is refused or found out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from postgres import Server, programs
from served import Served, operator_says, refused, served
from tampering_postgres import FOUND, OWNER, REFUSED, sit


def test_manipulations_by_either_role_are_refused_or_found_out(
    tmp_path: Path, debian: Callable[[str, str | None], str]
) -> None:
    debian("postgresql", programs())
    marks = sit(tmp_path, lambda *_: None, every=6)
    assert [str(mark) for mark in marks if mark.falls_short] == []


@pytest.fixture(scope="module")
def honest(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(postgres, tmp_path_factory.mktemp("honest"), "honest_module")


@pytest.mark.parametrize("name", FOUND)
def test_what_the_service_may_add_is_found_out(name: str, honest: Served, tmp_path: Path) -> None:
    made = honest.elsewhere(tmp_path / "receipts")
    assert not refused(FOUND[name], made)
    assert operator_says(made) != ()
    made.gone()


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_service_may_not_do_is_refused_and_leaves_no_trace(name: str, honest: Served) -> None:
    assert refused(REFUSED[name], honest)


def test_after_all_that_was_refused_nothing_is_found_wrong(honest: Served) -> None:
    assert operator_says(honest) == ()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a bit of an encrypted score", "record 10 was altered"),
        ("a trigger disabled", "it should have the trigger no_alteration_of_records"),
        ("what the triggers do", "it has a function never in plpgsql: BEGIN RETURN NULL; END"),
        ("rows hidden from the service", "rows for some"),
        ("a table that the next crash empties", "it has a table data_keys not kept"),
        ("a right for the service", "service may UPDATE on records"),
        ("a right on a column", "service may UPDATE on records.payload"),
        ("a right for everybody", "everybody may SELECT on records"),
        ("an index of a part", "it should have the index CREATE INDEX ix_records_subject"),
        ("rows in a table that inherits", "record 9"),
    ],
)
def test_what_is_wrong_is_said(name: str, told: str, honest: Served, tmp_path: Path) -> None:
    made = honest.elsewhere(tmp_path / "receipts")
    OWNER[name].done_to(made)
    assert any(told in fault for fault in operator_says(made)), operator_says(made)
    made.gone()
