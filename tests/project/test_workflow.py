"""What CI takes from others, what it keeps, and what it does not let pass."""

import os
import re
import subprocess
import sys
import tomllib

import yaml

from local import servers
from local.environment import ROOT

FILE = ROOT / ".github" / "workflows" / "ci.yml"
JOBS = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def test_every_action_is_pinned_by_its_commit_and_says_which_version_that_is() -> None:
    uses = re.findall(r"uses: (.*)", FILE.read_text(encoding="utf-8"))

    assert uses
    assert [one for one in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_no_checkout_leaves_credentials_behind() -> None:
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]

    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_the_suite_runs_on_every_python_from_the_oldest_that_is_promised() -> None:
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    minors = [int(one["python"].removeprefix("3.")) for one in JOBS["pythons"]["strategy"]["matrix"]["include"]]

    assert promised == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], 15))


def test_the_oldest_postgresql_is_the_one_that_is_promised() -> None:
    oldest = min(servers.PINS)

    assert f"OLDEST := {oldest}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"PostgreSQL {oldest} or newer" in (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_what_is_skipped_for_want_of_a_component_fails_there() -> None:
    assert JOBS["check"]["env"]["REQUIRE_COMPONENTS"] == "1"
    assert "\nexport REQUIRE_COMPONENTS=1" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-m", "browser", "tests/browser/test_states.py"]
    without_browser = os.environ | {"CHROMIUM": "/nowhere"}
    for required, code in (("", 0), ("1", 1)):
        environment = without_browser | {"REQUIRE_COMPONENTS": required}
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == code, ran.stdout
        assert "/nowhere is not installed" in ran.stdout
