"""The totals of a day: of each owner's customers and of all, told by the end of a run over everybody."""

from crm_services.base.settings import history_time_zone
from crm_services.fleet.locations import EACH_PLACE, ONE_PLACE, places
from crm_services.postgres.database import Transaction
from crm_services.sync.days import KEPT, TODAY

PREPARE_TOTAL = "set local work_mem = '64MB'; set local jit = off"

_TOTALS = KEPT[:-1]
_PLACED = "key, (value ->> 0)::bigint as machines, (value ->> 1)::numeric as hashrate, (value ->> 2)::bigint as power"
_LESS = "key, -(value ->> 0)::bigint, -(value ->> 1)::numeric, -(value ->> 2)::bigint"

# What all of them have together, less what several of them share, in the figures of the one that was made last. Rows
# of an owner and one location, as most are, are added up at once. Whose customers are gone since the day was first told
# has no row.
TOTAL_DAY = f"""
with shared as materialized (
  select n.*, row_number() over (partition by n.account_id order by n.customer_id desc) as place,
         row_number() over (partition by n.account_id, n.owner_id order by n.customer_id desc) as place_of_owner
  from (select account_id from crm_hosting.fleet_now where account_id is not null
        group by account_id having count(*) > 1) several
  join crm_hosting.fleet_now n using (account_id)
), of_places as materialized (
  select owner_id, case when starts_with(places, '{{') then '{{' else coalesce(places, '') end as places,
         count(*) as customers, {", ".join(f"sum({name}) as {name}" for name in _TOTALS)}
  from crm_hosting.fleet_now where account_id is not null group by 1, 2
), of_owners as materialized (
  select owner_id, sum(customers) as customers, {", ".join(f"sum({name}) as {name}" for name in _TOTALS)}
  from of_places group by owner_id
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
), sites_of_owners as materialized (
  select owner_id, key, sum(machines) as machines, sum(hashrate) as hashrate, sum(power) as power
  from (
    select owner_id, {ONE_PLACE} as key, active + offline + maintenance as machines, hashrate, power
    from of_places where places <> '{{'
    union all
    select owner_id, {_PLACED} from crm_hosting.fleet_now, {EACH_PLACE}
    where account_id is not null and starts_with(places, '{{')
  ) standing
  group by owner_id, key
), sites as (
  select owner_id as tenant_id, key, machines, hashrate, power from sites_of_owners where owner_id is not null
  union all
  select owner_id, {_LESS} from shared, {EACH_PLACE} where owner_id is not null and place_of_owner > 1
  union all
  select 0, key, machines, hashrate, power from sites_of_owners
  union all
  select 0, {_LESS} from shared, {EACH_PLACE} where place > 1
), standing as (
  {places("select * from sites", "tenant_id")}
), nothing_left as (
  delete from crm_hosting.scope_days
  where day = {TODAY} and tenant_id <> all (array(select tenant_id from counted))
)
insert into crm_hosting.scope_days (tenant_id, day, customers, {", ".join(_TOTALS)}, places)
select tenant_id, {TODAY}, customers, {", ".join(_TOTALS)}, coalesce(places, '')
from (select tenant_id, sum(customers) as customers, {", ".join(f"sum({name}) as {name}" for name in _TOTALS)}
      from counted group by tenant_id) total
left join standing using (tenant_id)
order by tenant_id
on conflict (tenant_id, day) do update
set customers = excluded.customers, {", ".join(f"{name} = excluded.{name}" for name in (*_TOTALS, "places"))}
"""


def total_day(transaction: Transaction) -> None:
    """Keep the totals of today, as the fleets are kept."""
    transaction.rows(PREPARE_TOTAL)
    transaction.rows(TOTAL_DAY, time_zone=history_time_zone())
