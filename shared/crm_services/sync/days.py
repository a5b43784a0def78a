"""A customer's day: the fragment of the sync that keeps it, and the marks of who was synced when, by which market."""

from crm_services.base.settings import history_time_zone
from crm_services.postgres.database import Transaction

TODAY = "(now() at time zone :time_zone::text)::date"

# What makes a day another one than the day before.
_KEPT = (
    "active",
    "offline",
    "maintenance",
    "hashrate",
    "earning_hashrate",
    "power",
    "electricity_cost",
    "has_unusable_figure",
)
_COLUMNS = ", ".join(_KEPT)


def _of(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in _KEPT)


# Of the range in `compared`, whose rows that could be written are in `written`. A figure that changed closes the row
# that was there, from today on there is another; on the same day it is that row that changes. Whoever has another
# account than before, or none, keeps no day of that one's. A customer that is gone keeps none at all, which a run over
# everybody alone can tell. (Arrays, so that rows are found by their key, whatever the planner takes them for.)
KEEP_DAYS = f"""
kept as materialized (
  select n.* from crm_hosting.fleet_now n
  where n.customer_id > :after::integer and n.customer_id <= :upto::integer
    and (:only::integer[] is null or n.customer_id = any (:only::integer[]))
), stray as materialized (
  select k.* from kept k
  where not exists (select from compared c where c.id = k.customer_id and c.account_id is not null)
), there as materialized (
  select c.id, c.created_by_id from crm_hosting.customers c
  where c.id = any (array(select customer_id from stray)::integer[])
), found as materialized (
  select c.id as customer_id, c.account_id, null::integer as lost_account_id, c.owner_id, {_of("c")},
         k.account_id = c.account_id as is_same_account, k.day as kept_day,
         ({_of("k")}) is not distinct from ({_of("c")}) as is_same
  from compared c left join kept k on k.customer_id = c.id
  where c.account_id is not null and c.is_due and (not c.is_changed or c.id in (select id from written))
    and (k.account_id, k.owner_id, {_of("k")}) is distinct from (c.account_id, c.owner_id, {_of("c")})
  union all
  select k.customer_id, null, k.account_id, c.created_by_id, 0, 0, 0, 0, 0, 0, 0, false, false, k.day, false
  from stray k join there c on c.id = k.customer_id where k.account_id is not null
), closed as (
  insert into crm_hosting.fleet_days (customer_id, day, until, account_id, {_COLUMNS})
  select k.customer_id, k.day, {TODAY}, k.account_id, {_of("k")}
  from found f join kept k using (customer_id)
  where f.is_same_account and not f.is_same and k.day < {TODAY}
  on conflict do nothing
), begun as (
  insert into crm_hosting.fleet_now (customer_id, day, account_id, lost_account_id, owner_id, {_COLUMNS})
  select customer_id, case when is_same_account and is_same then kept_day else greatest({TODAY}, kept_day) end,
         account_id, lost_account_id, owner_id, {_COLUMNS}
  from found order by customer_id
  on conflict (customer_id) do update
  set day = excluded.day, account_id = excluded.account_id, lost_account_id = excluded.lost_account_id,
      owner_id = excluded.owner_id, {", ".join(f"{name} = excluded.{name}" for name in _KEPT)}
), gone as (
  delete from crm_hosting.fleet_now n
  where n.customer_id = any (array(
    select customer_id from stray
    where (select current_setting('crm_hosting.scope', true)) = 'all'
      and not exists (select from there where id = customer_id)))
  returning n.customer_id
), no_longer_theirs as (
  delete from crm_hosting.fleet_days d
  where d.customer_id = any (array(
    select f.customer_id from found f where not f.is_same_account and f.kept_day is not null
    union all select customer_id from gone))
)
"""

# Whatever is in sight was synced, by the market as it is.
MARK_DAY = f"""
insert into crm_hosting.market_days (
  tenant_id, customer_id, day, synced_at, btc_price, network_difficulty, btc_per_terahash_day)
select :tenant_id::integer, :customer_id::integer, {TODAY}, clock_timestamp(),
       m.btc_price, m.network_difficulty, m.btc_per_terahash_day
from (values (1)) always (there) left join crm_hosting.market m on true
on conflict (customer_id, tenant_id, day) do update
set synced_at = excluded.synced_at, btc_price = excluded.btc_price, network_difficulty = excluded.network_difficulty,
    btc_per_terahash_day = excluded.btc_per_terahash_day
"""

PREPARE_TOTAL = "set local statement_timeout = '120s'; set local work_mem = '64MB'; set local jit = off"

# The totals of each owner's customers and of all, of the day that a run over everybody ends on: what all of them have
# together, less what several of them share, in the figures of the one that was made last.
_TOTALS = _KEPT[:-1]
TOTAL_DAY = f"""
with shared as materialized (
  select n.*, row_number() over (partition by n.account_id order by n.customer_id desc) as place,
         row_number() over (partition by n.account_id, n.owner_id order by n.customer_id desc) as place_of_owner
  from (select account_id from crm_hosting.fleet_now where account_id is not null
        group by account_id having count(*) > 1) several
  join crm_hosting.fleet_now n using (account_id)
), of_owners as materialized (
  select owner_id, count(*) as customers, {", ".join(f"sum({name}) as {name}" for name in _TOTALS)}
  from crm_hosting.fleet_now where account_id is not null group by owner_id
), counted as (
  select owner_id as tenant_id, customers, {", ".join(_TOTALS)} from of_owners where owner_id is not null
  union all
  select owner_id, 0, {", ".join(f"-{name}" for name in _TOTALS)} from shared
  where owner_id is not null and place_of_owner > 1
  union all
  select 0, customers, {", ".join(_TOTALS)} from of_owners
  union all
  select 0, 0, {", ".join(f"-{name}" for name in _TOTALS)} from shared where place > 1
  union all
  select 0, 0, {", ".join("0" for _ in _TOTALS)}
)
insert into crm_hosting.scope_days (tenant_id, day, customers, {", ".join(_TOTALS)})
select tenant_id, {TODAY}, sum(customers), {", ".join(f"sum({name})" for name in _TOTALS)}
from counted group by tenant_id order by tenant_id
on conflict (tenant_id, day) do update
set customers = excluded.customers, {", ".join(f"{name} = excluded.{name}" for name in _TOTALS)}
"""


def mark_customer(transaction: Transaction, customer_id: int) -> None:
    """Note that this customer was synced today, by the market as it is."""
    _mark(transaction, 0, customer_id)


def mark_run(transaction: Transaction, tenant_id: int | None) -> None:
    """Note that whoever the tenant sees was synced today (None: everybody, with the totals of everybody's fleets)."""
    _mark(transaction, tenant_id or 0, 0)
    if tenant_id is None:
        transaction.rows(PREPARE_TOTAL)
        transaction.rows(TOTAL_DAY, time_zone=history_time_zone())


def _mark(transaction: Transaction, tenant_id: int, customer_id: int) -> None:
    transaction.rows(MARK_DAY, tenant_id=tenant_id, customer_id=customer_id, time_zone=history_time_zone())
