"""The demo's data, the contract's story: 150 customers, 45 with an account, and all of these but one with a fleet."""

import json
import math
import random
from collections.abc import Sequence

from pg8000.native import Connection, identifier

from local import collector, crm_rows, doubts, fleets, people
from local.crm_rows import Row
from local.postgres import connect

SEED = 20251212

# One an hour, as if somebody ran the calculator that often. It fills the last two days up to a few minutes ago, and on
# a later day only what is missing since.
MISSING = """
select at from generate_series(now() - interval '5 minutes', now() - interval '2 days', interval '-1 hour') at
where not exists (
  select from network_snapshots where recorded_at > (at - interval '1 hour') at time zone :clock)
order by at
"""
DIFFICULTY = 1.5e14


def load(url: str) -> None:
    """Fill the CRM's empty tables; the URL is that of their owner."""
    chance = random.Random(SEED)  # noqa: S311 (the same data every time is the point)
    accounts, customers = people.accounts_and_customers()
    empty = customers[doubts.WITHOUT_MACHINES - 1]["user_account_id"]
    hosted = [account["id"] for account in accounts[len(people.STAFF) :] if account["id"] != empty]
    miners, machines = fleets.fleets(chance, hosted), fleets.machines(chance, hosted)
    with connect(url) as db:
        db.run("begin")
        _insert(db, "user_access", accounts)
        _insert(db, "hosting_sites", fleets.sites())
        _insert(db, "crm_customers", customers)
        _insert(db, "miner_models", fleets.models())
        _insert(db, "user_miners", miners)
        _insert(db, "hosting_miners", machines)
        _append_snapshots(db)
        collector.keep_days(db)
        db.run("commit")


def refresh(url: str) -> None:
    """Append the market snapshots and the machines' days that the CRM would have taken since the last ones."""
    with connect(url) as db:
        _append_snapshots(db)
        collector.keep_days(db)


def _append_snapshots(db: Connection) -> None:
    for (at,) in db.run(MISSING, clock=crm_rows.CLOCK.key):
        price = round(95_000 + 1_200 * math.sin(at.timestamp() / 30_000), 2)
        crm_rows.insert(db, "network_snapshots", crm_rows.snapshot(price, DIFFICULTY, at))


def _insert(db: Connection, table: str, rows: Sequence[Row]) -> None:
    columns = ", ".join(identifier(name) for name in rows[0])
    db.run(
        f"insert into {table} ({columns}) select {columns}"
        f" from json_populate_recordset(cast(null as {table}), cast(:rows as json))",
        rows=json.dumps(rows),
    )
    db.run(f"select setval(pg_get_serial_sequence('{table}', 'id'), {rows[-1]['id']})")
