"""The totals of a day: of each owner's customers and of all, told by the end of a run over everybody."""

from crm_services.base.settings import history_time_zone
from crm_services.fleet.locations import EACH_PLACE, ONE_PLACE, places
from crm_services.postgres.database import Transaction
from crm_services.sync.counts import Counts
from crm_services.sync.days import KEPT, TODAY

PREPARE_TOTAL = "set local work_mem = '64MB'"

_TOTALS = KEPT[:-1]
_PLACED = "key, (value ->> 0)::bigint as machines, (value ->> 1)::numeric as hashrate, (value ->> 2)::bigint as power"
_LESS = "key, -(value ->> 0)::bigint, -(value ->> 1)::numeric, -(value ->> 2)::bigint"

# What all of them have together, less what several of them share, in the figures of the one that was made last. Rows
# of an owner and one location, as most are, are added up at once. Whose customers are gone since the day was first told
# has no row. Links are the run's own, and of owners what its ranges have of them, if they have all: not where a part of
# it was an older version's, or the end comes twice, when those of the day's rows stand.
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
), links as materialized (
  select (of_owner ->> 0)::integer as owner_id, sum((of_owner ->> 1)::integer) as linked
  from jsonb_array_elements(:links::jsonb) of_range, jsonb_array_elements(of_range) of_owner
  group by 1
), linked as (
  select 0 as tenant_id, :total::integer as total_customers, :linked::integer as linked_customers
  union all
  select owner_id, total, least(total, coalesce(linked, 0))  -- some may be gone since
  from (select created_by_id as owner_id, count(*) as total from crm_hosting.customers group by 1) theirs
  left join links using (owner_id)
  where owner_id <> 0 and (select coalesce(sum(linked), 0) from links) = :linked::integer
), nothing_left as (
  delete from crm_hosting.scope_days
  where day = {TODAY} and tenant_id <> all (array(select tenant_id from counted))
)
insert into crm_hosting.scope_days as kept (
  tenant_id, day, customers, {", ".join(_TOTALS)}, places, total_customers, linked_customers)
select tenant_id, {TODAY}, customers, {", ".join(_TOTALS)}, coalesce(places, ''), total_customers, linked_customers
from (select tenant_id, sum(customers) as customers, {", ".join(f"sum({name}) as {name}" for name in _TOTALS)}
      from counted group by tenant_id) total
left join standing using (tenant_id)
left join linked using (tenant_id)
order by tenant_id
on conflict (tenant_id, day) do update
set customers = excluded.customers, {", ".join(f"{name} = excluded.{name}" for name in (*_TOTALS, "places"))},
    {", ".join(f"{name} = coalesce(excluded.{name}, kept.{name})" for name in ("total_customers", "linked_customers"))}
"""


def total_day(transaction: Transaction, counts: Counts, links: str) -> None:
    """Keep the totals of today, as the fleets are kept; the run's counts, and the links of its ranges as JSON."""
    transaction.rows(PREPARE_TOTAL)
    transaction.rows(TOTAL_DAY, total=counts.total, linked=counts.linked, links=links, time_zone=history_time_zone())
