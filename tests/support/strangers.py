"""The internet on this machine: a real HTTP server whose answers a test decides, down to the byte that is missing."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

from crm_services.market.web import Patience

# Long enough for a good answer on a busy machine, and as short as that allows for one that is not to come.
PATIENCE = Patience(in_all=20, attempt=5, attempts=2, pause=0.01)
HASTE = replace(PATIENCE, attempt=0.5)

Answer = Callable[[socket.socket], None]


class Stranger(ThreadingTCPServer):
    """Sends `answers[path]`, and remembers in `asked` what it was asked for."""

    allow_reuse_address = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.tls = tls
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """The base URL, below which the paths are."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_address[1]}/api"


class _Conversation(BaseRequestHandler):
    server: Stranger

    def handle(self) -> None:
        connection: socket.socket = self.request
        with suppress(OSError):  # the client hung up, or does not trust us
            if self.server.tls:
                connection = self.server.tls.wrap_socket(connection, server_side=True)
            with connection:
                path = _path(connection)
                self.server.asked.append(path)
                self.server.answers.get(path, answer("Not Found", "404 Not Found"))(connection)


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Stranger]:
    """A stranger until the block ends."""
    with Stranger(tls) as stranger:
        thread = Thread(target=stranger.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stranger
        finally:
            stranger.shutdown()
            thread.join()


def _path(connection: socket.socket) -> str:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    return request.split(b" ")[1].decode().removeprefix("/api")


def answer(body: str, status: str = "200 OK", **headers: str) -> Answer:
    """What a server of good manners sends; `retry_after="1"` becomes the header Retry-After."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return raw(head(status, **fields) + body.encode())


def raw(message: bytes) -> Answer:
    """These bytes, and goodbye."""
    return lambda connection: connection.sendall(message)


def one_after_another(*answers: Answer) -> Answer:
    """A different answer each time, the last of them from then on."""
    left = list(answers)

    def next_one(connection: socket.socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection)

    return next_one


def silence(connection: socket.socket) -> None:
    """Nothing, until the client hangs up."""
    connection.recv(1)


def drip(beginning: bytes, drop: bytes) -> Answer:
    """A beginning, and then drops without end, each before anybody's patience for a single read is over."""

    def dripping(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while True:
            connection.sendall(drop)
            time.sleep(0.01)

    return dripping


def flood(beginning: bytes, wave: bytes) -> Answer:
    """A beginning, and then as much as the client will take."""

    def flooding(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while True:
            connection.sendall(wave)

    return flooding


def head(status: str = "200 OK", **fields: str) -> bytes:
    """A response up to its body."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode()
