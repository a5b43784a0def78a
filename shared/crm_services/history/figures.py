"""What a day is shown as: the fragments that a customer's days and a scope's are built on.

A year is hundreds of days with the same names in each, most of them of the same fleet. JSON is put together as text for
that: what is the fleet's once for each fleet, what is the market's once for each market, and for a day what needs both.
(PostgreSQL's functions that build objects look each name up anew, which takes twice as long.)
"""


def _or_null(figure: str) -> str:
    return f"coalesce(({figure})::text, 'null')"


# The figures are worked out as the sync does it: nothing is rounded before the end, machines earn nothing where there
# are none, and without a market nobody knows what they earn.
_BTC = "round(earning_hashrate * btc_per_terahash_day, 8)"
_USD = "round(earning_hashrate * usd_per_terahash_day, 2)"
NET_PROFIT = f"""
case when has_machines then {_or_null(f"{_USD} - electricity_cost")} else (-electricity_cost)::text end
"""

# Of a row with a day's fleet, two columns: `has_machines`, and what its days begin with.
FLEET_JSON = """
active + offline + maintenance > 0 as has_machines,
'"miners_count":' || active + offline + maintenance || ',"active_miners":' || active
  || ',"offline_miners":' || offline || ',"maintenance_miners":' || maintenance
  || ',"total_hashrate":' || round(hashrate, 2) || ',"total_power":' || power as fleet
"""


def fleet_json(by_location: str) -> str:
    """The same and a third, what its days go on with; `by_location` is the text of a JSON value."""
    return f"""
{FLEET_JSON},
',"by_location":' || coalesce({by_location}, 'null') as standing
"""


# Of a row with a day's market, two columns: what its days end with, and what a terahash earns.
MARKET_JSON = f"""
',"btc_price":' || {_or_null("btc_price")} || ',"network_difficulty":' || {_or_null("network_difficulty")} as market,
btc_per_terahash_day * btc_price as usd_per_terahash_day
"""


def day_json(more: str = "") -> str:
    """A day as JSON text, of a row with those columns; `more` is text of members that go before the figures."""
    return f"""
'{{"day":"' || day || '","carried":' || carried || ',' || {more} fleet
  || ',"estimated_daily_btc":' || case when has_machines then {_or_null(_BTC)} else '0' end
  || ',"estimated_daily_usd":' || case when has_machines then {_or_null(_USD)} else '0' end
  || ',"electricity_cost_daily":' || electricity_cost
  || ',"net_profit_daily":' || {NET_PROFIT}
  || standing || coalesce(market, ',"btc_price":null,"network_difficulty":null') || '}}'
"""


def days_json(more: str = "") -> str:
    """Days as a JSON array, oldest first, as text; '[]' where there are none."""
    # (The planner, who takes a period for a few rows, would join them by comparing all days with each, to keep an order
    # that it knows of.)
    return f"'[' || coalesce(string_agg({day_json(more)}, ',' order by day + 0), '') || ']'"
