"""Which fleets were others on a day than on the day before it that was synced, largest difference first."""

import json
from datetime import date
from typing import Any, NamedTuple

from crm_services.access.entry import Caller
from crm_services.base.settings import history_time_zone, settings
from crm_services.history.figures import FLEET_JSON, MARKET_JSON, NET_PROFIT
from crm_services.links.matching import FEW, LINK, TENANTS
from crm_services.postgres.database import Transaction

# What a change is one of. (Where machines stand is not shown here, so it is none.)
_FIGURES = "active, offline, maintenance, hashrate, earning_hashrate, power, electricity_cost"


def _of(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in _FIGURES.split(", "))


def _mark(keys: str, upto: str) -> str:
    """The last sync up to that day, of those that have these keys (rows of tenant and customer)."""
    return f"""
select m.* from (values {keys}) k (tenant_id, customer_id)
cross join lateral (
  select * from crm_hosting.market_days
  where customer_id = k.customer_id and tenant_id = k.tenant_id and day <= {upto}
  order by customer_id, tenant_id, day desc limit 1
) m
order by m.day desc, m.synced_at desc limit 1
"""


def _before(customer: str, upto: str) -> str:
    """The customer's fleet of that day where it has become another since."""
    return f"""
select * from (
  select until, {_FIGURES} from crm_hosting.fleet_days
  where customer_id = {customer} and day <= {upto} order by day desc limit 1
) d where until > {upto}
"""


def _shown(day: str, or_now: str = "") -> str:
    """A customer's day as a JSON object, one row, or none: its fleet, and what that earned by its own last sync."""
    return f"""
select '{{' || fleet || ',"net_profit_daily":' || {NET_PROFIT} || '}}' as json
from (select earning_hashrate, electricity_cost, {FLEET_JSON}
      from ({_before("c.id", day)} {or_now}) d) f
left join (select {MARKET_JSON}
           from ({_mark("(0, 0), (c.created_by_id, 0), (0, c.id)", day)}) d) m on true
"""


_NOW = f"""
union all
select null, {_FIGURES} from crm_hosting.fleet_now where customer_id = c.id and day <= span.day
"""
_SCOPES = "(0, 0), (:tenant_id::integer, 0)"


# What those who began stood as before: of everybody's all at once, as whatever was there on the one day and is no more
# on the other has ended in between; of a tenant's one by one, or what ended of others' would be read. (Full: a planner
# that takes either for a few rows would compare all with all. The condition looks at both sides, and it stays so.)
_ALL_BEFORE = f"""
begun b full join (
  select f.customer_id, f.until, {_of("f")}
  from span join crm_hosting.fleet_days f on f.until > span.since and f.until <= span.day and f.day <= span.since
) f on f.customer_id = b.customer_id
"""
_EACH_BEFORE = f"begun b left join lateral ({_before('b.customer_id', 'b.since')}) f on true"

# So many may be told exactly: of more, those whose link was lost since the last sync are counted until the next.
MOST_LOOKED_AT = 1_000
_ARE_FEW = f"(select count(*) <= {MOST_LOOKED_AT} from changed)"
# The customer as it is now: as in its own history, there is no day of an account that it is not linked to any more,
# though the next sync has yet to forget it.
_STILL_LINKED = f"""
cross join lateral (select * from crm_hosting.customers where id = s.customer_id offset 0) c
{LINK}
"""


# Every fleet that began after the one day and was there on the other is another one, or is new; what has no machines
# and had none is neither, as a lost link, whose days are forgotten. They are put in order by what is cheap to tell;
# what they earned is looked up for a page of them.
def _changes(is_seen: str, and_before: str) -> str:
    return f"""
with last as materialized (
  select asked.day as asked_day, m.*
  from (select case when :day::date is not null then least(:day::date, today) end as day, today
        from (select (now() at time zone :time_zone::text)::date as today) clock) asked
  left join lateral ({_mark(_SCOPES, "coalesce(asked.day, asked.today)")}) m on true
), span as materialized (
  select coalesce(last.asked_day, last.day) as day, former.day as since, last.day is not null as is_synced,
         last.btc_price, last.network_difficulty,
         former.btc_price as former_btc_price, former.network_difficulty as former_network_difficulty
  from last left join lateral ({_mark(_SCOPES, "coalesce(last.asked_day, last.day) - 1")}) former on true
), begun as (
  select n.customer_id, n.account_id, span.since, {_FIGURES}
  from span join crm_hosting.fleet_now n on n.day > span.since and n.day <= span.day
  where {is_seen}
  union all
  select n.customer_id, n.account_id, span.since, {_FIGURES}
  from span join crm_hosting.fleet_days n on n.day > span.since and n.day <= span.day and n.until > span.day
  where {is_seen}
), changed as materialized (
  select b.customer_id, b.account_id, round(abs(b.earning_hashrate - coalesce(f.earning_hashrate, 0)), 2) as difference
  from {and_before}
  where case when b.customer_id is null then false
             when f.until is null then b.active + b.offline + b.maintenance > 0
             else ({_of("b")}) is distinct from ({_of("f")}) end
), still_linked as materialized (
  select s.* from (select * from changed where {_ARE_FEW} offset 0) s {_STILL_LINKED}
  where link.account_id = s.account_id
), page as materialized (
  select * from (select * from still_linked union all select * from changed where not {_ARE_FEW}) known
  where :after_id::bigint is null or (-difference, customer_id) > (-:after_difference::numeric, :after_id::bigint)
  order by difference desc, customer_id limit :limit::integer + 1
), shown as materialized (
  select * from page order by difference desc, customer_id limit :limit::integer
), drawn as (
  select s.difference, s.customer_id,
         '{{"customer_id":' || c.id || ',"name":' || coalesce(to_json(c.name)::text, 'null')
           || ',"before":' || coalesce(former.json, 'null') || ',"after":' || latter.json || '}}' as item
  from span cross join shown s {_STILL_LINKED}
  cross join lateral ({_shown("span.day", _NOW)}) latter
  left join lateral ({_shown("span.since")}) former on true
  where link.account_id = s.account_id
)
select (select '[' || coalesce(string_agg(item, ',' order by difference desc, customer_id), '') || ']' from drawn),
       case when {_ARE_FEW} then (select count(*) from still_linked) else (select count(*) from changed) end,
       span.day, span.since,
       json_build_object(
         'before', case when since is not null then json_build_object(
           'btc_price', former_btc_price, 'network_difficulty', former_network_difficulty) end,
         'after', case when is_synced then json_build_object(
           'btc_price', btc_price, 'network_difficulty', network_difficulty) end)::text,
       following.difference, following.customer_id
from span left join (
  select * from shown where (select count(*) from page) > :limit::integer
  order by difference, customer_id desc limit 1
) following on true
"""


EVERYBODYS_CHANGES = _changes("true", _ALL_BEFORE)
TENANTS_CHANGES = _changes(f"n.customer_id = any ({TENANTS})", _EACH_BEFORE)


class Changes(NamedTuple):
    """What was another way on a day than on the last synced one before it, a page of it.

    `fleets` is a JSON array of `ChangeSchema`, `total` how many there are beyond the page; the days are None where
    there is none.
    """

    fleets: str
    total: int
    day: date | None
    since: date | None
    market: dict[str, Any]
    following: str | None


def changes(transaction: Transaction, caller: Caller, day: date | None, after: str | None, limit: int) -> Changes:
    """The page after that place (`following` of another page) of what changed on a day, or on the last synced one."""
    difference, _, customer_id = (after or ":").partition(":")
    transaction.ask(FEW)
    fleets, count, asked, since, market, last_difference, last_id = transaction.row(
        EVERYBODYS_CHANGES if caller.tenant_id is None else TENANTS_CHANGES,
        tenant_id=caller.tenant_id or 0,
        day=day,
        after_difference=difference or None,
        after_id=customer_id or None,
        limit=limit,
        time_zone=history_time_zone(),
        link_any=settings().link_any,
    )
    following = None if last_id is None else f"{last_difference}:{last_id}"
    return Changes(fleets, count, asked, since, json.loads(market), following)
