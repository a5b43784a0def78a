"""One message a day to a topic: what needs attention, per owner, once, and never an address."""

import json
from typing import Any

import boto3
import pytest
from moto.sns.models import SNSBackend
from pg8000.native import Connection

from crm_services.base.settings import settings
from crm_services.postgres.database import database
from crm_services.sync import batch, digest
from crm_services.sync.batch import TimeLimit
from tests.support.crm import Crm
from tests.support.days import days_pass
from tests.support.runs import time_for

NAMED = "named@address.example"


class Topic:
    """The topic that the deployment names, and what it was told."""

    def __init__(self, environment: pytest.MonkeyPatch) -> None:
        sns, self._sqs = boto3.client("sns"), boto3.client("sqs")
        self.arn = sns.create_topic(Name="attention")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="reader")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=arn)
        environment.setenv("ATTENTION_TOPIC_ARN", self.arn)
        settings.cache_clear()

    def told(self) -> list[dict[str, Any]]:
        """The messages since it was asked last."""
        found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for one in found:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"]) for one in found]


@pytest.fixture
def topic(aws: pytest.MonkeyPatch) -> Topic:
    return Topic(aws)


def run(**more: Any) -> None:
    batch.run(database, None, "console", **more)


def outage(crm: Crm, owner: Connection, customers: int = 1, tenant: int | None = None) -> None:
    """So many customers whose machines were lost since yesterday."""
    for _ in range(customers):
        crm.linked_customer(tenant, quantity=100)
    run()
    days_pass(owner)
    owner.run("update user_miners set quantity = 10")


def test_the_day_s_message_has_a_summary_and_ten_lines_of_each_owner(
    topic: Topic, crm: Crm, owner: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    tenant = crm.account("secret@address.example", role="mining_site_owner", name="王建国")
    other = crm.account("other@address.example", role="mining_site_owner", name=NAMED)
    crm.linked_customer(other, quantity=100)
    owner.run("update crm_customers set name = :name", name=f" {NAMED}\n")
    outage(crm, owner, 12, tenant)
    run()

    [message] = topic.told()
    assert message["Subject"] == "13 customers need attention"
    head, first, second = message["Message"].strip().split("\n\n")
    assert "13 customers need attention" in head
    summary, *lines, rest = first.split("\n")
    assert summary == f"Owner {tenant} (王建国): 12 customers, 12 since today"
    assert len(lines) == 10
    assert rest == "- 2 more"
    assert "hashrate 10000.00 -> 1000.00 TH/s, since " in lines[0]
    assert "(customer " in lines[0]
    assert second.split("\n")[0] == f"Owner {other}: 1 customer, 1 since today"
    assert second.split("\n")[1].startswith("- customer 1: hashrate ")
    said = message["Message"] + message["Subject"] + caplog.text
    assert "@" not in said


def test_a_day_has_one_message_however_often_it_is_run(topic: Topic, crm: Crm, owner: Connection) -> None:
    outage(crm, owner)
    run()
    crm.linked_customer()
    run()
    assert len(topic.told()) == 1

    days_pass(owner)
    run()
    assert len(topic.told()) == 1


def test_where_there_is_nothing_there_is_no_message(topic: Topic, crm: Crm, owner: Connection) -> None:
    crm.linked_customer()
    run()
    days_pass(owner)
    run()
    assert topic.told() == []

    owner.run("update user_miners set quantity = 0")
    run()
    assert len(topic.told()) == 1


def test_a_run_that_is_handed_on_tells_once_at_its_end(topic: Topic, crm: Crm, owner: Connection) -> None:
    outage(crm, owner)
    passed: list[tuple[int, int]] = []
    run(limit=TimeLimit(time_for(1), lambda run_id, token: passed.append((run_id, token))))
    assert topic.told() == []

    [(run_id, token)] = passed
    batch.join(database, run_id, token)
    assert len(topic.told()) == 1


def test_what_was_not_sent_is_sent_by_the_day_s_next_run_and_no_run_fails(
    topic: Topic, crm: Crm, owner: Connection, aws: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outage(crm, owner)
    with aws.context() as broken:
        broken.setattr(SNSBackend, "publish", _refused)
        run()
    assert owner.run("select state from crm_hosting.runs order by id desc limit 1") == [["completed"]]
    with aws.context() as broken:
        broken.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        run()
    reasons = [vars(one)["reason"] for one in caplog.records if one.message == "attention message not sent"]
    assert reasons == ["500", "ConnectionRefusedError"]
    assert topic.told() == []

    run()
    run()
    assert len(topic.told()) == 1


@pytest.mark.parametrize(("arn", "reason"), [(None, "NotFound"), ("topic", "ValueError")])
def test_a_topic_that_is_gone_or_none_is_said_and_the_run_ends_in_order(  # noqa: PLR0913, PLR0917 (four are fixtures)
    topic: Topic, crm: Crm, owner: Connection, aws: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    arn: str | None, reason: str,
) -> None:  # fmt: skip
    outage(crm, owner)
    if arn is None:
        boto3.client("sns").delete_topic(TopicArn=topic.arn)
    else:
        aws.setenv("ATTENTION_TOPIC_ARN", arn)
        settings.cache_clear()

    run()

    assert owner.run("select state from crm_hosting.runs order by id desc limit 1") == [["completed"]]
    [said] = [vars(one)["reason"] for one in caplog.records if one.message == "attention message not sent"]
    assert said == reason
    assert owner.run("select run_id from crm_hosting.attention_messages") == [[None]]


def test_whoever_is_killed_before_he_knows_that_it_was_sent_has_nobody_send_it_twice(
    topic: Topic, crm: Crm, owner: Connection, aws: pytest.MonkeyPatch
) -> None:
    outage(crm, owner)
    with aws.context() as killed:
        killed.setattr("crm_services.sync.ending.send", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run()

    run()

    assert topic.told() == []


def test_a_run_that_ends_again_as_the_answer_was_lost_has_its_message_still(
    topic: Topic, crm: Crm, owner: Connection
) -> None:
    outage(crm, owner)
    run()
    topic.told()
    with database.transaction() as transaction:
        transaction.rows("select crm_hosting.scope_to(null)")
        newest = transaction.value("select max(id) from crm_hosting.runs")
        assert digest.claim(transaction, newest) is not None
        assert digest.claim(transaction, newest + 1) is None


def test_the_run_of_an_owner_tells_nobody(topic: Topic, crm: Crm, owner: Connection) -> None:
    tenant = crm.account(role="mining_site_owner")
    outage(crm, owner, 1, tenant)
    batch.run(database, tenant, "request", tenant)
    assert topic.told() == []


def test_a_message_of_very_many_owners_is_one_that_sns_takes(topic: Topic, crm: Crm, owner: Connection) -> None:
    owner.run(
        "insert into user_access (name, email, role) select repeat('矿', 60), 'o' || n || '@x.com', 'mining_site_owner'"
        " from generate_series(1, 300) n"
    )
    owner.run(
        "insert into crm_customers (name, email, created_by_id)"
        " select repeat('客', 100), 'c' || a.id || '.' || n || '@x.com', a.id"
        " from user_access a, generate_series(1, 10) n"
    )
    run()
    owner.run(
        "insert into crm_hosting.attention (customer_id, kind, account_id, since, severity)"
        " select id, 'link_lost', 1, current_date, 100 from crm_customers"
    )
    with database.transaction() as transaction:
        transaction.rows("select crm_hosting.scope_to(null)")
        found = digest.claim(transaction, 1)

    assert found is not None
    assert 200_000 < len(found.message.encode()) <= 262_144
    assert found.message.endswith(" more owners\n")


def _refused(*_: Any, **__: Any) -> None:
    raise RuntimeError
