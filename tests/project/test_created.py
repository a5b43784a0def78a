"""Two stacks in one account, created by moto's CloudFormation out of the template as SAM translates it."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.environment import ROOT
from tests.project.test_privileges import MARKET, STACK
from tests.support.created import REGION, UNKNOWN, create, upload
from tests.support.deployed import PARAMETERS

PROD, DEV = "crm-hosting", "crm-hosting-dev"
LAMBDA = "arn:aws:lambda:eu-central-1:123456789012:function:"
Created = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def created() -> Iterator[Created]:
    """The ids of the resources of both stacks, each with all that a deployment can ask for."""
    with mock_aws(config={"lambda": {"use_docker": False}}):
        upload()
        yield {name: create(name, PARAMETERS | {"MarketSecretArn": MARKET}) for name in (PROD, DEV)}


def _function(name: str) -> Any:
    return boto3.client("lambda", REGION).get_function(FunctionName=name)


def test_every_resource_is_there_but_for_those_that_cannot_be(created: Created) -> None:
    expected = {name for name, one in STACK.resources.items() if one["Type"] not in UNKNOWN}

    assert set(created[PROD]) == set(created[DEV]) == expected


def test_two_stacks_share_nothing(created: Created) -> None:
    ids = [set(filter(None, stack.values())) for stack in created.values()]

    assert ids[0].isdisjoint(ids[1])


@pytest.mark.parametrize("function", STACK.of_type("AWS::Lambda::Function"))
def test_a_function_has_its_handler_its_role_and_its_share_of_the_concurrency(created: Created, function: str) -> None:
    answer = _function(created[PROD][function])
    configuration, wanted = answer["Configuration"], STACK.of_type("AWS::Lambda::Function")[function]

    assert (ROOT / "functions" / configuration["Handler"].replace(".handler", ".py")).exists()
    assert configuration["Role"].endswith(f":role/{created[PROD][f'{function}Role']}")
    assert configuration["Timeout"] == wanted["Timeout"]
    assert configuration["VpcConfig"]["SubnetIds"] == [PARAMETERS["SubnetIds"]]
    assert configuration["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == PROD
    assert answer["Concurrency"]["ReservedConcurrentExecutions"] == int(wanted["ReservedConcurrentExecutions"])


def test_the_daily_run_may_start_the_state_machine_and_leave_a_letter_in_its_own_stack(created: Created) -> None:
    iam = boto3.client("iam", REGION)
    for stack in created.values():
        role = stack["DailySyncFunctionRole"]
        goes_on = iam.get_role_policy(RoleName=role, PolicyName="DailySyncFunctionRolePolicy1")["PolicyDocument"]
        letters = iam.get_role_policy(RoleName=role, PolicyName="DailySyncFunctionEventInvokeConfigOnFailureSQSPolicy")
        [queue] = (
            boto3.client("sqs", REGION)
            .get_queue_attributes(QueueUrl=stack["DeadLetters"], AttributeNames=["QueueArn"])["Attributes"]
            .values()
        )

        assert stack["SyncStateMachine"] in json.dumps(goes_on)
        assert queue in str(letters["PolicyDocument"])


def test_the_run_that_goes_on_is_the_stack_s_own(created: Created) -> None:
    for stack in created.values():
        for starts_it in ("SyncAllHostingFunction", "DailySyncFunction"):
            variables = _function(stack[starts_it])["Configuration"]["Environment"]["Variables"]
            assert variables["SYNC_STATE_MACHINE"] == stack["SyncStateMachine"]
        role = stack["SyncStateMachineRole"]
        policy = boto3.client("iam", REGION).get_role_policy(RoleName=role, PolicyName="SyncStateMachineRolePolicy0")
        assert LAMBDA + stack["SyncWorkerFunction"] in json.dumps(policy["PolicyDocument"])


def test_letters_are_kept_for_two_weeks_and_logs_for_a_month(created: Created) -> None:
    sqs, logs = boto3.client("sqs", REGION), boto3.client("logs", REGION)
    queue = sqs.get_queue_attributes(QueueUrl=created[PROD]["DeadLetters"], AttributeNames=["All"])["Attributes"]
    days = {group["logGroupName"]: group["retentionInDays"] for group in logs.describe_log_groups()["logGroups"]}

    assert int(queue["MessageRetentionPeriod"]) == 14 * 24 * 60 * 60
    for stack in created.values():
        assert [days[stack[group]] for group in ("AccessLogs", "FunctionLogs")] == [30, 30]
    assert boto3.client("sns", REGION).get_topic_attributes(TopicArn=created[PROD]["AlarmTopic"])
