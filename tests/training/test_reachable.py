"""Whether MLflow answers is known before anything is trained, and its failure at the end loses nothing."""

import os
import socket
import threading
import time

import pytest
from mlflow.exceptions import MlflowException

from training.refused import NotSupported, NotTracked
from training.tracking import reachable
from training.tracking.mlflow_store import quiet
from training.tracking.reachable import require_reachable, saved_anyway


@pytest.fixture
def nobody_there():
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def silent():
    """The port of a server that accepts and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_server_that_is_not_there_is_known_at_once(nobody_there):
    began = time.perf_counter()
    with pytest.raises(NotSupported, match=f"MLflow at http://127.0.0.1:{nobody_there} does not answer .*: nothing was trained"):
        require_reachable(f"http://ann:secret@127.0.0.1:{nobody_there}")
    assert time.perf_counter() - began < 10


def test_a_server_that_never_answers_is_not_waited_for(silent, monkeypatch):
    monkeypatch.setitem(reachable._ASKED_ONCE, "MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    quiet()
    before, began = dict(os.environ), time.perf_counter()
    with pytest.raises(NotSupported, match="does not answer"):
        require_reachable(f"http://127.0.0.1:{silent}")
    assert time.perf_counter() - began < 10
    assert dict(os.environ) == before  # whoever asks later may be patient


def test_a_server_that_refuses_is_named_with_what_it_said():

    def answer(server):
        peer, _ = server.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        with pytest.raises(NotSupported, match=r"does not answer \(.*403"):
            require_reachable(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_an_sqlite_store_is_one_or_can_be_made(tmp_path):
    require_reachable(f"sqlite:///{tmp_path / 'new' / 'deep' / 'mlflow.db'}")
    assert list(tmp_path.iterdir()) == []  # asking makes nothing
    (tmp_path / "text").write_text("no database, and long enough to be seen as none" * 10)
    with pytest.raises(NotSupported, match="file is not a database"):
        require_reachable(f"sqlite:///{tmp_path / 'text'}")
    with pytest.raises(NotSupported, match=r"text is no folder that may be written to"):
        require_reachable(f"sqlite:///{tmp_path / 'text' / 'mlflow.db'}")


def test_a_database_without_a_driver_or_a_server_is_said_to_be_missing():
    with pytest.raises(NotSupported, match=r"MLflow at postgresql\+nodriver://host/db does not answer"):
        require_reachable("postgresql+nodriver://ann:secret@host/db")


@pytest.mark.parametrize("error", [MlflowException("first line of http://ann:secret@host\nmore"), ConnectionError("gone")])
def test_what_fails_at_the_end_says_where_the_artifact_is(tmp_path, error):
    why = r"^MLflow at http://host did not keep this run \(.*\); the artifact is saved: "
    with pytest.raises(NotTracked, match=why) as said, saved_anyway(tmp_path / "model", "abc", "http://ann:secret@host"):
        raise error
    assert str(said.value).endswith(f"{tmp_path / 'model'}, digest abc")
    assert "secret" not in str(said.value)
    assert "more" not in str(said.value)


def test_a_fault_of_our_own_is_not_blamed_on_mlflow(tmp_path):
    with pytest.raises(ZeroDivisionError, match="by zero"), saved_anyway(tmp_path, "abc", "http://host"):
        raise ZeroDivisionError("by zero")
