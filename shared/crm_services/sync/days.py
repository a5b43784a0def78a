"""A customer's day: the fragment of the sync that keeps it, and the marks of who was synced when, by which market."""

from crm_services.base.settings import history_time_zone
from crm_services.fleet.figures import places_of
from crm_services.postgres.database import Transaction

TODAY = "(now() at time zone :time_zone::text)::date"

# What makes a day another one than the day before.
KEPT = (
    "active",
    "offline",
    "maintenance",
    "hashrate",
    "earning_hashrate",
    "power",
    "electricity_cost",
    "has_unusable_figure",
)
_COLUMNS = ", ".join(KEPT)


def _of(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in KEPT)


# Of the range in `compared`, whose rows that could be written are in `written`. A figure that changed closes the row
# that was there, from today on there is another; on the same day it is that row that changes. Whoever has another
# account than before, or none, keeps no day of that one's. A customer that is gone keeps none at all, which a run over
# everybody alone can tell. Where machines stand is looked at only where something differs, which the fingerprint tells.
# (Both sides are read once, and only what differs is kept in hand. Arrays, so that rows are found by their key,
# whatever the planner takes them for.)
KEEP_DAYS = f"""
differing as materialized (
  select c.id, c.account_id, c.owner_id, {_of("c")}, c.fingerprint, k.customer_id as kept_id, k.day as kept_day,
         k.account_id as kept_account_id, {", ".join(f"k.{name} as kept_{name}" for name in (*KEPT, "places"))},
         c.id is null as is_stray, k.account_id = c.account_id as is_same_account,
         ({_of("k")}) is not distinct from ({_of("c")}) as are_same_figures
  from (select *, is_due and (not is_changed or id in (select id from written)) as is_written
        from compared where account_id is not null) c
  full join (select * from crm_hosting.fleet_now
             where customer_id > :after::integer and customer_id <= :upto::integer
               and (:only::integer[] is null or customer_id = any (:only::integer[]))) k on k.customer_id = c.id
  where c.id is null
     or (k.account_id, k.owner_id, k.fingerprint, {_of("k")})
        is distinct from (c.account_id, c.owner_id, c.fingerprint, {_of("c")}) and is_written
), there as materialized (
  select c.id, c.created_by_id from crm_hosting.customers c
  where c.id = any (array(select kept_id from differing where is_stray)::integer[])
), standing as (
  {places_of("array(select account_id from differing where not is_stray)")}
), found as materialized (
  select id as customer_id, account_id, null::integer as lost_account_id, owner_id, {_COLUMNS},
         coalesce(places, '') as places, fingerprint, is_same_account,
         are_same_figures and kept_places is not distinct from coalesce(places, '') as is_same, kept_day
  from differing left join standing using (account_id) where not is_stray
  union all
  select kept_id, null, kept_account_id, t.created_by_id, 0, 0, 0, 0, 0, 0, 0, false, '', 0, false, false, kept_day
  from differing d join there t on t.id = d.kept_id where is_stray and kept_account_id is not null
), closed as (
  insert into crm_hosting.fleet_days (customer_id, day, until, account_id, {_COLUMNS}, places)
  select d.id, d.kept_day, {TODAY}, d.account_id, {", ".join(f"d.kept_{name}" for name in KEPT)}, d.kept_places
  from differing d join found f on f.customer_id = d.id
  where not d.is_stray and f.is_same_account and not f.is_same and d.kept_day < {TODAY}
  on conflict do nothing
), begun as (
  insert into crm_hosting.fleet_now (
    customer_id, day, account_id, lost_account_id, owner_id, {_COLUMNS}, places, fingerprint)
  select customer_id, case when is_same_account and is_same then kept_day else greatest({TODAY}, kept_day) end,
         account_id, lost_account_id, owner_id, {_COLUMNS}, places, fingerprint
  from found order by customer_id
  on conflict (customer_id) do update
  set day = excluded.day, account_id = excluded.account_id, lost_account_id = excluded.lost_account_id,
      owner_id = excluded.owner_id, {", ".join(f"{name} = excluded.{name}" for name in KEPT)},
      places = excluded.places, fingerprint = excluded.fingerprint
), gone as (
  delete from crm_hosting.fleet_now n
  where n.customer_id = any (array(
    select kept_id from differing
    where is_stray and (select current_setting('crm_hosting.scope', true)) = 'all'
      and not exists (select from there where id = kept_id)))
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


def mark_customer(transaction: Transaction, customer_id: int) -> None:
    """Note that this customer was synced today, by the market as it is."""
    _mark(transaction, 0, customer_id)


def mark_run(transaction: Transaction, tenant_id: int | None) -> None:
    """Note that whoever the tenant sees was synced today (None: everybody)."""
    _mark(transaction, tenant_id or 0, 0)


def _mark(transaction: Transaction, tenant_id: int, customer_id: int) -> None:
    transaction.rows(MARK_DAY, tenant_id=tenant_id, customer_id=customer_id, time_zone=history_time_zone())
