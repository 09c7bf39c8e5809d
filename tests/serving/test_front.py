"""Every answer is protected and told, whoever gave it; names and proxies are believed as far as was said, and TLS is TLS."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serving.protection import HEADERS

NAME = "scores.hospital.example"
HASTY = "from serving import body, connection, http_server\nbody.BODY_SECONDS = http_server.HEAD_SECONDS = 0.5"
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
PATIENT: dict[str, Any] = {
    "id": "p-1",
    "as_of": "2026-03-31",
    "age_years": 61,
    "tumour": "pancreatic",
    "measurements": [{"analyte": "albumin", "value": 36, "unit": "g/L", "date": "2026-03-30"}],
}


class Service(Protocol):
    """What the fixture `serving` starts."""

    port: int
    process: Any
    said: bytes

    def ask(self, method: str, path: str, body: object = None, headers: Any = ...) -> tuple[int, dict[str, str], bytes]: ...

    def raw(self, sent: bytes, patience: float = 30.0) -> bytes: ...


Starting = Callable[..., Service]


@pytest.fixture(scope="module")
def service(serving: Starting) -> Service:
    return serving("--allow-host", NAME, "--behind-proxy", "127.0.0.1", before=HASTY)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (GET, 200),
        (GET.replace(b"/livez", b"/metrics"), 200),
        (GET.replace(b"/livez", b"/nowhere"), 404),
        (GET.replace(b"GET", b"DELETE"), 405),
        (GET.replace(b"localhost", b"evil.example"), 400),
        (GET.replace(b"\r\n\r\n", b"\r\nA: " + b"a" * 20_000 + b"\r\n\r\n"), 431),
        (b"no HTTP\r\n\r\n", 400),
        (b"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{", 408),
    ],
)
def test_every_answer_is_protected_and_not_to_be_stored(service: Service, sent: bytes, status: int) -> None:
    lines = service.raw(sent).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert int(lines[0].split()[1]) == status
    headers = [line.partition(": ")[::2] for line in lines[1:]]
    of = {name.lower(): value for name, value in headers}
    assert len(of) == len(headers)  # nothing is said twice
    assert {name: of.get(name) for name, _ in HEADERS} == dict(HEADERS)
    assert of["cache-control"] == "no-store"
    assert not {"server", "access-control-allow-origin", "strict-transport-security", "x-powered-by"} & set(of)


def test_metrics_tell_what_was_asked_and_how_often(service: Service) -> None:
    assert service.ask("POST", "/v1/scores", PATIENT)[0] in (200, 422)
    service.ask("GET", "/patients/MRN73190?name=Plantagenet")
    told = service.ask("GET", "/metrics")[2].decode()
    assert 'lymphorisk_requests_total{method="POST",route="/v1/scores",status="' in told
    assert 'lymphorisk_requests_total{method="GET",route="unknown",status="404"}' in told
    assert "lymphorisk_receipts_group_count" in told
    assert not any(planted in told for planted in ("MRN73190", "Plantagenet", "p-1", "dev"))


def test_the_policy_lets_nothing_run_that_is_not_ours() -> None:
    policy = dict(part.split(" ", 1) for part in dict(HEADERS)["content-security-policy"].split("; "))
    assert policy.pop("img-src") == "'self' data:"
    nothing = {name for name, value in policy.items() if value == "'none'"}
    assert nothing == {"default-src", "frame-ancestors", "base-uri"}
    assert {value for name, value in policy.items() if name not in nothing} == {"'self'"}


def test_a_name_that_was_allowed_is_answered(service: Service) -> None:
    assert service.ask("GET", "/livez", headers={"Host": NAME})[0] == 200
    assert service.ask("GET", "/livez", headers={"Host": f"x.{NAME}"})[0] == 400


def test_of_the_proxy_in_front_it_is_believed_that_the_browser_came_over_tls(service: Service, serving: Starting) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    assert "strict-transport-security" in service.ask("GET", "/livez", headers=said)[1]
    elsewhere = serving("--allow-host", NAME, "--behind-proxy", "192.0.2.1")
    assert "strict-transport-security" not in elsewhere.ask("GET", "/livez", headers=said)[1]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1))
    signed = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False).sign(key, hashes.SHA256())
    (folder / "c.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "k.pem").write_bytes(key.private_bytes(*private))
    return folder / "c.pem", folder / "k.pem"


def over_tls(port: int, certificate: Path, most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> tuple[bytes, str]:
    """The answer to a request over TLS, and the version spoken."""
    context = ssl.create_default_context(cafile=certificate)
    context.maximum_version = most
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname="localhost") as safe:
        safe.sendall(GET)
        found = b""
        while piece := safe.recv(65536):
            found += piece
        return found, safe.version() or ""


def test_over_tls_it_answers_and_wants_to_be_asked_so_again(serving: Starting, certified: tuple[Path, Path]) -> None:
    service = serving("--tls-certificate", certified[0], "--tls-key", certified[1], before=HASTY)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        found, spoken = over_tls(service.port, certified[0], version)
        assert found.startswith(b"HTTP/1.1 200 ")
        assert b"strict-transport-security: max-age=31536000" in found.lower()
        assert spoken == version.name.replace("_", ".")
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as silent:
        assert silent.recv(1) == b""  # a handshake that does not come is not waited for
    assert time.monotonic() - began < 5

