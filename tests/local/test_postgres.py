import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.postgres import DidNotStart, connect, create_database, running, server

FAST = {"fsync": "off"}
CRASH = """
import os, signal, sys
from local.postgres import server
with server(sys.argv[1]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "postgres"


def pid(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().split()[0])


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_server_stops_with_the_block_and_keeps_its_data(directory: Path) -> None:
    with server(directory, FAST) as first:
        create_database(first, "crm")
        process = pid(directory)
    assert not is_alive(process)

    with server(directory, FAST) as second, connect(second.url("crm")) as db:
        assert db.run("select current_database(), current_user") == [["crm", "crm"]]


def test_it_stops_when_the_block_fails(directory: Path) -> None:
    block = server(directory, FAST)
    block.__enter__()
    process = pid(directory)

    assert not block.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

    assert not is_alive(process)


def test_the_owner_may_create_roles_but_is_no_superuser(directory: Path) -> None:
    with server(directory, FAST) as running_server:
        create_database(running_server, "crm")
        with connect(running_server.url("crm")) as db:
            [[superuser, roles]] = db.run("select rolsuper, rolcreaterole from pg_roles where rolname = current_user")
    assert (superuser, roles) == (False, True)


def test_lower_case_and_the_order_of_text_are_the_same_whatever_the_machine_speaks(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    with server(directory, FAST) as turkish:
        create_database(turkish, "crm")
        with connect(turkish.url("crm")) as db:
            assert db.run("select lower('IÄ'), array(select unnest(array['ä', 'b', 'Z', 'a']) order by 1)") == [
                ["iä", ["Z", "a", "b", "ä"]]
            ]


def test_options_are_the_servers_settings(directory: Path) -> None:
    with server(directory, FAST | {"max_connections": "17"}) as tuned, connect(tuned.url("postgres", "postgres")) as db:
        assert db.run("show max_connections") == [["17"]]
        assert db.run("show fsync") == [["off"]]


def test_a_setting_that_postgresql_refuses_is_told(directory: Path) -> None:
    with pytest.raises(DidNotStart, match="no_such_setting"), server(directory, {"no_such_setting": "1"}):
        pass


def test_a_deep_folder_with_an_odd_name_is_no_obstacle(directory: Path) -> None:
    deep = directory / 'it\'s "odd", $HOME' / ("x" * 100)
    with server(deep, FAST) as buried, connect(buried.url("postgres", "postgres")) as db:
        assert db.run("select 1") == [[1]]
        sockets = Path(buried.socket_directory)
        assert sockets.exists()
    assert not sockets.exists()


def test_one_folder_has_one_server_and_others_find_it(directory: Path) -> None:
    assert running(directory) is None
    with server(directory, FAST) as first:
        code = (
            "import sys; from local.postgres import InUse, running, server\n"
            "print(running(sys.argv[1]).url('crm'))\n"
            "try:\n    server(sys.argv[1]).__enter__()\nexcept InUse as error:\n    print(error)"
        )
        found, refused = python(code, directory).stdout.splitlines()
        assert found == first.url("crm")
        assert "Another process" in refused
    assert running(directory) is None


def test_the_server_of_a_process_that_was_killed_is_taken_over(directory: Path) -> None:
    assert python(CRASH, directory).returncode == -signal.SIGKILL
    orphan = pid(directory)
    assert is_alive(orphan)

    with server(directory, FAST) as recovered, connect(recovered.url("postgres", "postgres")) as db:
        assert db.run("select 1") == [[1]]
        assert pid(directory) != orphan
    assert not is_alive(orphan)


def test_a_pid_file_of_a_process_of_another_kind_is_no_obstacle(directory: Path) -> None:
    with server(directory, FAST):
        lines = (directory / "data" / "postmaster.pid").read_text().splitlines()
    (directory / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    with server(directory, FAST) as started, connect(started.url("postgres", "postgres")) as db:
        assert db.run("select 1") == [[1]]


def test_a_creation_that_was_broken_off_is_repeated(directory: Path) -> None:
    (directory / "unfinished").mkdir(parents=True)
    (directory / "unfinished" / "PG_VERSION").write_text("18")

    with server(directory, FAST) as started, connect(started.url("postgres", "postgres")) as db:
        assert db.run("select 1") == [[1]]


def test_containers_reach_it_over_tcp(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with server(directory, FAST, listen="127.0.0.1", port=port) as listening:
        with connect(listening.url("postgres", "postgres", host="127.0.0.1")) as db:
            assert db.run("select host(inet_server_addr())") == [["127.0.0.1"]]
        with connect(listening.url("postgres", "postgres")) as db:
            assert db.run("select inet_server_addr()") == [[None]]
        rules = (directory / "data" / "pg_hba.conf").read_text()
    assert rules == "local all all trust\nhost all all 127.0.0.1/32 trust\n"


def python(code: str, directory: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-c", code, str(directory)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
