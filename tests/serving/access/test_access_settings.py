"""access.toml is read strictly: every fault is named at once, and a secret is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.identity import Role
from serving.access.settings import InvalidSettings, Oidc, reachable, read_oidc

GOOD = """\
[oidc]
issuer = "https://id.hospital.example/realms/staff"
audience = "lymphorisk"
client_id = "lymphorisk-pages"
client_secret_file = "secret"
service = "https://risk.hospital.example"
roles_claim = "groups"
unit_claim = "department"
[oidc.roles]
oncology-ward = "clinician"
revision = "auditor"
[limits]
burst = 10
"""


def read(folder: Path, text: str) -> Oidc | None:
    (folder / "access.toml").write_text(text, encoding="utf-8")
    (folder / "secret").write_text("s3cret\n", encoding="utf-8")
    return read_oidc(folder / "access.toml")


def test_what_stands_there_is_what_is_used(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert found == Oidc(
        issuer="https://id.hospital.example/realms/staff",
        audience="lymphorisk",
        roles_claim="groups",
        roles={"oncology-ward": Role.CLINICIAN, "revision": Role.AUDITOR},
        unit_claim="department",
        name_claim="sub",
        client_id="lymphorisk-pages",
        client_secret="s3cret",
        service="https://risk.hospital.example",
    )
    assert "s3cret" not in repr(found)


def test_the_example_in_the_documentation_is_one(tmp_path: Path) -> None:
    from serving.access import settings

    _, _, example = str(settings.__doc__).partition("\n\n")
    text = example.replace('"/run/secrets/lymphorisk-oidc"', '"secret"')
    found = read(tmp_path, text)
    assert found is not None
    assert found.roles == {"oncology-ward": Role.CLINICIAN}


def test_without_a_file_or_a_table_there_is_no_identity_provider(tmp_path: Path) -> None:
    assert read_oidc(tmp_path / "access.toml") is None
    assert read(tmp_path, "[limits]\nburst = 10\n") is None


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = """\
[oidc]
issuer = "http://id.hospital.example"
audiences = "lymphorisk"
client_id = 7
unit_claim = " "
service = "https://risk.hospital.example/path"
[oidc.roles]
ward = "nurse"
[odic]
"""
    with pytest.raises(InvalidSettings, match=r"access\.toml") as invalid:
        read(tmp_path, text)
    named = [line.split(": ", 1)[1].partition(" = ")[0] for line in str(invalid.value).splitlines()]
    assert named == [
        "odic",
        "oidc.audiences",
        "oidc.client_id",
        "oidc.unit_claim",
        "oidc.audience",
        "oidc.roles_claim",
        'oidc.roles."ward"',
        "oidc.issuer",
        "oidc.service",
    ]
    assert "clinician, data scientist, auditor, administrator" in str(invalid.value)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('[oidc.roles]\noncology-ward = "clinician"\nrevision = "auditor"\n', "", "oidc.roles"),
        ('service = "https://risk.hospital.example"\n', "", "both, so that browsers can sign in, or neither"),
        ("[oidc]", "[oidc", "no TOML"),
        (GOOD, "oidc = 3\n", "oidc = 3: allowed is a table"),
        ('"clinician"', '["clinician"]', "oncology-ward"),
        ('"secret"', '"empty"', "client_secret_file is empty"),
        ("/realms/staff", "/realms/staff?x=1", "without query"),
    ],
    ids=range(7),
)
def test_a_file_with_a_fault_is_not_used(tmp_path: Path, old: str, new: str, fault: str) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    assert old in GOOD
    with pytest.raises(InvalidSettings, match=fault):
        read(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize("url", ["https://id.example", "https://id.example:8443/a?b=c", "http://127.0.0.1:80/x", "http://[::1]/"])
def test_what_may_be_asked(url: str) -> None:
    assert reachable(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example",
        "http://127.0.0.1.id.example",
        "https://a@id.example",
        "https://id.example#x",
        "https://id.example:port",
        "https://[id.example",
        "ftp://127.0.0.1",
        "https://id.exa mple",
        "https://id.example\n",
        "//id.example",
        "",
    ],
)
def test_what_may_not_be_asked(url: str) -> None:
    assert not reachable(url)
