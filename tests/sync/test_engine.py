"""A run in several functions: the template's state machine, executed, with functions that are killed at every step."""

from collections.abc import Iterator
from typing import get_args

import boto3
import pytest
from pg8000.native import Connection

import daily_sync
from crm_services.postgres.database import database
from crm_services.sync import batch, worker
from local.lambda_context import LambdaContext
from tests.support.emf import by_name, metrics_in
from tests.support.engine import Engine, engine
from tests.support.function import Step
from tests.support.killed import CUSTOMERS, Killer
from tests.support.runs import runs

FUNCTIONS = 2


@pytest.fixture
def killer(owner: Connection, environment: pytest.MonkeyPatch) -> Killer:
    """Six hundred customers, each of whose figures another run has to change."""
    environment.setenv("RUN_DEAD_AFTER_SECONDS", "1")
    made = Killer(owner, seed=1)
    made.change_prices()
    return made


@pytest.fixture
def aws(killer: Killer, environment: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The stack's state machine, with two functions at once."""
    with engine(environment, FUNCTIONS) as service:
        yield service


def start() -> dict[str, object]:
    """What the schedule does."""
    return daily_sync.handler({}, LambdaContext("DailySyncFunction", 900))


def test_a_run_of_several_functions_is_done_once_and_published_once(aws: Engine, killer: Killer) -> None:
    told = start()

    assert (told["state"], told["total"]) == ("running", 0)
    assert aws.ended() == "SUCCEEDED"
    killer.check()
    assert len(aws.invocations) == FUNCTIONS + 1
    assert len({event["run_id"] for event in aws.invocations}) == 1
    values = by_name(metrics_in(aws.printed))
    assert (values["BatchSyncCompleted"], values["CustomersTotal"]) == (1, CUSTOMERS)


def test_functions_that_are_killed_at_any_step_lose_nothing(aws: Engine, killer: Killer) -> None:
    for step in get_args(Step):
        aws.killed_at = [step] * FUNCTIONS
        killer.change_prices()
        start()

        assert aws.ended() == "SUCCEEDED", step
        killer.check()
        assert aws.waits, step  # the machine's retry
        aws.waits.clear()


def test_a_function_that_is_killed_time_and_again_leaves_the_run_to_the_others(aws: Engine, killer: Killer) -> None:
    attempts = 6
    aws.killed_at = ["joining"] * (attempts * FUNCTIONS)  # and so it does not matter which function is which
    start()

    assert aws.ended() == "SUCCEEDED"
    killer.check()
    assert len(aws.waits) == (attempts - 1) * FUNCTIONS
    assert sorted(aws.waits)[::FUNCTIONS] == [10, 20, 40, 80, 160]


def test_a_run_that_nobody_gets_done_is_a_failed_execution_and_the_next_schedule_s(
    aws: Engine, killer: Killer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LEASE_POLL_SECONDS", 0.05)
    aws.killed_at = [*["after a chunk"] * FUNCTIONS, *["joining"] * 100]  # type: ignore[list-item]
    start()
    assert aws.ended() == "FAILED"
    assert runs(killer.owner)[-1]["state"] == "running"
    killer.look()

    aws.killed_at = []
    start()

    assert aws.ended() == "SUCCEEDED"
    assert [run["state"] for run in runs(killer.owner)[-2:]] == ["abandoned", "completed"]
    killer.check()


def test_two_executions_of_one_run_do_it_once(aws: Engine, killer: Killer) -> None:
    start()
    client = boto3.client("stepfunctions")
    [execution] = aws.executions()
    given = client.describe_execution(executionArn=execution)["input"]
    other = client.start_execution(stateMachineArn=aws.machine, input=given)["executionArn"]

    assert [aws.ended(execution), aws.ended(other)] == ["SUCCEEDED"] * 2
    killer.check()
    by_name(metrics_in(aws.printed))


def test_a_run_that_outlasts_its_functions_goes_on_in_the_next_ones(aws: Engine, killer: Killer) -> None:
    aws.seconds = [1.02] * 8  # of which a second is kept for the end
    start()

    assert aws.ended() == "SUCCEEDED"
    assert aws.waits == []
    killer.check()


def test_several_connections_in_each_of_several_functions(
    aws: Engine, killer: Killer, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BATCH_WORKERS", "3")
    aws.killed_at = ["in a chunk"]
    start()

    assert aws.ended() == "SUCCEEDED"
    killer.check()


def test_what_is_nobodys_fault_fails_run_and_execution_and_is_published_once(aws: Engine, killer: Killer) -> None:
    def break_it() -> None:
        killer.owner.run("alter table if exists crm_customers rename to hidden")  # a function that names it fails

    aws.before = break_it
    start()

    assert aws.ended() == "FAILED"
    [*_, run] = runs(killer.owner)
    assert (run["state"], run["failure"], run["total"]) == ("failed", "42P01", 0)
    assert by_name(metrics_in(aws.printed))["BatchSyncCompleted"] == 0


def test_a_state_machine_that_cannot_be_started_leaves_the_run_to_the_function(
    aws: Engine, killer: Killer, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHUNK_SIZE", 40)
    environment.setenv("SYNC_STATE_MACHINE", aws.machine + "-of-another-stack")

    assert start()["state"] == "completed"
    assert aws.invocations == []
    killer.check()
    database.close()
