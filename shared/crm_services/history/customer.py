"""A customer's days."""

from crm_services.base.errors import NotFound
from crm_services.base.settings import history_time_zone, settings
from crm_services.fleet.locations import SHOWN_PLACES
from crm_services.history.figures import MARKET_JSON, days_json, fleet_json
from crm_services.history.period import PERIOD, Period
from crm_services.links.matching import LINK
from crm_services.postgres.database import Transaction

# What a day's fleet is, in the columns that both tables of fleets have.
_FLEET = "active, offline, maintenance, hashrate, earning_hashrate, power, electricity_cost, places"

# The customer's days as a JSON array, oldest first; no row where there is no such customer in sight. Of another account
# than it is linked to now no day is shown, though the next sync has yet to forget it. Each of three syncs marks a day:
# of everybody, of the owner's customers, of this one alone; the last of them stands. A day that has no row of its own,
# of fleet or market, has the last one's before it: both are found by the newest day up to then on which a row begins.
HISTORY = f"""
with {PERIOD}, asked as materialized (
  select c.id, c.created_by_id, link.account_id, period.*
  from period, crm_hosting.customers c {LINK} where c.id = :customer_id::integer
), fleets as materialized (
  select greatest(f.day, asked.first) as starts, f.*
  from asked cross join lateral (
    select day, {_FLEET} from crm_hosting.fleet_days d
    where d.customer_id = asked.id and d.account_id = asked.account_id
      and d.day <= asked.upto and d.until > asked.first
    union all
    select day, {_FLEET} from crm_hosting.fleet_now n
    where n.customer_id = asked.id and n.day <= asked.upto and n.account_id is not distinct from asked.account_id
  ) f
), marks as materialized (
  select distinct on (greatest(m.day, asked.first)) greatest(m.day, asked.first) as starts, m.*
  from asked
  cross join lateral (values (0, 0), (created_by_id, 0), (0, id)) k (tenant_id, customer_id)
  cross join lateral (
    select * from crm_hosting.market_days m
    where m.customer_id = k.customer_id and m.tenant_id = k.tenant_id and m.day between asked.first and asked.upto
    union all
    (select * from crm_hosting.market_days m
     where m.customer_id = k.customer_id and m.tenant_id = k.tenant_id and m.day < asked.first
     order by m.customer_id, m.tenant_id, m.day desc limit 1)
  ) m
  order by greatest(m.day, asked.first), m.day desc, m.synced_at desc
), days as (
  select d.day, max(f.starts) over (order by d.day) as fleet_of, max(m.starts) over (order by d.day) as market_of,
         m.day is distinct from d.day as carried
  from (select first + n as day from asked, generate_series(0, upto - first) n) d
  left join fleets f on f.starts = d.day left join marks m on m.starts = d.day
)
select (
  select {days_json()}
  from (select day, carried, fleet_of, market_of from days) days
  left join (select starts, earning_hashrate, electricity_cost, {fleet_json(SHOWN_PLACES)} from fleets offset 0) f
    on f.starts = days.fleet_of
  left join (select starts, btc_per_terahash_day, {MARKET_JSON} from marks offset 0) m on m.starts = days.market_of
)
from asked
"""


def customer_history_json(transaction: Transaction, customer_id: int, period: Period) -> str:
    """The customer's days as a JSON array of `DaySchema`, oldest first, from its first sync on.

    Raises NotFound where there is no such customer in the transaction's scope.
    """
    rows = transaction.rows(
        HISTORY,
        customer_id=customer_id,
        first=period.first,
        upto=period.upto,
        time_zone=history_time_zone(),
        link_any=settings().link_any,
    )
    if not rows:
        raise NotFound("customer_not_found")
    return str(rows[0][0])
