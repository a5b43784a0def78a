"""What the tenant's view costs against the bare table: `python -m benchmarks.view_cost [CUSTOMERS]`.

The same statements run through the bundle's views and through views that differ in nothing but that they have neither
barrier nor scope, prepared and in turns, each in a transaction of its own. Printed are medians and their ratio.
"""

import re
import statistics
import sys
import tempfile
import time
from itertools import product

from pg8000.native import Connection, PreparedStatement

from crm_services.access.entry import SCOPE_TO
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from local.crm import TABLES
from local.crm_rows import STATUSES, any_of
from local.postgres import Server, connect, create_database, server

OWNERS = 20
RUNS = 15
FILL = """
insert into user_access (name, email, role)
  select 'owner ' || n, 'owner' || n || '@example.com', 'mining_site_owner' from generate_series(1, {owners}) n;
insert into user_access (name, email, role)
  select 'account ' || n, 'Account' || n || '@example.com', 'client' from generate_series(1, {customers} * 3 / 10) n;
insert into crm_customers (name, email, created_by_id)
  select 'customer ' || n, 'account' || n || '@example.com', n % {owners} + 1 from generate_series(1, {customers}) n;
insert into miner_models (model_name, manufacturer, reference_hashrate, reference_power)
  select 'model ' || n, 'maker', 100, 3000 from generate_series(1, 12) n;
insert into user_miners (user_id, miner_model_id, quantity, actual_hashrate, actual_power, electricity_cost, status)
  select {owners} + 1 + n % ({customers} * 3 / 10), n % 12 + 1, n % 50, 100, 3000, 0.05, {status}
  from generate_series(1, {customers} * 3) n;
"""
LINKED = "join {s}.accounts a on a.email_key = c.email_key"
FLEET = f"""select count(m.id), sum(m.quantity * m.hashrate) from {{s}}.customers c {LINKED}
            left join {{s}}.miners m on m.account_id = a.id where c.id = {{customer}}"""
# name → statement, its scope (an owner's id; None: all), how often it runs in one measurement
STATEMENTS: dict[str, tuple[str, int | None, int]] = {
    "one customer": ("select * from {s}.customers where id = {customer}", 1, 200),
    "one customer and its fleet": (FLEET, 1, 200),
    "a tenant's customers": ("select count(*), sum(miners_count) from {s}.customers c where {own}", 1, 5),
    "all customers": ("select count(*), sum(miners_count) from {s}.customers", None, 3),
    "all customers and accounts": (f"select count(*) from {{s}}.customers c {LINKED}", None, 1),
}


def main(customers: int) -> None:
    """Fill a database of its own and measure."""
    with tempfile.TemporaryDirectory() as directory, server(directory, {"fsync": "off", "jit": "off"}) as running:
        _fill(running, customers)
        bundle, bare = connect(running.url("crm", "crm_hosting")), connect(running.url("crm", "crm"))
        print(f"{customers} customers of {OWNERS} owners, medians of {RUNS} runs in turns")
        print(f"{'':28}{'bare ms':>10}{'view ms':>10}{'ratio':>8}")
        for name, (sql, tenant, times) in STATEMENTS.items():
            values = {"customer": OWNERS * (customers // OWNERS // 2), "own": "true"}
            through_view = _Prepared(bundle, sql.format(s="crm_hosting", **values), tenant)
            values["own"] = f"created_by_id = {tenant}"
            directly = _Prepared(bare, sql.format(s="bare", **values), tenant)
            assert directly.rows() == through_view.rows() != [], name
            measured: dict[_Prepared, list[float]] = {directly: [], through_view: []}
            for _, one in product(range(RUNS), measured):
                measured[one].append(one.milliseconds(times))
            before, after = (statistics.median(times) for times in measured.values())
            print(f"{name:28}{before:>10.3f}{after:>10.3f}{after / before:>8.2f}")
        bundle.close()
        bare.close()


class _Prepared:
    """A prepared statement that runs in a transaction with the scope set, as a request's does."""

    def __init__(self, connection: Connection, sql: str, tenant: int | None) -> None:
        self._connection = connection
        self._tenant = tenant
        self._scope: PreparedStatement = connection.prepare(SCOPE_TO)
        self._statement: PreparedStatement = connection.prepare(sql)

    def rows(self) -> list[list[object]]:
        """What it finds."""
        self._connection.run("begin")
        self._scope.run(tenant_id=self._tenant)
        rows: list[list[object]] = self._statement.run()
        self._connection.run("commit")
        return rows

    def milliseconds(self, times: int) -> float:
        """How long one run takes, of so many."""
        start = time.perf_counter()
        for _ in range(times):
            self.rows()
        return (time.perf_counter() - start) * 1000 / times


def _fill(running: Server, customers: int) -> None:
    create_database(running, "crm")
    with connect(running.url("crm")) as owner:
        owner.run(TABLES.read_text(encoding="utf-8"))
        owner.run(FILL.format(owners=OWNERS, customers=customers, status=any_of(STATUSES)))
        migrate(parse_database_url(running.url("crm")))
        owner.run("create schema bare")
        for view in ("customers", "accounts", "miners"):
            [[definition]] = owner.run("select pg_get_viewdef(('crm_hosting.' || :view)::regclass)", view=view)
            unscoped = re.sub(r"\n +WHERE .*", "", definition, flags=re.DOTALL)
            assert "crm_hosting.scope" in definition, view
            assert "crm_hosting.scope" not in unscoped, view
            owner.run(f"create view bare.{view} as {unscoped}")
        owner.run("vacuum analyze")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
