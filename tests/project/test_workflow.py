"""What CI for people takes from others, and what it keeps."""

import re
import tomllib

import yaml

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
