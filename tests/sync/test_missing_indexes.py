"""An index that somebody dropped, or whose making was cut off, is missed aloud: by the daily run and by sync-status."""

from typing import Any

import pytest

import daily_sync
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from crm_services.sync import ending
from local.lambda_context import LambdaContext
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm

KEYS, OWNERS = "crm_hosting_account_email_key", "crm_hosting_customer_owner"


@pytest.fixture
def said(environment: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the run warns of."""
    lines: list[dict[str, Any]] = []
    environment.setattr(
        ending.logger, "warning", lambda message, **fields: lines.append({"message": message, **fields})
    )
    return lines


def run_daily() -> None:
    daily_sync.handler({}, LambdaContext("DailySyncFunction", 900))


def test_a_missing_index_is_named_until_the_migration_has_made_it_again(
    client: Client, crm: Crm, postgres: Server, database_name: str, said: list[dict[str, Any]]
) -> None:
    admin, miner = crm.account(role="admin"), crm.account(role="mining_site_owner")
    crm.snapshot()
    crm.miners(crm.account("ann@example.com"))
    crm.customer("ann@example.com", created_by_id=miner)
    run_daily()
    assert said == []
    assert data(client.get("/crm/api/sync-status", admin))["issues"] == []

    with connect(postgres.url(database_name, "postgres")) as superuser:
        superuser.run(f"drop index public.{KEYS}")
        superuser.run(f"update pg_index set indisvalid = false where indexrelid = 'public.{OWNERS}'::regclass")
    run_daily()

    [line] = said
    assert line["indexes"] == [KEYS, OWNERS]
    status = data(client.get("/crm/api/sync-status", admin, accept_language="en"))
    assert status["sync_health"] == "warning"
    assert status["issues"] == ["Database indexes that are missing or not valid, which Migrate makes again: 2"]
    assert data(client.get("/crm/api/sync-status", miner))["issues"] == []

    migrate(parse_database_url(postgres.url(database_name)))
    run_daily()

    assert len(said) == 1
    assert data(client.get("/crm/api/sync-status", admin))["issues"] == []
