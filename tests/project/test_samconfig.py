"""What `sam deploy --config-env …` is told, and by whom; and what CI for people runs."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from samcli.cli.types import CfnParameterOverridesType

from local.environment import ROOT
from tests.support.deployed import TEMPLATE

EXAMPLE = ROOT / "docs" / "parameters.example.yaml"
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def _parameters() -> dict[str, dict[str, Any]]:
    text = re.sub(r"!\w+ ", "", TEMPLATE.read_text(encoding="utf-8").partition("\nConditions:")[0])
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["Parameters"]
    return found


@pytest.fixture(params=["dev", "prod"])
def overrides(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The parameters of a deployment, as SAM itself puts them together, with the example for the deployer's file."""
    shutil.copy(EXAMPLE, tmp_path / f"{request.param}.parameters.yaml")
    monkeypatch.chdir(tmp_path)
    given = CONFIG[request.param]["deploy"]["parameters"]["parameter_overrides"]
    found: dict[str, str] = CfnParameterOverridesType().convert(given, None, None)
    return found


def test_a_deployment_knows_every_parameter_that_has_no_default(overrides: dict[str, str]) -> None:
    without_default = {name for name, one in _parameters().items() if "Default" not in one}

    assert without_default <= set(overrides) <= set(_parameters())
    assert overrides["Architecture"] == "arm64"


def test_the_deployer_s_file_holds_nothing_but_names_of_his_own() -> None:
    decided_here = {"Architecture", "LinkScope"}
    own = {name for name, one in _parameters().items() if "Default" not in one} - decided_here

    assert own <= set(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))) <= own | {"DatabaseName", "AlarmEmail"}


def test_a_production_links_within_the_tenant_alone() -> None:
    assert "LinkScope=tenant" in CONFIG["prod"]["deploy"]["parameters"]["parameter_overrides"]


def test_a_bare_build_is_for_the_architecture_that_is_deployed() -> None:
    makefile = (ROOT / "shared" / "Makefile").read_text(encoding="utf-8")

    assert "ARCH ?= arm64\n" in makefile
    assert _parameters()["Architecture"]["Default"] == "arm64"


def test_the_workflow_runs_the_targets_that_ci_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["check"]["steps"]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    targets = [step["run"] for step in steps if step.get("run", "").startswith("make ")]
    assert targets == re.findall(r"^make .*$", script, re.MULTILINE)
