"""A stranger between the bundle and PostgreSQL, who understands where a message ends, and meddles with one of them."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local.postgres import Server

Direction = Literal["to the server", "to the client"]
Pair = tuple[socket.socket, socket.socket]
# What becomes of the message: the pieces that are sent in its place, or the last of them and the end.
Meddling = Callable[[bytes], Iterable[bytes]]


class Cut(Exception):
    """Send this much, and hang up."""

    def __init__(self, sent: bytes) -> None:
        self.sent = sent


@dataclass
class Plan:
    """Meddle with the message of this number, counted in its direction from when the plan is made."""

    direction: Direction
    number: int
    meddling: Meddling
    is_done: bool = False


class Stranger:
    """Passes everything on, but for what `plan` says."""

    def __init__(self, folder: Path, behind: Server) -> None:
        self.server = Server(str(folder), behind.port)
        self._behind = behind
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f".s.PGSQL.{behind.port}"))
        self._listener.listen()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._lock = threading.Lock()
        self._half_done: set[Pair] = set()
        self._plan: Plan | None = None

    def plan(self, direction: Direction, number: int, meddling: Meddling) -> Plan:
        """Meddle with the message of that number from now on; the plan says whether there was one."""
        with self._lock:
            self._plan = Plan(direction, number, meddling)
            return self._plan

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the test is over
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{self._behind.socket_directory}/.s.PGSQL.{self._behind.port}")
            pair = (client, server)
            self._sockets += pair
            for near, far, direction in ((client, server, "to the server"), (server, client, "to the client")):
                thread = threading.Thread(target=self._pass_on, args=(pair, near, far, direction))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, pair: Pair, near: socket.socket, far: socket.socket, direction: Direction) -> None:
        with suppress(OSError, EOFError):
            is_first = direction == "to the server"  # it has no letter
            while True:
                message = _message(near, is_first)
                is_first = False
                for piece in self._meddled(message, direction):
                    far.sendall(piece)
        for end in (near, far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            is_last = pair in self._half_done
            self._half_done ^= {pair}
        if is_last:
            for end in pair:
                end.close()

    def _meddled(self, message: bytes, direction: Direction) -> Iterator[bytes]:
        with self._lock:
            plan = self._plan
            is_it = False
            if plan and plan.direction == direction and not plan.is_done:
                is_it = plan.is_done = plan.number == 0
                plan.number -= 1
        if not is_it:
            yield message
            return
        assert plan
        try:
            yield from plan.meddling(message)
        except Cut as cut:
            yield cut.sent
            raise EOFError from None


def _message(near: socket.socket, is_first: bool) -> bytes:
    letter = b"" if is_first else _exactly(near, 1)
    size = _exactly(near, 4)
    return letter + size + _exactly(near, int.from_bytes(size) - 4)


def _exactly(near: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = near.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


@contextmanager
def stranger(folder: Path, behind: Server) -> Iterator[Stranger]:
    """A stranger before the server until the block ends; its `server` is where clients go."""
    between = Stranger(folder, behind)
    between._threads[0].start()
    try:
        yield between
    finally:
        with suppress(OSError):
            between._listener.shutdown(socket.SHUT_RDWR)
        between._listener.close()
        for end in between._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in between._threads:
            thread.join()
        for end in between._sockets:
            end.close()


# ── What is done to a message ────────────────────────────────────────────────────────────────────────────────


def doubled(message: bytes) -> list[bytes]:
    return [message, message]


def dropped(_: bytes) -> list[bytes]:
    return []


def split(message: bytes) -> list[bytes]:
    """Byte by byte, as far as that is quick."""
    return [message[i : i + 1] for i in range(min(len(message), 50))] + [message[50:]]


def after(surplus: bytes) -> Meddling:
    """With something more behind it."""
    return lambda message: [message, surplus]


def before(surplus: bytes) -> Meddling:
    return lambda message: [surplus, message]


def delayed_double(message: bytes) -> Iterator[bytes]:
    """Once more when the answer to it may be under way."""
    yield message
    time.sleep(0.002)
    yield message


def cut(at: int) -> Meddling:
    def meddle(message: bytes) -> list[bytes]:
        raise Cut(message[:at])

    return meddle
