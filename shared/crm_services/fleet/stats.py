"""A customer's fleet in figures."""

import json

from crm_services.base.errors import NotFound
from crm_services.base.settings import settings
from crm_services.fleet.figures import ALIKE, BY_SIZE, LOCATIONS_OF_ONE, MARKET, MODELS_OF_ONE, earnings
from crm_services.fleet.miners import FIRST_MINERS, INCLUDED_MINERS, PAGE_BYTES, miners_page_json, size_in_an_answer
from crm_services.links.matching import LINK
from crm_services.postgres.database import Transaction


# The customer's figures as the contract's JSON text; no row where the customer is out of sight. Nothing is divided
# before it is rounded, as a numeric quotient is rounded itself: W/TH to two places is floor(100 W/TH + 1/2) / 100.
def _stats(columns: str = "", source: str = "") -> str:
    return f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
), {MARKET}, {ALIKE}, {MODELS_OF_ONE}, total as (
  select coalesce(sum(active), 0) as active, coalesce(sum(offline), 0) as offline,
         coalesce(sum(maintenance), 0) as maintenance, coalesce(sum(sold), 0) as sold,
         coalesce(sum(machines), 0) as machines, coalesce(sum(hashrate), 0) as hashrate,
         coalesce(sum(power), 0) as power, coalesce(sum(active_power), 0) as active_power,
         {earnings("sum(earning_hashrate)", "sum(electricity_cost)")},
         coalesce(json_object_agg(model, json_build_object(
           'count', machines, 'hashrate', round(hashrate, 2), 'power', power
         ) order by {BY_SIZE}) filter (where machines > 0), '{{}}') as by_model
  from models
)
select json_build_object(
  'has_hosting', linked.account_id is not null,
  'user_access_id', linked.account_id,
  'miners_count', machines,
  'total_hashrate', round(hashrate, 2),
  'total_power', power,
  'total_power_mw', round(power * 0.000001, 3),
  'active_power', active_power,
  'active_miners', active,
  'offline_miners', offline,
  'maintenance_miners', maintenance,
  'estimated_daily_btc', daily_btc,
  'estimated_daily_usd', daily_usd,
  'avg_efficiency', coalesce(div(power * 200 + hashrate, nullif(hashrate, 0) * 2) * 0.01, 0),
  'by_model', by_model,
  'by_location', {LOCATIONS_OF_ONE},
  'by_status', json_build_object(
    'active', active, 'offline', offline, 'maintenance', maintenance, 'sold', sold),
  'electricity_cost_daily', electricity_cost,
  'net_profit_daily', case when recorded_at is null then 0 else daily_usd - electricity_cost end,
  'btc_price', btc_price,
  'network_difficulty', network_difficulty,
  'market_as_of', to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
)::text{columns}
from linked cross join total left join market on true{source}
"""


STATS = _stats()
# With the first of the machines: one statement, which looks the account up once, and whose caller waits once.
STATS_AND_MINERS = _stats(", miners, following", f" cross join ({FIRST_MINERS}) listed")


def hosting_stats_json(transaction: Transaction, customer_id: int, include_miners: bool = False) -> str:
    """The figures as JSON text, `HostingStatsSchema`, if asked for with the first of the machines.

    Raises NotFound where there is no such customer in the transaction's scope.
    """
    given = {"customer_id": customer_id, "link_any": settings().link_any}
    if not (rows := transaction.rows(STATS_AND_MINERS if include_miners else STATS, **given)):
        raise NotFound("customer_not_found")
    stats, *listed = rows[0]
    if not listed:
        return str(stats)
    miners, following = listed
    if size_in_an_answer(miners) > PAGE_BYTES:  # very long names: a shorter page
        miners, following = miners_page_json(transaction, customer_id, limit=INCLUDED_MINERS)
    return f'{stats[:-1]}, "miners": {miners}, "miners_next": {json.dumps(following)}}}'
