"""A CRM of any size, made by SQL in one database and copied for each contender."""

import os
from pathlib import Path

from crm_services.base.settings import MachineSource
from crm_services.postgres.migration import migrate
from crm_services.postgres.target import parse_database_url
from local import crm_rows
from local.postgres import Server, connect, create_database

ROOT = Path(__file__).parent.parent
TABLES = ROOT / "local" / "crm.sql"
SQL = ROOT / "shared" / "crm_services" / "postgres" / "sql"
COVERING_INDEX, SEARCH_INDEX = SQL / "covering_index.sql", SQL / "search_index.sql"
MODELS, OWNERS, SITES = 12, 20, 6

# As large servers are set: 25 % of the memory to PostgreSQL, and checkpoints that a batch does not force. The CRM's
# vacuum runs between the measurements, not during them.
SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "autovacuum": "off",
}

# 80 % of the customers have an e-mail, 30 % are linked, in another case than their account; the machines of an account,
# three rows for each customer on average, are scattered over the whole table, as years of buying leave them; those of
# one account in seven stand at two sites, of one in four nobody says where. The last owner has 100 customers however
# many there are, scattered too; the others share the rest.
FILL = """
select setseed(0.5);
insert into miner_models (model_name, manufacturer, reference_hashrate, reference_power)
  select 'Model ' || i, 'Maker', 100 + i, 3000 + i from generate_series(1, {models}) i;
insert into user_access (name, email, role)
  select 'owner', 'owner' || i || '@example.com', 'mining_site_owner' from generate_series(1, {owners}) i;
insert into user_access (name, email, role, password_hash)
  select 'account', case when i % 2 = 0 then 'Account' else 'account' end || i || '@Example.com',
         'client', repeat('x', 160)
  from generate_series(1, {accounts}) i;
insert into crm_customers (name, company, email, created_by_id, notes)
  select (array['North', 'South', 'East', 'West'])[1 + i % 4] || ' ' || substr(md5(i::text), 1, 8),
         case when i % 3 > 0 then substr(md5((i * 7)::text), 1, 6) || ' Mining' end,
         case when i % 10 < 3 then 'ACCOUNT' || (i / 10 * 3 + i % 10 + 1) || '@example.com'
              when i % 10 < 8 then 'nobody' || i || '@example.com' end,
         case when i % step = i / step % 10 then {owners} else 1 + i % ({owners} - 1) end, repeat('x', 100)
  from generate_series(1, {customers}) i, (select greatest({customers} / 100, 1) as step) spread;
"""
MACHINES: dict[MachineSource, str] = {
    "user_miners": """
insert into user_miners (user_id, miner_model_id, quantity, actual_hashrate, actual_power, electricity_cost, location,
                         status)
  select account, 1 + floor(random() * {models})::int,
         1 + floor(random() * 20)::int, round((90 + random() * 150)::numeric, 1), 2900 + floor(random() * 900)::int,
         round((0.03 + random() * 0.06)::numeric, 3),
         case when account % 4 > 0
              then 'Site ' || (account + case when account % 5 = 0 and random() < 0.5 then 1 else 0 end) % {sites} end,
         {status}
  from (select {owners} + 1 + floor(random() * {accounts})::int as account
        from generate_series(1, {miners}) offset 0) machine;
""",
    "hosting_miners": """
insert into hosting_sites (name, location, capacity_mw, operator_name, electricity_rate)
  select 'Site ' || i, 'Place ' || i, 20, 'Operations', 0.03 + i * 0.001 from generate_series(1, {sites}) i;
insert into hosting_miners (customer_id, site_id, miner_model_id, serial_number, actual_hashrate, actual_power, status,
                            approval_status)
  select {owners} + 1 + floor(random() * {accounts})::int, 1 + floor(random() * {sites})::int,
         1 + floor(random() * {models})::int, 'SN' || i, round((90 + random() * 150)::numeric, 1),
         2900 + floor(random() * 900)::int, {status},
         'approved'
  from generate_series(1, {miners}) i;
""",
}
PRICE, DIFFICULTY = 95_000.0, 1.5e14


def make(server: Server, customers: int, source: MachineSource = "user_miners") -> str:
    """The name of a database with so many customers and the bundle's schema, made unless it is there."""
    name = f"customers_{customers}_{source}"
    if _exists(server, name):
        return name
    create_database(server, name)
    with connect(server.url(name)) as db:
        db.run(TABLES.read_text())
        numbers = {"customers": customers, "accounts": customers * 35 // 100, "miners": customers * 3}
        status = crm_rows.any_of(crm_rows.STATUSES if source == "user_miners" else crm_rows.HOSTED_STATUSES)
        for statements in (FILL, MACHINES[source]):
            db.run(statements.format(models=MODELS, owners=OWNERS, sites=SITES, status=status, **numbers))
        crm_rows.insert(db, "network_snapshots", crm_rows.snapshot(PRICE, DIFFICULTY))
        migrate(parse_database_url(server.url(name)), machine_source=source)
        if os.environ.get("COVERING_INDEX"):
            db.run(COVERING_INDEX.read_text())
        db.run("vacuum analyze")
    return name


def copy(server: Server, source: str, name: str) -> None:
    """A database as the source was made."""
    drop(server, name)
    create_database(server, name, template=source)


def drop(server: Server, name: str) -> None:
    """Drop the database if it is there."""
    with connect(server.url("postgres", "postgres")) as admin:
        admin.run(f"drop database if exists {name} with (force)")


def _exists(server: Server, name: str) -> bool:
    with connect(server.url("postgres", "postgres")) as admin:
        return bool(admin.run("select from pg_database where datname = :name", name=name))
