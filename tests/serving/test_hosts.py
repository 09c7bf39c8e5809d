"""By which names the service may be asked, and by which it is not: another page's name for this computer's address is another."""

from __future__ import annotations

import pytest

from serving.hosts import Hosts


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.2:1", "[::1]", "[::1]:8000"])
def test_this_computers_own_names_are_allowed_on_loopback_alone(host: str) -> None:
    assert Hosts().allows(host.encode())
    assert not Hosts(["scores.hospital.example"], loopback=False).allows(host.encode())


@pytest.mark.parametrize("host", ["scores.hospital.example", "SCORES.hospital.Example:443", "10.1.2.3:8443", "[2001:db8::1]"])
def test_names_that_were_given_are_allowed_with_any_port(host: str) -> None:
    hosts = Hosts(["Scores.Hospital.example", "10.1.2.3", "2001:db8::1"], loopback=False)
    assert hosts.allows(host.encode())
    assert hosts.allows(host.encode())  # a second time it is known


@pytest.mark.parametrize("host", [
    "", ":8000", "evil.example", "localhost.evil.example", "scores.hospital.example.evil.example", "xscores.hospital.example",
    "scores.hospital.example:80:80", "scores.hospital.example@evil.example", "[::2]", "scores.hospital.example/x",
    "127.0.0.1.evil", "localhost\xff", "0.0.0.0",
])
def test_every_other_name_is_refused(host: str) -> None:
    assert not Hosts(["scores.hospital.example"]).allows(host.encode("latin-1"))


@pytest.mark.parametrize("name", ["", "https://x.example", "x.example:443", "*.example", "x_y", "-x.example", "x y", "x" * 300])
def test_what_names_no_computer_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no computer"):
        Hosts([name])


def test_whoever_asked_by_another_name_is_told_which_are_allowed() -> None:
    assert str(Hosts(["b.example", "a.example"])) == "a.example and b.example and localhost and loopback addresses"
