"""A new connection: the socket, TLS as libpq means it, the login; each failure says which step it was."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from typing import Any, Protocol

from pg8000.exceptions import DatabaseError

from crm_services.base.errors import AppError, QueryFailed, Unavailable
from crm_services.base.tls import database_tls_context, reason_of
from crm_services.postgres.connection import Connection, Failure
from crm_services.postgres.driver import Driver
from crm_services.postgres.failures import failure, login_failure
from crm_services.postgres.hearing import Row
from crm_services.postgres.target import DatabaseTarget

# All of it, from the name's look-up to the first question.
CONNECT_SECONDS = 4.0
# What a peer that has vanished without a word is found out by, where nobody waits for less.
KEEPALIVE = {"KEEPIDLE": 30, "KEEPINTVL": 10, "KEEPCNT": 3}

# What answers look like is ours to say; every pooler hands these five on. The others are the role's, or each
# transaction's.
PARAMETERS = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
}

TLS_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)
PLAIN, OFFERED, TLS = "plain", "if offered", "TLS"
# What is tried, in turn: https://www.postgresql.org/docs/current/libpq-ssl.html
WAYS = {"disable": (PLAIN,), "allow": (PLAIN, TLS), "prefer": (OFFERED, PLAIN)}


class Run(Protocol):
    """Runs a statement outside of a transaction of the bundle's, and returns its rows."""

    def __call__(self, sql: str, **parameters: object) -> list[Row]: ...


def connect(
    target: DatabaseTarget, until: float = inf, keeps_statements: bool = False, meaning: Failure = failure
) -> Connection:
    """A new connection; raises QueryFailed where the login is refused, Unavailable with the reason for all else."""
    deadline = min(time.monotonic() + CONNECT_SECONDS, until)
    *first, last = (PLAIN,) if target.socket_path else WAYS.get(target.sslmode, (TLS,))
    for way in first:
        try:
            return Connection(_login(target, way, deadline), keeps_statements, meaning)
        except (QueryFailed, Unavailable):
            if time.monotonic() >= deadline:
                raise
    return Connection(_login(target, last, deadline), keeps_statements, meaning)


@contextmanager
def session(target: DatabaseTarget) -> Iterator[Run]:
    """A connection of its own, for whoever needs more than transactions: the migration."""
    connection = connect(target)

    def run(sql: str, **parameters: object) -> list[Row]:
        if parameters:
            question = connection.ask(sql, parameters, inf)
        else:
            question = connection.say(sql, inf)
            connection.flush()
        return connection.rows(question)

    try:
        yield run
    finally:
        connection.close()


def _login(target: DatabaseTarget, way: str, deadline: float) -> Driver:
    connected: socket.socket | None = None
    try:
        with _step("connect"):
            connected = _socket(target, deadline)
        if way != PLAIN:
            with _step("TLS"):
                connected = _secured(connected, target, way, deadline)
        with _step("login"):
            return Driver(connected, target.user, target.password, target.database, PARAMETERS, deadline)
    except BaseException:
        if connected is not None:  # the driver lets go of it only where it was refused in order
            with suppress(OSError):
                connected.close()
        raise


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except AppError:
        raise
    except DatabaseError as error:
        raise login_failure(error.args[0]) from None
    except TimeoutError:
        raise Unavailable(reason=f"{name}: no answer in time") from None
    except Exception as error:  # a driver that is not answered as it expects raises anything
        reason = reason_of(error) if isinstance(error, ssl.SSLError) else type(error).__name__
        raise Unavailable(reason=f"{name}: {reason}") from None


def _socket(target: DatabaseTarget, deadline: float) -> socket.socket:
    if path := target.socket_path:
        return _reached(socket.AF_UNIX, path, deadline)
    with _step("look-up"):
        *others, last = _addresses(target, deadline)
    for before, (family, address) in enumerate(others):
        # An address that is silent takes no time from the next ones.
        share = (deadline - time.monotonic()) / (len(others) + 1 - before)
        with suppress(OSError):
            return _reached(family, address, time.monotonic() + share)
    return _reached(*last, deadline)


def _addresses(target: DatabaseTarget, deadline: float) -> list[tuple[int, Any]]:
    """Where the name leads. The resolver takes no limit, and waits ten seconds for each name server that is silent."""
    answers: list[list[tuple[int, Any]] | Exception] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.address or target.host, target.port, type=socket.SOCK_STREAM)
            answers.append([(family, address) for family, _, _, _, address in found])
        except Exception as error:
            answers.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(max(deadline - time.monotonic(), 0))
    if not answers:
        raise TimeoutError
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]


def _reached(family: int, address: Any, deadline: float) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        _limit(connection, deadline)
        connection.connect(address)
        if family != socket.AF_UNIX:
            # Without it whatever spans two segments takes 40 ms.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in KEEPALIVE.items():
                if option := getattr(socket, f"TCP_{name}", None):  # not every system has each
                    connection.setsockopt(socket.IPPROTO_TCP, option, value)
    except BaseException:
        connection.close()
        raise
    return connection


def _secured(plain: socket.socket, target: DatabaseTarget, way: str, deadline: float) -> socket.socket:
    _limit(plain, deadline)
    plain.sendall(TLS_REQUEST)
    match plain.recv(1):  # and not a byte more: what somebody has put behind it is no part of the TLS
        case b"S":
            _limit(plain, deadline)
            return database_tls_context(target.sslmode, target.sslrootcert).wrap_socket(
                plain, server_hostname=target.host
            )
        case b"N" if way == OFFERED:
            return plain
        case b"N":
            raise Unavailable(reason="TLS: the server has it switched off")
        case b"":
            raise Unavailable(reason="TLS: the server hung up")
    raise Unavailable(reason="TLS: not a PostgreSQL that knows of it")


def _limit(connection: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
