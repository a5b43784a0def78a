"""The login at the database: the password goes to a server that proves who it is, and a refusal is understood."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crm_services.base import tls
from crm_services.base.errors import QueryFailed, Unavailable
from crm_services.postgres.connecting import connect
from crm_services.postgres.target import DatabaseTarget
from tests.support.authorities import Authority, Credentials

USER = "crm_hosting"
# PostgreSQL's answer to a login that it refuses.
REFUSED = b"E" + (4 + 7 + 1).to_bytes(4) + b"C28P01\0" + b"\0"


def context_of(directory: Path, credentials: Credentials) -> ssl.SSLContext:
    """A server's side of TLS."""
    path = directory / "server.pem"
    path.write_bytes(credentials.key + credentials.chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@dataclass
class Listener:
    """A server that keeps what it was told, in the clear and under TLS."""

    port: int = 0
    in_the_clear: bytes = b""
    under_tls: bytes = field(default=b"")


@contextmanager
def listening(context: ssl.SSLContext | None) -> Iterator[Listener]:
    """A PostgreSQL as far as its door: offers TLS (or, without a context, refuses it) and refuses the login."""
    listener, server = Listener(), socket.create_server(("127.0.0.1", 0))
    listener.port = server.getsockname()[1]

    def serve() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            connection.settimeout(5)
            connection.recv(8)
            connection.sendall(b"S" if context else b"N")
            if context:
                connection = context.wrap_socket(connection, server_side=True)
                listener.under_tls = connection.recv(1000)
                connection.sendall(REFUSED)
            else:
                listener.in_the_clear = connection.recv(1000)
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener
    finally:
        server.close()
        thread.join()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that this machine trusts."""
    authority = Authority()
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    forget()
    yield authority
    forget()


def forget() -> None:
    """Read the certificates anew."""
    tls.tls_context.cache_clear()
    tls.database_tls_context.cache_clear()


def login(listener: Listener) -> None:
    connect(DatabaseTarget(USER, "hunter2", "crm", "localhost", listener.port))


def test_a_server_that_proves_who_it_is_is_spoken_to(authority: Authority, tmp_path: Path) -> None:
    with listening(context_of(tmp_path, authority.server("localhost"))) as listener:
        with pytest.raises(QueryFailed) as failure:
            login(listener)
        assert failure.value.sqlstate == "28P01"
    assert USER.encode() in listener.under_tls


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("another host", "is another host's"),
        ("expired", "has expired"),
        ("unknown authority", "is of an unknown authority"),
    ],
)
def test_one_that_does_not_learns_nothing(authority: Authority, tmp_path: Path, flaw: str, reason: str) -> None:
    flawed = {
        "another host": lambda: authority.server("db.evil.example"),
        "expired": lambda: authority.server("localhost", days=1),
        "unknown authority": lambda: Authority().server("localhost"),
    }[flaw]()

    with listening(context_of(tmp_path, flawed)) as listener, pytest.raises(Unavailable) as failure:
        login(listener)

    assert failure.value.fields == {"reason": f"TLS: the certificate {reason}"}
    assert (listener.under_tls, listener.in_the_clear) == (b"", b"")


def test_one_that_will_not_speak_tls_learns_nothing(authority: Authority) -> None:
    with listening(None) as listener, pytest.raises(Unavailable):
        login(listener)

    assert listener.in_the_clear == b""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver's unsent goodbye
def test_a_refusal_is_understood_though_the_server_has_hung_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / ".s.PGSQL.5432"))
        server.listen()

        def refuse() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.shutdown(socket.SHUT_RD)  # what the driver writes from here on fails
            connection.sendall(REFUSED)
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(QueryFailed) as failure:
            connect(DatabaseTarget(USER, "hunter2", "crm", str(tmp_path), sslmode="disable"))
        thread.join()

    assert failure.value.sqlstate == "28P01"
