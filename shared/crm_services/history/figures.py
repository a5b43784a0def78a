"""What a day is shown as: the fragment that a customer's days and a scope's are built on."""

# Of a row with a day's fleet and its market. The figures are worked out as the sync does it: nothing is rounded before
# the end, machines earn nothing where there are none, and without a market nobody knows what they earn.
_BTC = "round(earning_hashrate * btc_per_terahash_day, 8)"
_USD = "round(earning_hashrate * (btc_per_terahash_day * btc_price), 2)"


def day_json(more: str = "") -> str:
    """A day as JSON; `more` are members that go before the figures."""
    return f"""
json_build_object(
  'day', day, 'carried', carried, {more}
  'miners_count', machines, 'active_miners', active, 'offline_miners', offline, 'maintenance_miners', maintenance,
  'total_hashrate', round(hashrate, 2), 'total_power', power,
  'estimated_daily_btc', case when machines = 0 then 0 else {_BTC} end,
  'estimated_daily_usd', case when machines = 0 then 0 else {_USD} end,
  'electricity_cost_daily', electricity_cost,
  'net_profit_daily', case when machines = 0 then -electricity_cost else {_USD} - electricity_cost end,
  'by_location', by_location, 'btc_price', btc_price, 'network_difficulty', network_difficulty
)
"""
