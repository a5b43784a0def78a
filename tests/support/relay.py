"""A network that a test can break: a unix socket before a PostgreSQL's, which refuses, cuts, swallows and moves."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from local.postgres import Server

# `open`: all comes through. `refuse`: nobody can connect. `swallow`: what is sent is lost, and nobody says so.
State = Literal["open", "refuse", "swallow"]


class Relay:
    """Between clients and the server; `cut` ends what is connected, `state` says how it is from now on."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.server = Server(str(folder), server.port)
        self.behind = server
        self.state: State = "open"
        self._path = folder / f".s.PGSQL.{server.port}"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def cut(self) -> None:
        """End every connection there is, as a server that goes away does."""
        for pair in list(self._pairs):
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def become(self, state: State) -> None:
        """Be like that from now on, for those who are connected too."""
        self.state = state
        while self._path.exists() == (state == "refuse"):
            time.sleep(0.005)
        if state == "refuse":
            self.cut()

    def _serve(self) -> None:
        listener: socket.socket | None = None
        with selectors.DefaultSelector() as selector:
            while not self._ends.is_set():
                if listener is None and self.state != "refuse":
                    listener = socket.socket(socket.AF_UNIX)
                    listener.bind(str(self._path))
                    listener.listen()
                    selector.register(listener, selectors.EVENT_READ)
                elif listener is not None and self.state == "refuse":
                    selector.unregister(listener)
                    listener.close()
                    self._path.unlink()
                    listener = None
                for key, _ in selector.select(0.02):
                    if key.fileobj is listener and listener is not None:
                        self._accept(listener, selector)
                    else:
                        self._pass_on(key, selector)
            for end in (end for pair in self._pairs for end in pair):
                end.close()
            if listener is not None:
                listener.close()

    def _accept(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        client, _ = listener.accept()
        upstream = socket.socket(socket.AF_UNIX)
        try:
            upstream.connect(f"{self.behind.socket_directory}/.s.PGSQL.{self.behind.port}")
        except OSError:  # it is down, and so are we
            client.close()
            upstream.close()
            return
        self._pairs.append((client, upstream))
        selector.register(client, selectors.EVENT_READ, upstream)
        selector.register(upstream, selectors.EVENT_READ, client)

    def _pass_on(self, key: selectors.SelectorKey, selector: selectors.BaseSelector) -> None:
        near, far = key.fileobj, key.data
        assert isinstance(near, socket.socket)
        with suppress(OSError):
            data = near.recv(65536)
            if data and self.state != "swallow":
                far.sendall(data)
            if data:
                return
        for end in (near, far):
            with suppress(KeyError, ValueError):
                selector.unregister(end)
            end.close()
        self._pairs = [pair for pair in self._pairs if near not in pair]


@contextmanager
def relay(folder: Path, server: Server) -> Iterator[Relay]:
    """A relay before the server until the block ends; its `server` is where clients go."""
    between = Relay(folder, server)
    between._thread.start()
    between.become("open")
    try:
        yield between
    finally:
        between._ends.set()
        between._thread.join()
