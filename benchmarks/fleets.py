"""A customer with a fleet of any size, to ask for."""

from local import crm_rows
from local.postgres import Server, connect

_FLEET = """
with account as (
  insert into user_access (name, email, role) values ('fleet', 'Fleet{rows}@Example.com', 'client') returning id
), machines as (
  insert into user_miners (user_id, miner_model_id, custom_name, quantity, actual_hashrate, actual_power,
                           electricity_cost, status, location, created_at)
  select account.id, 1 + n * 7 % 12, case when n % 3 = 0 then 'Rack ' || n end, 1 + n % 40, 100 + n % 1500 / 10.0,
         2900 + n % 700, 0.04 + n % 5 * 0.005,
         {status},
         'Site ' || n % 7, timestamp '2025-01-01' + n * interval '1 minute'
  from account, generate_series(1, {rows}) n
)
insert into crm_customers (name, email, created_by_id) values ('fleet', 'fleet{rows}@example.com', 2) returning id
"""


def add_fleet(server: Server, database: str, rows: int) -> int:
    """Add a linked customer whose account has so many rows of machines; returns the customer's id."""
    with connect(server.url(database)) as crm:
        [[customer]] = crm.run(_FLEET.format(rows=rows, status=crm_rows.any_of(crm_rows.STATUSES, "n % 100 / 100.0")))
        crm.run("vacuum analyze")
        return int(customer)
