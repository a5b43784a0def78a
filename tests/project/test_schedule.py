"""The daily run's schedule, and where a failure of it ends up, in the template as CloudFormation gets it."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.support.cloudformation import STACK, Stack
from tests.support.deployed import TEMPLATE


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack(DailySyncSchedule="cron(15 4 * * ? *)", ScheduleTimezone="Asia/Shanghai", AlarmEmail="ops@example.com")


def test_the_schedules_time_and_zone_are_the_deployers(stack: Stack) -> None:
    schedule = stack.of_type("AWS::Scheduler::Schedule")["DailySyncFunctionDaily"]
    assert schedule["ScheduleExpression"] == "cron(15 4 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Shanghai"


def test_no_clock_ever_skips_the_hour_of_the_schedule() -> None:
    found = re.fullmatch(r"cron\((\d+) (\d+) \* \* \? \*\)", _default("DailySyncSchedule"))
    assert found is not None
    minute, hour = map(int, found.groups())
    this_year = datetime.now(UTC).year

    skipped = {
        f"{zone} {day:%Y-%m-%d}"
        for zone in available_timezones()
        for day in (datetime(this_year, 1, 1) + timedelta(days) for days in range(3 * 366))
        if not _exists(day.replace(hour=hour, minute=minute), ZoneInfo(zone))
    }

    assert skipped == set()
    assert not _exists(datetime(2026, 3, 29, 2, 30), ZoneInfo("Europe/Berlin")), "the test can tell"


def _default(parameter: str) -> str:
    return str(yaml_parse(TEMPLATE.read_text())["Parameters"][parameter]["Default"])


def _exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether a clock of that zone ever shows this time."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall


def test_two_stacks_in_one_account_have_schedules_and_dashboards_of_different_names(stack: Stack) -> None:
    for schedule in stack.of_type("AWS::Scheduler::Schedule").values():
        assert schedule["Name"].startswith(f"{STACK}-")
    assert stack.of_type("AWS::CloudFormation::Stack")["Dashboard"]["Parameters"]["Service"] == STACK


def test_a_delivery_is_repeated_and_then_kept(stack: Stack) -> None:
    target = stack.of_type("AWS::Scheduler::Schedule")["DailySyncFunctionDaily"]["Target"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert target["DeadLetterConfig"] == {"Arn": "DeadLetters.Arn"}
    assert "sqs:SendMessage" in _allowed(stack, "DailySyncFunctionDailyRole", on="DeadLetters.Arn")


def test_a_run_that_failed_is_tried_again_twice_and_its_event_is_kept(stack: Stack) -> None:
    [config] = stack.of_type("AWS::Lambda::EventInvokeConfig").values()
    assert config["FunctionName"] == "DailySyncFunction"
    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"] == {"OnFailure": {"Destination": "DeadLetters.Arn"}}
    assert "sqs:SendMessage" in _allowed(stack, "DailySyncFunctionRole", on="DeadLetters.Arn")


def test_whoever_gave_an_address_is_told_and_nobody_else(stack: Stack) -> None:
    [subscription] = stack.of_type("AWS::SNS::Subscription").values()
    assert subscription == {"TopicArn": "AlarmTopic", "Protocol": "email", "Endpoint": "ops@example.com"}
    assert not Stack().of_type("AWS::SNS::Subscription")


def _allowed(stack: Stack, role: str, on: str) -> list[str]:
    statements = [
        statement
        for policy in stack.of_type("AWS::IAM::Role")[role]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    actions = [statement["Action"] for statement in statements if statement["Resource"] == on]
    return [one for action in actions for one in ([action] if isinstance(action, str) else action)]
