"""The runbook's commands, tried as far as a laptop allows: psql on a real database, `aws` against AWS's own models."""

import os
import re
import shlex
import subprocess

import botocore.session
import jmespath
import pytest
from botocore import xform_name
from pg8000.native import Connection

import daily_sync
from crm_services.base import errors
from local.environment import ROOT
from local.lambda_context import LambdaContext
from local.postgres import Server
from local.servers import PROGRAMS
from tests.support.cloudformation import Stack
from tests.support.crm import Crm

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
PREPARED, *CHAPTERS = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)
# What the command line adds to every operation.
OF_THE_COMMAND_LINE = {"query", "output", "max-items"}
STACK = Stack()


def commands(text: str) -> list[str]:
    """The lines to type in the shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


ALL_COMMANDS = [command for chapter in (PREPARED, *CHAPTERS) for command in commands(chapter)]
PSQL = [command for command in ALL_COMMANDS if command.startswith("psql")]
AWS = [command for command in ALL_COMMANDS if command.startswith("aws")]


def test_every_alarm_has_a_chapter() -> None:
    assert [chapter.partition("\n")[0] for chapter in CHAPTERS] == list(STACK.of_type("AWS::CloudWatch::Alarm"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.partition("\n")[0])
def test_a_chapter_says_what_it_means_then_three_commands_then_how_to_mend_it(chapter: str) -> None:
    parts = re.fullmatch(r"\w+\n\n(.*?)\n```sh\n(.*?)```\n(.*)", chapter, re.DOTALL)
    assert parts, "meaning, commands, mending"
    meaning, typed, mending = parts.groups()
    assert len(meaning) > 80
    questions_and_commands = [line.startswith("# ") for line in typed.splitlines()]
    assert questions_and_commands == [True, False] * 3
    assert "\n- " in mending or "\n| " in mending


@pytest.mark.parametrize("command", AWS)
def test_an_aws_command_is_one_that_aws_knows(command: str) -> None:
    _, service, operation, *arguments = shlex.split(command)
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape is not None
    members = {xform_name(name, "-"): name for name in shape.members}
    options = {argument.removeprefix("--") for argument in arguments if argument.startswith("--")}

    assert options <= members.keys() | OF_THE_COMMAND_LINE
    assert {xform_name(name, "-") for name in shape.required_members} <= options
    if "--query" in arguments:
        jmespath.compile(arguments[arguments.index("--query") + 1])


@pytest.fixture
def a_day_gone_wrong(crm: Crm, environment: pytest.MonkeyPatch, owner: Connection) -> None:
    """A run that synced one customer, failed with another and found a third without an account."""
    owner.run("alter table crm_customers add constraint few check (miners_count < 100)")
    crm.linked_customer()
    crm.linked_customer(quantity=200)
    crm.customer("nobody@example.com")
    daily_sync.handler({}, LambdaContext("DailySyncFunction", 900))


@pytest.mark.usefixtures("a_day_gone_wrong")
def test_every_psql_command_answers(postgres: Server, database_name: str) -> None:
    answered = {command: _typed(command, postgres.url(database_name)) for command in PSQL}

    assert len(answered) > 10
    assert "few" in next(answer for command, answer in answered.items() if "e.constraint_name" in command)
    assert " 66.7" in next(answer for command, answer in answered.items() if "as link_rate" in command)
    assert " 1 " in next(answer for command, answer in answered.items() if "as unlinked" in command)
    assert "crm_hosting_account_email_key" in next(a for command, a in answered.items() if "indisvalid" in command)


def test_the_shell_functions_work() -> None:
    typed = "since() {" + PREPARED.partition("since() {")[2].partition("\n")[0] + "\nsince 2"
    told = subprocess.run(["bash", "-ec", typed], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"\d{10}000\n", told)


def test_what_the_runbook_names_exists() -> None:
    resources = set(re.findall(r"\$\(of (\w+)\)", RUNBOOK)) | set(re.findall(r"`(\w+Function)`", RUNBOOK))
    assert resources <= STACK.resources.keys()
    assert f"{STACK.stack_name}-daily-sync" in {s["Name"] for s in STACK.of_type("AWS::Scheduler::Schedule").values()}
    for name in re.findall(r"^\| `(\w+)`, `(\w+)` \|", RUNBOOK, re.MULTILINE):
        if not name[0][0].isdigit():
            assert all(issubclass(getattr(errors, one), Exception) for one in name)


def _typed(command: str, url: str) -> str:
    environment = os.environ | {"CRM_URL": url, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, ""), command
    return done.stdout
