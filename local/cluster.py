"""The folder of a PostgreSQL cluster: made once, entered by an unprivileged user, found again."""

import ipaddress
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from local import servers

INITDB = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
# lower() and the order of text are the same on every machine, whatever language it speaks.
BUILTIN_LOCALE = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
# PostgreSQL has had that of its own since 17; before, the C library's comes closest.
LIBRARY_LOCALE = ["--locale=C.UTF-8"]
# A socket's path holds 103 bytes on macOS, 107 on Linux.
LONGEST_SOCKET_DIRECTORY = 103 - len("/.s.PGSQL.65535")
# The networks that a container's bridge has are of this size.
BRIDGE_PREFIX = 16


def command(program: str, data: Path) -> list[str]:
    """The start of a command line of one of PostgreSQL's programs."""
    return [str(servers.programs() / program), "-D", str(data)]


def unprivileged() -> dict[str, Any]:
    """The user to run PostgreSQL as, which refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def create(data: Path) -> None:
    """Make the cluster, unless it is there; it appears complete or not at all."""
    programs = servers.programs()
    _open_the_way(programs)
    _open_the_way(data)
    if data.exists():
        return
    unfinished = data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if user := unprivileged():
        os.chown(unfinished, user["user"], user["group"])
    locale = BUILTIN_LOCALE if servers.version(programs) >= 17 else LIBRARY_LOCALE
    initdb = [*command("initdb", unfinished), *INITDB, *locale]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **unprivileged())
    unfinished.rename(data)


def trust(data: Path, listen: str | None) -> None:
    """Let in whoever reaches the socket, this machine, and the networks that are listened to."""
    rules = ["local all all trust"]
    for address in filter(None, (listen or "").replace(" ", "").split(",")):
        ip = ipaddress.ip_address(address)
        prefix = ip.max_prefixlen if ip.is_loopback else BRIDGE_PREFIX
        rules.append(f"host all all {ipaddress.ip_network((address, prefix), strict=False)} trust")
    (data / "pg_hba.conf").write_text("\n".join(rules) + "\n")


@contextmanager
def socket_directory(data: Path) -> Iterator[str]:
    """A folder for the socket: the cluster's own, or a temporary one where its path is too long."""
    if len(os.fsencode(data)) <= LONGEST_SOCKET_DIRECTORY:
        yield str(data)
        return
    with tempfile.TemporaryDirectory(prefix="crm-", ignore_cleanup_errors=True) as directory:
        if user := unprivileged():
            os.chown(directory, user["user"], user["group"])
        yield directory


def pid_file(data: Path) -> list[str]:
    """What a running server says of itself: pid, data, start, port, socket, address, memory, state."""
    with suppress(FileNotFoundError):
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    return []


def is_ready(data: Path, pid: int) -> bool:
    """Whether the server with that pid takes connections by now."""
    facts = pid_file(data)
    return facts[:1] == [str(pid)] and facts[7:] == ["ready"]


def stop_orphan(data: Path) -> None:
    """Stop the server of a process that was killed, and forget one that is gone with its machine."""
    if not (facts := pid_file(data)):
        return
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(facts[0]))
        if str(data) in process.cmdline():
            process.send_signal(signal.SIGINT)
            process.wait(30)
    # A process of another kind may have the number by now, and PostgreSQL would take it for a server.
    (data / "postmaster.pid").unlink(missing_ok=True)


def _open_the_way(path: Path) -> None:
    # As root only: the unprivileged user has to pass the folders above, though not to read them.
    if unprivileged():
        for folder in path.resolve().parents:
            mode = folder.stat().st_mode
            if mode & 0o011 != 0o011:
                folder.chmod(mode | 0o011)
