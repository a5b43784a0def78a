"""What a year of days costs to read, as PostgreSQL counts it: each row is met once, not once for each day."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pg8000.native import Connection, literal, to_statement

from crm_services.access.entry import SCOPE_TO
from crm_services.history.customer import HISTORY
from crm_services.history.scope import SCOPE_HISTORY
from crm_services.postgres.database import database
from crm_services.sync import batch
from local.postgres import Server, connect
from tests.support.client import Client
from tests.support.crm import Crm

YEAR = 365
# Of a fleet that stood otherwise on each day of a year, with the markets of a run a day.
FILL = """
insert into crm_hosting.fleet_days
  select n.customer_id, n.day - age, n.day - age + 1, n.account_id, age, 0, 0, age, age, age, 0, false,
         '{"North":[1,2,3],"South":[' || age || ',5,6]}'
  from crm_hosting.fleet_now n, generate_series(1, 364) age;
insert into crm_hosting.market_days
  select tenant_id, customer_id, day - age, synced_at, btc_price, network_difficulty, btc_per_terahash_day
  from crm_hosting.market_days, generate_series(1, 364) age;
insert into crm_hosting.scope_days
  select tenant_id, day - age, customers, active, offline, maintenance, hashrate, earning_hashrate, power,
         electricity_cost, places
  from crm_hosting.scope_days, generate_series(1, 364) age;
"""


def test_a_year_is_put_together_without_comparing_each_day_with_each(
    client: Client, crm: Crm, owner: Connection, postgres: Server, database_name: str
) -> None:
    crm.snapshot()
    customer = crm.linked_customer(quantity=2)
    batch.run(database, None, "console")
    owner.run(FILL)
    today = datetime.now(UTC).date()
    given: dict[str, object] = {
        "customer_id": customer, "tenant_id": 0, "first": today - timedelta(days=YEAR - 1), "upto": None,
        "time_zone": "UTC", "link_any": True,
    }  # fmt: skip

    with connect(postgres.url(database_name, "crm_hosting")) as bundle:
        # The plan that a connection keeps, which was made without a period in sight.
        bundle.run("set plan_cache_mode = force_generic_plan")
        bundle.run("begin")
        bundle.run(SCOPE_TO, tenant_id=None)
        for statement in (HISTORY, SCOPE_HISTORY):
            nodes = list(_nodes(_plan(bundle, statement, given)))
            assert max(node["Actual Rows"] for node in nodes) >= YEAR
            assert sum(node.get("Rows Removed by Join Filter", 0) for node in nodes) < YEAR


def _plan(bundle: Connection, statement: str, given: dict[str, object]) -> dict[str, Any]:
    numbered, values = to_statement(statement)
    arguments = ", ".join(literal(value) for value in values(given))
    bundle.run(f"prepare year as {numbered}")
    [[[found]]] = bundle.run(f"explain (analyze, format json) execute year ({arguments})")
    bundle.run("deallocate year")
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for node in plan.get("Plans", []):
        yield from _nodes(node)
