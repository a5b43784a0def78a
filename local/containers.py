"""What containers on this machine need to run the functions: an engine, a base image, a way to the database."""

import json
import platform
import shutil
import socket
import subprocess
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from local.environment import ROOT

ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
BUILT = ROOT / ".aws-sam" / "build"
# The name by which a container finds this machine.
HOST = "host.docker.internal"


class Missing(Exception):
    """Something that has to be installed, started or built first; the text says what."""


def require_docker() -> None:
    """Fail with what is missing, unless a Docker engine answers."""
    if not shutil.which("docker"):
        raise Missing("Docker is needed to run functions in containers, and is not installed. `make run` needs none.")
    if _docker("info").returncode:
        raise Missing("Docker is installed, but its engine does not answer: start it. `make run` needs none.")


def listen_addresses() -> str:
    """The addresses on which a server of this machine is reached from containers."""
    # Docker Desktop forwards to the loopback address and has no bridge here.
    bridge = psutil.net_if_addrs().get("docker0", [])
    return ",".join(["127.0.0.1", *(one.address for one in bridge if one.family == socket.AF_INET)])


def options(variables: dict[str, dict[str, str]], directory: Path) -> list[str]:
    """The options that every `sam local` command takes: what it runs, on which image, with which environment."""
    if not (BUILT / "template.yaml").exists():
        raise Missing("Nothing is built yet: `make build`.")
    environment = directory / "environment.json"
    environment.write_text(json.dumps(variables))
    return [
        *("--template", str(BUILT / "template.yaml")),
        *("--parameter-overrides", f"Architecture={ARCHITECTURE}"),
        *("--env-vars", str(environment)),
        *("--add-host", f"{HOST}:host-gateway"),
        *(["--skip-pull-image"] if not _docker("image", "inspect", IMAGE).returncode else []),
    ]


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
