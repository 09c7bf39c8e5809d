"""Who looked at a receipt is shown beside it, and to everybody what was recorded of them: of nobody else."""

from __future__ import annotations

import re

import pytest

from models.identity import Identity, Role
from serving.access.noting import note
from serving.pages import noted

from .conftest import WHOLE, House, somebody

LIND = Identity("C. Lind", frozenset({Role.CLINICIAN}), "Ward 3", "https://id.example")


def told(page: str) -> list[str]:
    return re.findall(r'<td class="words">([^<]*)</td></tr>', page)


def test_beside_a_receipt_stands_who_looked_at_it_before(house: House) -> None:
    path = f"/audit/receipts/{WHOLE}"
    assert "Nobody before you" in house.ask(Role.AUDITOR, path).text
    house.ask(LIND, path)
    house.ask(LIND, f"/audit/receipts/{WHOLE + 1}")
    house.ask(Role.AUDITOR, f"{path}/replay", {})
    found = [one for one in told(house.ask(Role.AUDITOR, path).text) if "receipt" in one]
    assert found == [
        f"A. Frey (auditor) replayed receipt {WHOLE} (verdict equal to the bit).",
        f"C. Lind (clinician) viewed receipt {WHOLE}.",
        f"A. Frey (auditor) viewed receipt {WHOLE}.",
    ]


def test_clinicians_are_not_told_who_looked(house: House) -> None:
    assert "looked" not in house.ask(LIND, f"/audit/receipts/{WHOLE}").text


def test_everybody_sees_what_was_recorded_of_them_and_of_nobody_else(house: House) -> None:
    house.ask(Role.AUDITOR, f"/audit/receipts/{WHOLE}")
    house.ask(LIND, f"/audit/receipts/{WHOLE}")
    house.ask(Identity(LIND.name, LIND.roles, LIND.unit, "another issuer"), f"/audit/receipts/{WHOLE}")
    first = house.ask(LIND, "/audit/mine")
    assert told(first.text) == [f"C. Lind (clinician) viewed receipt {WHOLE}."]
    assert told(house.ask(LIND, "/audit/mine").text)[0] == "C. Lind (clinician) viewed own notes."


def test_so_many_are_shown_and_no_more_are_looked_through(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.writer.record([note(LIND, "viewed", {"receipt": number}) for number in range(20)])
    house.writer.record([note(somebody(Role.AUDITOR), "viewed", {"receipt": 1})])
    monkeypatch.setattr(noted, "SHOWN", 3)
    assert [one.told[-3:-1] for one in noted.by(house.archive.store, LIND)] == ["19", "18", "17"]
    monkeypatch.setattr(noted, "LOOKED_AT", 2)
    assert len(noted.by(house.archive.store, LIND)) == 1


@pytest.mark.parametrize("role", [Role.DATA_SCIENTIST, Role.ADMINISTRATOR])
def test_whoever_sees_no_receipt_has_no_log_of_it(house: House, role: Role) -> None:
    assert house.ask(role, "/audit/mine").status_code == 403
