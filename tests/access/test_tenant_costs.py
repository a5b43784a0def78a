"""A tenant pays for his own: what his requests read does not grow with what others have, as PostgreSQL counts it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crm_services.access.entry import ENTER
from crm_services.access.roles import SEES_ALL
from crm_services.fleet.customers import CUSTOMERS
from crm_services.links.matching import FEW, TENANT_LINK_COUNTS
from crm_services.postgres.database import database
from crm_services.sync.findings import TENANT_FINDING_COUNTS
from crm_services.sync.runs import LAST_COMPLETED_RUN_OF_TENANT
from local.postgres import Server, connect
from tests.support.client import Client, data
from tests.support.crm import Crm

OTHERS, OWN = 8_000, 20
# How many rows of a table, or entries of its indexes, a request of his may read.
MOST = 20 * OWN
TABLES = ["crm_customers", "user_access", "links", "findings", "fleet_now", "fleet_days", "run_errors", "runs"]

# Two owners of nearly all, so that a tenant's share of the table says nothing of how many are his; his lie scattered.
# Every customer is linked, has an e-mail that is ambiguous, machines with unlikely figures, it seems, and failed in the
# last run over everybody.
FILL = """
insert into user_access (name, email, role)
  select 'account', case when i % 2 = 0 then 'a' else 'A' end || (i / 2) || '@example.com', 'client'
  from generate_series(1, {others} * 2) i;
insert into crm_customers (name, email, created_by_id)
  select 'Customer ' || i, 'a' || i || '@example.com',
         case when i % ({others} / {own}) = 7 then {tenant} else {owner} + i % 2 end
  from generate_series(1, {others}) i;
"""
FAIL = """
insert into crm_hosting.run_errors (run_id, customer_id, sqlstate)
  select (select max(id) from crm_hosting.runs), id, '23514' from crm_customers;
insert into crm_hosting.findings (customer_id, kind) select id, 'unlikely_figure' from crm_customers
"""
# A history in which every fleet is another one than on each of the nine days before.
CHANGED = """
insert into crm_hosting.fleet_now (customer_id, day, account_id, owner_id, active, offline, maintenance, hashrate,
                                   earning_hashrate, power, electricity_cost, has_unusable_figure)
  select id, current_date, 1, created_by_id, 9, 0, 0, 9, 9, 9, 0, false from crm_customers;
insert into crm_hosting.fleet_days (customer_id, day, until, account_id, active, offline, maintenance, hashrate,
                                    earning_hashrate, power, electricity_cost, has_unusable_figure)
  select id, current_date - age, current_date - age + 1, 1, age, 0, 0, age, age, age, 0, false
  from crm_customers, generate_series(1, 9) age;
insert into crm_hosting.market_days (tenant_id, customer_id, day, synced_at)
  select 0, 0, current_date - age, now() from generate_series(1, 9) age
"""
READ = """
select t.relname, t.seq_tup_read + coalesce((
    select sum(i.idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid), 0)
from pg_stat_user_tables t where t.relname = any (:tables)
"""

REQUESTS: dict[str, Callable[[Client, int], object]] = {
    "changes": lambda client, who: client.get("/crm/api/hosting/changes?limit=5", who),
    "changes then": lambda client, who: client.get(
        f"/crm/api/hosting/changes?day={datetime.now(UTC).date() - timedelta(4)}", who
    ),
    "page": lambda client, who: client.get("/crm/api/hosting/customers?limit=5", who),
    "search": lambda client, who: client.get("/crm/api/hosting/customers?search=customer&limit=5", who),
    "to mend": lambda client, who: client.get("/crm/api/hosting/customers?finding=unlikely_figure&limit=5", who),
    "links": lambda client, who: client.get("/crm/api/hosting/links?limit=5", who),
    "linked": lambda client, who: client.get("/crm/api/hosting/links?search=customer&state=linked&limit=5", who),
    "status": lambda client, who: client.get("/crm/api/sync-status", who),
    "runs": lambda client, who: client.get("/crm/api/sync-runs", who),
    "preview": lambda client, who: client.post("/crm/api/sync-all-hosting?dry_run=true", who),
    "sync-all": lambda client, who: client.post("/crm/api/sync-all-hosting", who),
}


@pytest.fixture
def tenant(environment: pytest.MonkeyPatch, client: Client, crm: Crm) -> int:
    environment.setenv("RUN_PAUSE_SECONDS", "0")
    tenant, owner, _ = (crm.account(role="mining_site_owner") for _ in range(3))
    crm.db.run(FILL.format(others=OTHERS, own=OWN, tenant=tenant, owner=owner))
    crm.snapshot()
    crm.db.run("analyze")
    return tenant


def test_what_a_tenants_requests_read_is_his_own(client: Client, crm: Crm, tenant: int) -> None:
    admin = crm.account(role="admin")
    assert data(client.post("/crm/api/sync-all-hosting", admin))["total"] == OTHERS
    crm.db.run(FAIL)
    crm.db.run(CHANGED)
    crm.db.run("vacuum analyze")
    crm.db.run("select pg_stat_force_next_flush()")  # or what this connection has read counts at any time later
    read = {}

    for what, ask in REQUESTS.items():
        # On one connection, whose plans both use, and past the five times after which PostgreSQL keeps one.
        for _ in range(6):
            ask(client, admin) if what != "sync-all" else None
            ask(client, tenant)
        before = _read(crm)
        ask(client, tenant)
        read[what] = {table: rows - before[table] for table, rows in _read(crm).items() if rows - before[table] > MOST}

    assert read == {what: {} for what in REQUESTS}
    status = data(client.get("/crm/api/sync-status", tenant))
    assert (status["total_customers"], status["linked_customers"]) == (OWN, OWN)


def _read(crm: Crm) -> dict[str, int]:
    with database.transaction() as transaction:
        transaction.rows("select pg_stat_force_next_flush()")
    return {table: int(rows) for table, rows in crm.db.run(READ, tables=TABLES)}


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        (
            CUSTOMERS,
            {"search": None, "finding": None, "after_id": None, "after_profit": None, "limit": 50, "link_any": True},
        ),
        (TENANT_LINK_COUNTS, {"link_any": True}),
        (TENANT_FINDING_COUNTS, {}),
        (LAST_COMPLETED_RUN_OF_TENANT, {"tenant_id": 1}),
        ("select * from crm_hosting.tenant_customers", {}),
    ],
    ids=["page", "link counts", "findings", "last run", "view"],
)
def test_a_tenants_customers_are_found_by_the_index_on_their_owner(
    postgres: Server, database_name: str, tenant: int, statement: str, given: dict[str, object]
) -> None:
    with connect(postgres.url(database_name, "crm_hosting")) as bundle:
        bundle.run("begin")
        bundle.run(ENTER, user_id=tenant, customer_id=None, see_all=SEES_ALL)
        bundle.run(FEW)
        plan = "\n".join(line for (line,) in bundle.run(f"explain {statement}", **given))

    assert "crm_hosting_customer_owner" in plan, plan
    assert "Seq Scan on crm_customers" not in plan, plan
