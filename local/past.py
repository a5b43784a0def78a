"""The demo's last ninety days, as if a sync had run every night: fleets that grew, machines that failed, a market."""

import json
import math
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pg8000.native import Connection

from local import doubts
from local.people import ADMIN, CUSTOMERS, MINE_OWNER
from local.postgres import connect

DAYS = 90
SEED = 20260830
# Whose fleet lost hashrate, by the place among the synced customers: how many days ago, and the part that was lost.
LOSSES = {1: (1, 0.34), 3: (0, 0.46), 8: (0, 0.31), 12: (2, 0.64), 17: (0, 0.08), 21: (0, 0.27), 30: (5, 0.38)}
# Who has bought machines since last night: the part of them that was there before.
GROWN = {5: 0.97, 10: 0.93, 14: 0.9, 25: 0.88}
# Who was linked in the last weeks only, and how many days ago.
LINKED = {6: 27, 15: 23, 18: 18, 24: 14, 27: 9, 35: 6, 40: 3}
# Nights on which nothing ran, and one on which the database went away.
MISSED = {23, 41}
FAILED = 17

Row = dict[str, Any]

NOW = """
select customer_id, account_id, active, offline, maintenance, hashrate::text, earning_hashrate::text, power,
       electricity_cost::text
from crm_hosting.fleet_now where account_id is not null order by customer_id
"""
KEPT = """
insert into crm_hosting.fleet_days
select * from json_populate_recordset(null::crm_hosting.fleet_days, cast(:rows as json))
"""
BEGUN = "update crm_hosting.fleet_now set day = :day where customer_id = :customer"
NOTED = """
insert into crm_hosting.attention (customer_id, kind, account_id, since, before, after, severity)
select customer_id, 'hashrate_down', account_id, cast(:day as date), round(earning_hashrate / :left, 2),
       earning_hashrate, round(100 * (1 - cast(:left as numeric)), 2)
from crm_hosting.fleet_now where customer_id = :customer
"""
MARKET = """
insert into crm_hosting.market_days
select 0, 0, cast(:day as date), cast(:day as date) + interval '3 hours', :price, :difficulty,
       crm_hosting.btc_per_terahash_day(:difficulty, 3.125)
"""
# Customers came one by one, an account with each fleet.
TOTALS = """
with fleets as materialized (
  select c.created_by_id as owner, f.*
  from (select customer_id, account_id, active, offline, maintenance, hashrate, earning_hashrate, power,
               electricity_cost
        from crm_hosting.fleet_days where day <= cast(:day as date) and until > cast(:day as date)
        union all
        select customer_id, account_id, active, offline, maintenance, hashrate, earning_hashrate, power,
               electricity_cost
        from crm_hosting.fleet_now where day <= cast(:day as date) and account_id is not null) f
  join crm_customers c on c.id = f.customer_id
), there as (
  select coalesce(created_by_id, 0) as tenant_id, count(*) as total, count(f.customer_id) as linked
  from crm_customers c left join fleets f on f.customer_id = c.id
  where c.id <= :customers or f.customer_id is not null
  group by grouping sets ((), (created_by_id)) having grouping(created_by_id) = 1 or created_by_id is not null
)
insert into crm_hosting.scope_days (tenant_id, day, customers, active, offline, maintenance, hashrate, earning_hashrate,
                                    power, electricity_cost, total_customers, linked_customers)
select tenant_id, cast(:day as date), customers, active, offline, maintenance, hashrate, earning_hashrate, power,
       electricity_cost, total, linked
from (
  select coalesce(owner, 0) as tenant_id, count(*) as customers, sum(active) as active, sum(offline) as offline,
         sum(maintenance) as maintenance, sum(hashrate) as hashrate, sum(earning_hashrate) as earning_hashrate,
         sum(power) as power, sum(electricity_cost) as electricity_cost
  from (select distinct on (account_id) * from fleets order by account_id, customer_id desc) each
  group by grouping sets ((), (owner)) having grouping(owner) = 1 or owner is not null
) totals join there using (tenant_id)
"""
RUN = """
insert into crm_hosting.runs (origin, state, total, linked, synced, skipped, errors, changed, started_at, heartbeat_at,
                              ended_at, failure)
select 'schedule', :state, total_customers, linked_customers, customers - :errors, total_customers - customers, :errors,
       customers - :errors, at, at + interval '2 seconds', at + interval '2 seconds', :failure
from (select cast(:day as date) + interval '3 hours' as at) t, crm_hosting.scope_days s
where s.tenant_id = 0 and s.day = cast(:day as date)
returning id
"""

# Somebody had their records open.
LOCKED = """
insert into crm_hosting.run_errors (run_id, customer_id, sqlstate)
select cast(:run as bigint), customer_id, '55P03' from crm_hosting.fleet_now order by customer_id limit :errors
"""

# What the CRM's records said after it: coins are the same, their price was another one.
RECORDED = """
update crm_customers c
set hosting_estimated_daily_usd = round(c.hosting_estimated_daily_btc * m.btc_price, 2),
    hosting_net_profit_daily = c.hosting_net_profit_daily - c.hosting_estimated_daily_usd
                               + round(c.hosting_estimated_daily_btc * m.btc_price, 2)
from crm_hosting.market_days m
where m.customer_id = 0 and m.tenant_id = 0 and m.day = cast(:day as date)
"""


def invent(url: str) -> bool:
    """Put ninety days before a first sync; whether there was none but that one. The next one finds today's changes."""
    chance = random.Random(SEED)  # noqa: S311 (the same past every time is the point)
    today = datetime.now(UTC).date()
    with connect(url) as db:
        db.run("begin")
        if db.run("select from crm_hosting.market_days where day < cast(:today as date)", today=today):
            return False
        # Of a past that has happened the first run is not the oldest.
        db.run("delete from crm_hosting.runs")
        db.run("delete from crm_hosting.scope_days")
        columns = ("customer_id", "account_id", "active", "offline", "maintenance", "hashrate", "earning_hashrate",
                   "power", "electricity_cost")  # fmt: skip
        for place, found in enumerate(db.run(NOW)):
            fleet = dict(zip(columns, found, strict=True))
            ago, lost = LOSSES.get(place, (0 if place in GROWN else None, 0.0))
            days = _fleet(chance, fleet, today, ago, lost, LINKED.get(place))
            if place in GROWN:
                days[-1] |= _day(fleet, GROWN[place], 1.0)
            db.run(KEPT, rows=json.dumps(days, default=str))
            db.run(BEGUN, day=days[-1]["until"], customer=fleet["customer_id"])
            if ago:
                db.run(NOTED, day=today - timedelta(ago), left=round(1 - lost, 2), customer=fleet["customer_id"])
        for ago in range(DAYS, 0, -1):
            if ago not in MISSED:
                _night(db, today - timedelta(ago), ago)
        db.run(RECORDED, day=today - timedelta(1))
        doubts.happen(db, ADMIN.id, MINE_OWNER.id)
        db.run("commit")
    return True


def _fleet(  # noqa: PLR0913, PLR0917 (each is a thing that may have happened to it)
    chance: random.Random, fleet: Row, today: date, lost_ago: int | None, lost: float, linked_ago: int | None
) -> list[Row]:
    """The fleet's days before it became what it is: it grew, and now and then a part of it was off."""
    if lost_ago is None:
        changes = sorted(chance.sample(range(2, DAYS), chance.randint(1, 4)), reverse=True)
    else:
        changes = [*sorted(chance.sample(range(lost_ago + 3, DAYS), 2), reverse=True), lost_ago]
    begins = DAYS if chance.random() < 0.85 else min(DAYS, changes[0] + chance.randint(3, 30))
    if linked_ago:
        begins, changes = linked_ago, [ago for ago in changes if ago < linked_ago] or [linked_ago - 1]
    days = []
    for number, (start, end) in enumerate(zip([begins, *changes], changes, strict=False)):
        if start <= end:
            continue
        size = 1 - 0.05 * (len(changes) - 1 - number) * chance.random()
        runs = 1 / (1 - lost) if lost and end == changes[-1] else chance.uniform(0.97, 1.01)
        days.append(_day(fleet, size, runs) | {"day": today - timedelta(start), "until": today - timedelta(end)})
    return days


def _day(fleet: Row, size: float, runs: float) -> Row:
    machines = fleet["active"] + fleet["offline"] + fleet["maintenance"]
    there = max(round(machines * size), 1)
    active = min(round(fleet["active"] * size * min(runs, 1.0 if runs < 1.1 else runs)), there)
    off = there - active
    maintenance = min(off, round(fleet["maintenance"] * size))
    return {
        "customer_id": fleet["customer_id"],
        "account_id": fleet["account_id"],
        "active": active,
        "offline": off - maintenance,
        "maintenance": maintenance,
        "hashrate": round(float(fleet["hashrate"]) * size * max(runs, 1.0), 2),
        "earning_hashrate": round(float(fleet["earning_hashrate"]) * size * runs, 2),
        "power": round(fleet["power"] * size * max(runs, 1.0)),
        "electricity_cost": round(float(fleet["electricity_cost"]) * size * runs, 2),
        "has_unusable_figure": False,
    }


def _night(db: Connection, day: date, ago: int) -> None:
    price = round(95_000 - 90 * ago + 2_600 * math.sin(ago / 7) + 900 * math.sin(ago * 1.9), 2)
    db.run(MARKET, day=day, price=price, difficulty=round(1.5e14 * 0.991 ** (ago // 14)))
    db.run(TOTALS, day=day, customers=CUSTOMERS - ago // 9)
    failed = ago == FAILED
    errors = 0 if failed else {9: 1, 34: 2}.get(ago, 0)
    state, failure = ("failed", "57P01") if failed else ("completed", None)
    [[run]] = db.run(RUN, day=day, errors=errors, state=state, failure=failure)
    db.run(LOCKED, run=run, errors=errors)
