"""What the bundle uses of pg8000 that it does not promise: its login, its names for messages, its conversions.

pyproject.toml bounds the version, tests/postgres/test_driver.py holds what is relied on.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from math import inf
from typing import Any, NamedTuple

from pg8000.native import Connection, make_params, to_statement

# The longest message that is believed to be one: PostgreSQL's longest is 1 GB, the bundle's answers end at 6 MB.
LONGEST = 1 << 28

Column = Callable[[str], Any]


class BrokenProtocol(Exception):
    """What came is not what a server says here."""


class Stream:
    """A socket as the driver writes and reads it, but that it waits no longer than until `deadline`."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._said: list[bytes] = []
        self._heard = b""
        self._position = 0
        self.deadline = inf

    def write(self, data: bytes | bytearray) -> None:
        """Say it with the next `flush`."""
        self._said.append(bytes(data))

    def flush(self) -> None:
        """Send what was said."""
        said, self._said = b"".join(self._said), []
        self._wait()
        self._socket.sendall(said)

    def read(self, size: int) -> bytes:
        """So many bytes; raises TimeoutError at the deadline, ConnectionError where there are no more."""
        if not 0 <= size <= LONGEST:
            raise BrokenProtocol
        end = self._position + size
        if end > len(self._heard):
            pieces = [self._heard[self._position :]]
            missing = end - len(self._heard)
            while missing > 0:
                self._wait()
                piece = self._socket.recv(max(65536, min(missing, 1 << 20)))
                if not piece:
                    raise ConnectionError
                pieces.append(piece)
                missing -= len(piece)
            self._heard = b"".join(pieces)
            self._position, end = 0, size
        data = self._heard[self._position : end]
        self._position = end
        return data

    def has_more(self) -> bool:
        """Whether something has come that nobody has read, be it the end."""
        if self._position < len(self._heard):
            return True
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return bool(waiting.poll(0))

    def _wait(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(None if left == inf else left)


class Message(NamedTuple):
    """What the server says: its kind by the protocol's letter, and the rest."""

    kind: bytes
    body: bytes


class Driver(Connection):  # type: ignore[misc]
    """The driver's connection, of which nothing but the login is used; questions and answers are pieces here."""

    def __init__(  # noqa: PLR0913, PLR0917 (it is what a login takes)
        self,
        connected: socket.socket,
        user: str,
        password: str | None,
        database: str,
        parameters: Mapping[str, str],
        deadline: float,
    ) -> None:
        self._stream: Stream | None = None
        self._deadline = deadline
        super().__init__(
            user,
            password=password,
            database=database,
            sock=connected,
            ssl_context=False,
            application_name="crm-hosting",
            startup_params=dict(parameters),
        )

    @property
    def _sock(self) -> Stream | None:
        return self._stream

    @_sock.setter
    def _sock(self, made: Any) -> None:  # the driver's own stream knows no deadline
        if made is not None:
            made.close()
            self._stream = Stream(self._usock)
            self._stream.deadline = self._deadline

    @property
    def stream(self) -> Stream:
        """What is said and heard; raises ConnectionError after `close`."""
        if self._stream is None:
            raise ConnectionError
        return self._stream

    def close(self) -> None:
        """Say good-bye, if that takes no time, and let go of the socket."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        with suppress(OSError):
            self._usock.settimeout(0)
            self._usock.sendall(b"X\0\0\0\4")
        with suppress(OSError):
            self._usock.close()

    def say(self, kind: bytes, body: bytes = b"") -> None:
        """A message, with the next `flush`."""
        self.stream.write(kind + (len(body) + 4).to_bytes(4) + body)

    def receive(self) -> Message:
        """The next message that belongs to an answer."""
        while True:
            head = self.stream.read(5)
            body = self.stream.read(int.from_bytes(head[1:]) - 4)
            if head[:1] not in b"NSA":  # notices, settings that have changed, and what others notify of
                return Message(head[:1], body)

    def parameters(self, values: Sequence[object]) -> bytes:
        """The values as Bind takes them, each as text of its type."""
        body = bytearray(len(values).to_bytes(2))
        for value in make_params(self.py_types, values):
            if value is None:
                body += b"\xff\xff\xff\xff"
            else:
                text = value.encode()
                body += len(text).to_bytes(4) + text
        return bytes(body)

    def columns(self, body: bytes) -> list[Column]:
        """How to read each column that a RowDescription names."""
        described = _Description()
        self.handle_ROW_DESCRIPTION(body, described)
        return described.input_funcs


class _Description:
    rows: list[Any] | None = None
    columns: list[dict[str, Any]]
    input_funcs: list[Column]


def row(body: bytes, columns: Sequence[Column] | None) -> list[Any]:
    """The values of a DataRow; raises BrokenProtocol where it has others than these columns."""
    if columns is None or int.from_bytes(body[:2]) != len(columns):
        raise BrokenProtocol
    found: list[Any] = []
    position = 2
    for read in columns:
        size = int.from_bytes(body[position : position + 4], signed=True)
        position += 4
        if size < 0:
            found.append(None)
            continue
        found.append(read(str(body[position : position + size], "utf-8")))
        position += size
    if position != len(body):
        raise BrokenProtocol
    return found


def fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse, by the protocol's letters."""
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


@lru_cache(maxsize=256)
def parsed(sql: str) -> tuple[str, Callable[[Mapping[str, object]], tuple[object, ...]]]:
    """The statement with `$1` for its first `:name`, and what puts the parameters into that order."""
    statement, values = to_statement(sql)
    return statement, values
