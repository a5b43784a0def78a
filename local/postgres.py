"""PostgreSQL as a child process in a folder: started, found, connected to, stopped."""

import fcntl
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pg8000.native import Connection, identifier

from crm_services.postgres.target import parse_database_url
from local import cluster

START_SECONDS = 60
STOP_SECONDS = 30


class InUse(Exception):
    """Another process runs the database in this folder."""


class DidNotStart(Exception):
    """PostgreSQL was not ready in time; the text is the end of its log."""


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL."""

    socket_directory: str
    port: int = 5432

    def url(self, database: str, user: str = "crm", host: str | None = None) -> str:
        """The URL of a database: through the unix socket, or over TCP where a host is named."""
        if host:
            return f"postgresql://{user}@{host}:{self.port}/{database}?sslmode=disable"
        port = "" if self.port == 5432 else f"&port={self.port}"
        return f"postgresql://{user}@/{database}?host={quote(self.socket_directory)}{port}"


@contextmanager
def server(
    directory: Path | str,
    options: Mapping[str, str] | None = None,
    listen: str | None = None,
    port: int = 5432,
) -> Iterator[Server]:
    """Run PostgreSQL in the folder until the block ends; the first time creates the cluster.

    It listens on a unix socket that only this user can reach, and on the IP addresses of `listen`
    (`127.0.0.1,172.17.0.1` for containers), each open to its own network without a password.
    """
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / "data"
    with _only_one(directory), cluster.socket_directory(data) as sockets:
        cluster.stop_orphan(data)
        cluster.create(data)
        cluster.trust(data, listen)
        settings = {
            "listen_addresses": listen or "",
            "unix_socket_directories": '"' + sockets.replace('"', '""') + '"',
            "port": str(port),
            "timezone": "UTC",
            **(options or {}),
        }
        with _postmaster(data, settings):
            yield Server(sockets, port)


def running(directory: Path | str) -> Server | None:
    """The server that another process runs in this folder, if there is one and it is ready."""
    directory = Path(directory).resolve()
    if not directory.exists():
        return None
    try:
        with _only_one(directory):
            return None
    except InUse:
        facts = cluster.pid_file(directory / "data")
        return Server(facts[4], int(facts[3])) if facts[7:] == ["ready"] else None


def connect(url: str) -> Connection:
    """A plain connection, for what the CRM itself would do."""
    target = parse_database_url(url)
    return Connection(
        target.user,
        host=target.host,
        port=target.port,
        database=target.database,
        password=target.password,
        unix_sock=target.socket_path,
        # The driver's own takes 20 ms to read the system's authorities, also where nothing is encrypted.
        ssl_context=False if target.socket_path else None,
    )


def create_database(server: Server, name: str, owner: str = "crm", template: str = "template1") -> None:
    """Create a database, and its owner as a real CRM has it: may create roles, is no superuser."""
    with connect(server.url("postgres", "postgres")) as db:
        if not db.run("select from pg_roles where rolname = :owner", owner=owner):
            db.run(f"create role {identifier(owner)} login createrole")
        db.run(f"create database {identifier(name)} owner {identifier(owner)} template {identifier(template)}")


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    # A lock of this process alone: forked workers that outlive a kill -9 do not hold it.
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InUse(f"Another process runs the database in {directory}.") from None
        yield


@contextmanager
def _postmaster(data: Path, settings: Mapping[str, str]) -> Iterator[None]:
    log = data / "server.log"
    with log.open("wb") as output:
        # In a session of its own Ctrl-C does not reach it: it stops when all others are done.
        process = subprocess.Popen(
            cluster.command("postgres", data)
            + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **cluster.unprivileged(),
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not cluster.is_ready(data, process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(log.read_text(errors="replace")[-2000:])
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
