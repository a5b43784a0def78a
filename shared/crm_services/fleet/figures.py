"""What a fleet comes to: the fragments of SQL that a request's figures and the sync's are both built on."""

from crm_services.fleet.locations import NAME, by_location

# What counts of a miner row, under a condition: whole numbers where the figures are some, numeric for the rest.
_HASHRATE = """
  (coalesce(sum(quantity * hashrate_e4) filter (where {0}), 0) * 0.0001
   + coalesce(sum(quantity * crm_hosting.usable(actual_hashrate)) filter (where {0} and hashrate_e4 is null), 0))
"""
_DAILY_COST = """
  (coalesce(sum(watts * price_e6) filter (where {0}), 0) * 0.000000024
   + coalesce(sum(watts * crm_hosting.usable(electricity_cost)) filter (where {0} and price_e6 is null), 0) * 0.024)
"""


# The fleets in `rows`, a row per account and model. A sold machine counts for nothing but its own number; what earns
# and costs is active.
def _by_model(rows: str, hashrate: str, daily_cost: str, more: str = "") -> str:
    return f"""
models as (
  select counted.*, k.name as model
  from (
    select account_id, model_id,
           sum(quantity) filter (where status = 'active') as active,
           sum(quantity) filter (where status = 'offline') as offline,
           sum(quantity) filter (where status = 'maintenance') as maintenance,
           sum(quantity) filter (where status = 'sold') as sold,
           coalesce(sum(quantity) filter (where status <> 'sold'), 0) as machines,
           coalesce(sum(watts) filter (where status <> 'sold'), 0) as power,
           {hashrate.format("status <> 'sold'")} as hashrate,
           {hashrate.format("status = 'active'")} as earning_hashrate,
           {daily_cost.format("status = 'active'")} as electricity_cost{more}
    from ({rows}) counting
    group by account_id, model_id
  ) counted
  left join crm_hosting.models k on k.id = counted.model_id
)
"""


# Of all accounts in `linked`. (`offset 0`: what a row counts for is worked out once a row.)
MODELS = _by_model(
    """
    select m.*
    from (select distinct account_id from linked where account_id is not null) l
    join crm_hosting.miners m on m.account_id = l.account_id
    offset 0
    """,
    _HASHRATE,
    _DAILY_COST,
    """, bool_or(has_unusable_figure) as has_unusable_figure, bool_or(has_unknown_status) as has_unknown_status,
         bool_or(has_unlikely_figure) as has_unlikely_figure""",
)

# Of the one account in `linked`, whose rows may be many: they have few prices, places and ways to write a status, so
# those of a kind are added up before anything is made of these.
ALIKE = f"""
alike as materialized (
  select linked.account_id, model_id, crm_hosting.counted_status(written_status) as status, location,
         quantity, watts, terahash, watts * crm_hosting.usable(electricity_cost) * 0.024 as daily_cost
  from (
    select model_id, written_status, electricity_cost, location, sum(quantity) as quantity, sum(watts) as watts,
           {_HASHRATE.format("true")} as terahash
    from (select * from crm_hosting.miners where account_id = (select account_id from linked) offset 0) m
    group by model_id, written_status, electricity_cost, location
  ) counting cross join linked
)
"""
MODELS_OF_ONE = _by_model(
    "select * from alike",
    "coalesce(sum(terahash) filter (where {0}), 0)",
    "coalesce(sum(daily_cost) filter (where {0}), 0)",
)
LOCATIONS_OF_ONE = by_location(f"""
select {NAME} as name, quantity as machines, terahash as hashrate, watts as power from alike where status <> 'sold'
""")

# Largest first, as a person looks for them; the name decides the rest, by code point on every server.
BY_SIZE = 'order by machines desc, hashrate desc, model collate "C"'

# Without a usable snapshot there is no row in `market`, and no estimate.
MARKET = "market as materialized (select * from crm_hosting.market)"
EARNINGS = """
  round(coalesce(sum(earning_hashrate) * (select btc_per_terahash_day from market), 0), 8) as daily_btc,
  round(coalesce(sum(earning_hashrate) * (select btc_per_terahash_day * btc_price from market), 0), 2) as daily_usd,
  round(coalesce(sum(electricity_cost), 0), 2) as electricity_cost
"""
