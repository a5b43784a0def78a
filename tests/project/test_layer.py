"""The layer as `sam build` makes it, for either architecture."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from local.containers import ARCHITECTURE
from local.environment import ROOT

# e_machine of the ELF header
MACHINES = {"x86_64": 62, "arm64": 183}
UNCHECKED_HASH = 1
LIMIT = 25 * 1024 * 1024
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(
    not (shutil.which("python3.13", path=BIN) and shutil.which("uv", path=BIN)),
    reason="building the layer needs python3.13 and uv in the environment of the tests",
)


@pytest.fixture(scope="module", params=MACHINES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An architecture, and the layer's folder `python` for it."""
    artifacts = tmp_path_factory.mktemp(request.param)
    return request.param, _build(request.param, artifacts)


def _build(architecture: str, artifacts: Path) -> Path:
    environment = os.environ | {
        "ARCH": architecture,
        "ARTIFACTS_DIR": str(artifacts),
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    command = ["make", "--silent", "--directory", str(ROOT / "shared"), "build-SharedLayer"]
    subprocess.run(command, check=True, env=environment)
    return artifacts / "python"


def test_the_layer_is_small(built: tuple[str, Path]) -> None:
    _, folder = built
    assert sum(path.stat().st_size for path in folder.rglob("*")) < LIMIT


def test_compiled_modules_are_for_the_architecture_and_for_python_3_13(built: tuple[str, Path]) -> None:
    architecture, folder = built
    libraries = list(folder.rglob("*.so"))

    assert libraries
    for library in libraries:
        assert int.from_bytes(library.read_bytes()[18:20], "little") == MACHINES[architecture]
        assert ".cpython-313-" in library.name


def test_every_module_has_bytecode_that_is_not_checked_against_its_source(built: tuple[str, Path]) -> None:
    _, folder = built
    for source in folder.rglob("*.py"):
        bytecode = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        header = bytecode.read_bytes()[:8]
        assert header == MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little"), source


def test_nothing_in_the_layer_is_a_test_or_a_copy_of_what_the_runtime_has(built: tuple[str, Path]) -> None:
    _, folder = built
    names = {path.name.removesuffix(".py") for path in folder.iterdir() if not path.name.endswith("-info")}

    assert not [path for path in folder.rglob("*") if path.name in {"tests", "test"}]
    assert names.isdisjoint(set(_top_level_names("boto3")) | {"awslambdaric", "snapshot_restore_py", "simplejson"})
    assert "crm_services" in names


@pytest.mark.parametrize("built", [ARCHITECTURE], indirect=True)  # what this machine runs
def test_the_handlers_run_from_bytecode_alone(built: tuple[str, Path]) -> None:
    _, folder = built
    for source in folder.rglob("*.py"):
        source.write_text("raise RuntimeError('compiled anew')")

    # What the runtime brings along comes after the layer, as in Lambda.
    handlers = [path.stem for path in (ROOT / "functions").glob("*.py")]
    subprocess.run(
        [BIN / "python3.13", "-W", "error", "-c", f"import {', '.join(handlers)}"],
        check=True,
        env={
            "PYTHONPATH": f"{folder}:{ROOT / 'functions'}",
            "POWERTOOLS_SERVICE_NAME": "crm-hosting",
            "POWERTOOLS_METRICS_NAMESPACE": "CrmHosting",
        },
    )


def _top_level_names(name: str) -> Iterator[str]:
    """The modules of a distribution and of all that it requires."""
    try:
        found = distribution(name)
    except PackageNotFoundError:  # an extra that is not installed
        return
    for file in found.files or []:
        if file.suffix == ".py" and len(file.parts) <= 2:
            yield file.parts[0].removesuffix(".py")
    for requirement in found.requires or []:
        if "extra ==" not in requirement:
            yield from _top_level_names(requirement.partition(";")[0].split("[")[0].split("<")[0].split(">")[0])
