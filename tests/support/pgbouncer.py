"""Debian's PgBouncer in front of a test's server."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest

from crm_services.postgres.target import parse_database_url
from local import cluster
from local.postgres import Server, connect

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
PORT = 6432
START_SECONDS = 10
Mode = Literal["session", "transaction", "statement"]
CONFIGURATION = """
[databases]
* = host={server.host} port={server.port}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {pool_size}
admin_users = postgres
server_tls_sslmode = disable
"""

needs_pgbouncer = pytest.mark.skipif(not PROGRAM, reason="PgBouncer is not installed (apt-get install pgbouncer)")


@contextmanager
def pgbouncer(server: Server, mode: Mode, pool_size: int = 2) -> Iterator[Server]:
    """The server as its clients see it through PgBouncer, with as many connections a role and database as `pool_size`.

    It knows the roles that are there when it starts, and takes their word for who they are. `url("pgbouncer",
    "postgres")` is its console.
    """
    target = parse_database_url(server.url("postgres", "postgres"))
    with connect(server.url("postgres", "postgres")) as admin:
        roles = [row[0] for row in admin.run("select rolname from pg_roles where rolcanlogin")]
    with TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        (folder / "users").write_text("".join(f'"{role}" ""\n' for role in {*roles, "postgres"}))
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(server=target, port=PORT, folder=folder, mode=mode, pool_size=pool_size)
        )
        user = cluster.unprivileged()  # it refuses to run as root, as PostgreSQL does
        for path in (folder, *folder.iterdir()) if user else ():
            shutil.chown(path, user["user"], user["group"])
        with _running([str(PROGRAM), str(configuration)], folder):
            yield Server(name, PORT)


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **cluster.unprivileged())
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (folder / f".s.PGSQL.{PORT}").exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        yield
    finally:
        process.terminate()  # at once, whoever is connected
        process.wait()
