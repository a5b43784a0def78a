"""The days of all customers that somebody sees."""

from crm_services.access.entry import Caller
from crm_services.base.settings import history_time_zone
from crm_services.fleet.locations import SHOWN_PLACES
from crm_services.history.figures import MARKET_JSON, days_json, fleet_json
from crm_services.history.period import PERIOD, Period
from crm_services.postgres.database import Transaction

_TOTALS = "customers, active, offline, maintenance, hashrate, earning_hashrate, power, electricity_cost"

# How many have a fleet, how many there are, and how many are linked.
_CUSTOMERS = """
'"customers":' || customers || ',"total_customers":' || coalesce(total_customers::text, 'null')
  || ',"linked_customers":' || coalesce(linked_customers::text, 'null') || ',' as counts
"""

# The totals as runs over everybody left them, from the first that had any of this scope. A day of such a run on which
# the scope had nothing has zeros; one without a run has what the last one before it had.
SCOPE_HISTORY = f"""
with {PERIOD}, asked as materialized (
  select greatest(period.first, begun.first) as first, upto
  from period, (select min(day) as first from crm_hosting.scope_days where tenant_id = :tenant_id::integer) begun
  where begun.first is not null
), marks as materialized (
  select greatest(m.day, asked.first) as starts, m.day, m.btc_price, m.network_difficulty, m.btc_per_terahash_day,
         {", ".join(f"coalesce(t.{name}, 0) as {name}" for name in _TOTALS.split(", "))}, t.places,
         t.total_customers, t.linked_customers
  from asked
  cross join lateral (
    select * from crm_hosting.market_days
    where customer_id = 0 and tenant_id = 0 and day between asked.first and asked.upto
    union all
    (select * from crm_hosting.market_days
     where customer_id = 0 and tenant_id = 0 and day < asked.first
       and not exists (select from crm_hosting.market_days
                       where customer_id = 0 and tenant_id = 0 and day = asked.first)
     order by customer_id, tenant_id, day desc limit 1)
  ) m
  left join lateral (  -- each by its key: for few days a planner would compare all with all
    select * from crm_hosting.scope_days where tenant_id = :tenant_id::integer and day = m.day offset 0
  ) t on true
), days as (
  select d.day, max(m.starts) over (order by d.day) as mark_of, m.day is distinct from d.day as carried
  from (select first + n as day from asked, generate_series(0, upto - first) n) d
  left join marks m on m.starts = d.day
)
select {days_json("counts ||")}
from days
left join (select starts, {_CUSTOMERS}, earning_hashrate, electricity_cost, btc_per_terahash_day,
             {fleet_json(SHOWN_PLACES)}, {MARKET_JSON} from marks offset 0) m on m.starts = days.mark_of
"""


def scope_history_json(transaction: Transaction, caller: Caller, period: Period) -> str:
    """The days of all customers in the caller's scope together, as a JSON array of `ScopeDaySchema`, oldest first."""
    days: str = transaction.value(
        SCOPE_HISTORY,
        tenant_id=caller.tenant_id or 0,
        first=period.first,
        upto=period.upto,
        time_zone=history_time_zone(),
    )
    return days
