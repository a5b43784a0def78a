"""HTTP for the answers of strangers: nothing they send can take longer, weigh more or lead elsewhere than we allow.

The standard library's client, because what matters here no library of a few hundred kilobytes would add: its timeouts,
too, start anew with each byte, and none of them ends a body that never ends.
"""

import io
import random
import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from crm_services.base.errors import AppError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Patience:
    """How long one source is waited for (seconds), how often it is asked, and how much it may answer (bytes)."""

    in_all: float = 30
    attempt: float = 5
    attempts: int = 3
    pause: float = 0.5
    largest_body: int = 64 * 1024


class Unusable(AppError):
    """A source gave no usable answer; `str()` says why in our words, never in its."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.args = (reason,)


class _TryAgain(Unusable):
    """Another attempt may succeed, after that many seconds if the source named any."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Source:
    """One API, by its base URL; its time begins with the first question."""

    def __init__(self, base_url: str, patience: Patience) -> None:
        parts = urlsplit(base_url)
        self.host = parts.hostname or ""
        self._scheme = parts.scheme
        self._port = parts.port
        self._path = parts.path.rstrip("/")
        self._patience = patience
        self._deadline: float | None = None

    def get(self, path: str) -> bytes:
        """The body of a 200 answer; raises Unusable when there is none in time."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._patience.in_all
        attempt = 1
        while True:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise Unusable("no time left")
            try:
                return self._ask(self._path + path, min(left, self._patience.attempt))
            except _TryAgain as failure:
                # Longer each time, and half of it by chance: those who failed together do not come back together.
                pause = failure.after or self._patience.pause * 2**attempt * random.uniform(0.5, 1)  # noqa: S311
                if attempt == self._patience.attempts or pause >= self._deadline - time.monotonic():
                    raise
            time.sleep(pause)
            attempt += 1

    def _ask(self, path: str, seconds: float) -> bytes:
        try:
            with closing(self._connection(seconds)) as connection:
                connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "crm-hosting"})
                return self._body(connection.getresponse())
        except ssl.SSLCertVerificationError:
            raise Unusable("certificate not trusted") from None
        except TimeoutError:
            raise _TryAgain("too slow") from None
        except (OSError, HTTPException) as error:
            raise _TryAgain(type(error).__name__) from None

    def _connection(self, seconds: float) -> HTTPConnection:
        connection: HTTPConnection
        if self._scheme == "https":
            context = ssl.create_default_context()
            connection = HTTPSConnection(self.host, self._port, timeout=seconds, context=context)
        elif self._scheme == "http" and self.host in LOOPBACK:
            connection = HTTPConnection(self.host, self._port, timeout=seconds)
        else:
            raise Unusable("not https")
        deadline = time.monotonic() + seconds
        connection.response_class = partial(_Response, deadline=deadline)  # type: ignore[assignment]
        return connection

    def _body(self, response: HTTPResponse) -> bytes:
        status = response.status
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _TryAgain(f"status {status}", _seconds(response.headers.get("Retry-After", "")))
        if status != HTTPStatus.OK:  # a redirect, too: whoever configured this host did not mean another
            raise Unusable(f"status {status}")
        if response.length is None and not response.chunked:
            raise Unusable("body of unknown length")  # whole or cut off: nobody could tell
        body = response.read(self._patience.largest_body + 1)
        if len(body) > self._patience.largest_body:
            raise Unusable("body too large")
        if response.length:
            raise _TryAgain("body cut off")
        return body


class _Response(HTTPResponse):
    """A response whose head and body are there by the deadline, however slowly they drip."""

    def __init__(self, connection: socket.socket, *arguments: Any, deadline: float, **named: Any) -> None:
        super().__init__(connection, *arguments, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Timed(connection, deadline))


class _Timed(io.RawIOBase):
    """A socket's bytes until the deadline."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb", buffering=0)  # keeps the socket open until this is closed
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _seconds(retry_after: str) -> float | None:
    """What `Retry-After` asks for, a number of seconds or a date; None where it says neither."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
