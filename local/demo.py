"""The demo's data, the contract's story: 150 customers, 45 of them with an account and a fleet."""

import json
import random
from collections.abc import Sequence

from pg8000.native import Connection, identifier

from local import fleets, people
from local.people import Row
from local.postgres import connect

SEED = 20251212

# As the CRM does it: one an hour. It fills the last two days up to a few minutes ago, and on a
# later day only what is missing since.
MARKET = """
insert into network_snapshots (recorded_at, btc_price, network_difficulty, network_hashrate,
                               block_reward, price_source, data_source)
select at, round((95000 + 1200 * sin(extract(epoch from at) / 30000))::numeric, 2), 1.5e14,
       round(1.5e14 * 2 ^ 32 / 600 / 1e18), 3.125, 'demo', 'demo'
from generate_series(now() at time zone 'utc' - interval '5 minutes',
                     now() at time zone 'utc' - interval '2 days', interval '-1 hour') at
where not exists (select from network_snapshots where recorded_at > at - interval '1 hour')
"""


def load(url: str) -> None:
    """Fill the CRM's empty tables; the URL is that of their owner."""
    chance = random.Random(SEED)  # noqa: S311 (the same data every time is the point)
    accounts, customers = people.accounts_and_customers()
    hosted = [account["id"] for account in accounts[len(people.STAFF) :]]
    miners = fleets.fleets(chance, hosted)
    with connect(url) as db:
        db.run("begin")
        _insert(db, "user_access", accounts)
        _insert(db, "crm_customers", customers)
        _insert(db, "miner_models", fleets.models())
        _insert(db, "user_miners", miners)
        db.run(MARKET)
        db.run("commit")


def refresh_market(url: str) -> None:
    """Append the market snapshots that the CRM would have taken since the last one."""
    with connect(url) as db:
        db.run(MARKET)


def _insert(db: Connection, table: str, rows: Sequence[Row]) -> None:
    columns = ", ".join(identifier(name) for name in rows[0])
    db.run(
        f"insert into {table} ({columns}) select {columns}"
        f" from json_populate_recordset(cast(null as {table}), cast(:rows as json))",
        rows=json.dumps(rows),
    )
    db.run(f"select setval(pg_get_serial_sequence('{table}', 'id'), {rows[-1]['id']})")
