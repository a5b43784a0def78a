"""A customer with a fleet of any size, to ask for, or with a year behind it."""

from pg8000.native import literal

from benchmarks.data import SITES
from crm_services.base.settings import MachineSource
from local import crm_rows
from local.postgres import Server, connect

_FLEET = """
with account as (
  insert into user_access (name, email, role)
  values ('fleet', '{name}{rows}@Example.com', 'client') returning id
), machines as (
  {machines}
)
insert into crm_customers (name, email, created_by_id)
  values ('fleet', lower('{name}{rows}@example.com'), 2) returning id
"""
_MACHINES: dict[MachineSource, str] = {
    "user_miners": """
  insert into user_miners (user_id, miner_model_id, custom_name, quantity, actual_hashrate, actual_power,
                           electricity_cost, status, location, created_at)
  select account.id, 1 + n * 7 % 12, case when n % 3 = 0 then 'Rack ' || n end, 1 + n % 40, 100 + n % 1500 / 10.0,
         2900 + n % 700, 0.04 + n % 5 * 0.005,
         {status},
         'Site ' || n % 7, timestamp '2025-01-01' + n * interval '1 minute'
  from account, generate_series(1, {rows}) n
""",
    "hosting_miners": """
  insert into hosting_miners (customer_id, site_id, miner_model_id, serial_number, actual_hashrate, actual_power,
                              status, approval_status, created_at)
  select account.id, 1 + n % {sites}, 1 + n * 7 % 12, '{name}{rows}-' || n, 100 + n % 1500 / 10.0, 2900 + n % 700,
         {status},
         'approved', timestamp '2025-01-01' + n * interval '1 minute'
  from account, generate_series(1, {rows}) n
""",
}

# A run and another price on each day; a fleet that changes once a month, the last time today.
DAYS, MONTH = 365, 30
_YEAR = """
insert into crm_hosting.market_days
  select 0, 0, current_date - age, now(), btc_price + age, network_difficulty + age, btc_per_terahash_day
  from crm_hosting.market, generate_series(0, {days} - 1) age
on conflict do nothing;
insert into crm_hosting.fleet_days
  select {customer}, current_date - age, current_date - age + {month}, a.id, age, 3, 1, 12345.678 + age, 11000.25,
         300000, 57.25, false, {places}
  from user_access a join crm_customers c on lower(a.email) = lower(c.email) and c.id = {customer},
       generate_series({month}, {days} + {month} - 1, {month}) age;
insert into crm_hosting.fleet_now
  select {customer}, current_date, account_id, null, 2, active, offline, maintenance, hashrate, earning_hashrate, power,
         electricity_cost, false, places
  from crm_hosting.fleet_days where customer_id = {customer} order by day desc limit 1;
"""


def add_year(server: Server, database: str, sites: int) -> int:
    """Add a linked customer with a year of days, whose machines stand at so many sites; returns the customer's id."""
    customer = add_fleet(server, database, sites, name=f"{sites} sites ")
    of_each = ",".join(f'"Site {site}":[{10 + site},{1000.5 + site},{30_000 + site}]' for site in range(sites))
    places = literal(f"{{{of_each}}}" if sites > 1 else '"Site 0"')
    with connect(server.url(database)) as crm:
        crm.run(_YEAR.format(customer=customer, days=DAYS, month=MONTH, places=places))
        crm.run("vacuum analyze")
    return customer


def add_fleet(
    server: Server, database: str, rows: int, source: MachineSource = "user_miners", name: str = "Fleet"
) -> int:
    """Add a linked customer whose account has so many rows of machines, under that name; returns the customer's id."""
    words = crm_rows.STATUSES if source == "user_miners" else crm_rows.HOSTED_STATUSES
    status = crm_rows.any_of(words, "n % 100 / 100.0")
    machines = _MACHINES[source].format(name=name, rows=rows, status=status, sites=SITES)
    with connect(server.url(database)) as crm:
        [[customer]] = crm.run(_FLEET.format(name=name, rows=rows, machines=machines))
        crm.run("vacuum analyze")
        return int(customer)
