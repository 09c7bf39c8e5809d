"""How the service may be reached: never in the clear beyond this computer, never without keys, never by any name whatever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from serving.reaching import Reached

TLS = {"certificate": Path("c.pem"), "key": Path("k.pem")}
NAMED = {"names": ("scores.hospital.example",)}


def refused(dev: bool = False, database: bool = False, **changes: Any) -> str:
    return Reached(**{"host": "127.0.0.1", "port": 8000, **changes}).refused(dev=dev, database=database)


@pytest.mark.parametrize("changes", [
    {},
    {"host": "::1"},
    {"host": "localhost"},
    TLS,
    {"proxy": "127.0.0.1", **NAMED},
    {"host": "0.0.0.0", **NAMED, **TLS},
    {"host": "10.1.2.3", **NAMED, "proxy": "10.1.2.4"},
])
def test_loopback_tls_and_a_proxy_in_front_are_allowed(changes: dict[str, Any]) -> None:
    assert refused(**changes) == ""


@pytest.mark.parametrize(("changes", "said"), [
    ({"host": "0.0.0.0"}, "in the clear"),
    ({"host": "::", **NAMED}, "in the clear"),
    ({"host": "hospital.example", **NAMED}, "in the clear"),
    ({"host": "0.0.0.0", **TLS}, "by which name"),
    ({"host": "10.1.2.3", "proxy": "10.1.2.4"}, "by which name"),
    ({"certificate": Path("c.pem")}, "needs both"),
    ({"host": "0.0.0.0", **NAMED, "key": Path("k.pem")}, "needs both"),
    ({"proxy": "proxy.example"}, "'proxy.example' does not appear to be an IPv4 or IPv6 address"),
    ({"proxy": "*"}, "does not appear to be"),
    ({"proxy": "10.0.0.0/8"}, "does not appear to be"),
    ({"names": ("*",)}, "names no computer"),
    ({"workers": 2}, "PostgreSQL"),
    ({"workers": 0}, "allowed are 1 to 64"),
    ({"workers": 65, "database": True}, "allowed are 1 to 64"),
    ({"dev": True, "host": "0.0.0.0", **NAMED, **TLS}, "without keys"),
])
def test_what_is_not_is_refused_with_what_would_be(changes: dict[str, Any], said: str) -> None:
    assert said in refused(**changes)


def test_several_workers_write_into_postgresql() -> None:
    assert refused(workers=2, database=True) == ""


@pytest.mark.parametrize(("changes", "url"), [
    ({"host": "127.0.0.1"}, "http://127.0.0.1"), ({"host": "::1"}, "http://[::1]"), ({"host": "a.example", **TLS}, "https://a.example"),
])
def test_where_it_answers_is_said_as_an_address(changes: dict[str, Any], url: str) -> None:
    assert Reached(**{"port": 8000, **changes}).url == url
