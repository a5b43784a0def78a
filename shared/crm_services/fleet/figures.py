"""What a fleet comes to: the fragments of SQL that a request's figures and the sync's are both built on."""

from crm_services.fleet.locations import FINGERPRINT, KEY, LOCATION, by_location, places

# What counts of a miner row, under a condition: whole numbers where the figures are some, numeric for the rest.
_HASHRATE = """
  (coalesce(sum(quantity * hashrate_e4) filter (where {0}), 0) * 0.0001
   + coalesce(sum(quantity * crm_hosting.usable(actual_hashrate)) filter (where {0} and hashrate_e4 is null), 0))
"""
_DAILY_COST = """
  (coalesce(sum(watts * price_e6) filter (where {0}), 0) * 0.000000024
   + coalesce(sum(watts * crm_hosting.usable(electricity_cost)) filter (where {0} and price_e6 is null), 0) * 0.024)
"""


# What rows come to. A sold machine counts for nothing but its own number; what earns and costs is active.
def _sums(hashrate: str, daily_cost: str) -> str:
    return f"""
  sum(quantity) filter (where status = 'active') as active,
  sum(quantity) filter (where status = 'offline') as offline,
  sum(quantity) filter (where status = 'maintenance') as maintenance,
  sum(quantity) filter (where status = 'sold') as sold,
  coalesce(sum(quantity) filter (where status <> 'sold'), 0) as machines,
  coalesce(sum(watts) filter (where status <> 'sold'), 0) as power,
  {hashrate.format("status <> 'sold'")} as hashrate,
  {hashrate.format("status = 'active'")} as earning_hashrate,
  {daily_cost.format("status = 'active'")} as electricity_cost
"""


def earnings(hashrate: str, cost: str) -> str:
    """The columns `daily_btc`, `daily_usd` and `electricity_cost` of a fleet whose earning hashrate and cost these are.

    They read `market`, in which there is no row, and no estimate, without a usable snapshot.
    """
    return f"""
  round(coalesce({hashrate} * (select btc_per_terahash_day from market), 0), 8) as daily_btc,
  round(coalesce({hashrate} * (select btc_per_terahash_day * btc_price from market), 0), 2) as daily_usd,
  round(coalesce({cost}, 0), 2) as electricity_cost
"""


MARKET = "market as materialized (select * from crm_hosting.market)"
# Largest first, as a person looks for them; the name decides the rest, by code point on every server.
BY_SIZE = 'machines desc, hashrate desc, model collate "C"'

# Of the one account in `linked`, whose rows may be many: they have few prices, places and ways to write a status, so
# those of a kind are added up before anything is made of these.
ALIKE = f"""
alike as materialized (
  select model_id, crm_hosting.counted_status(written_status) as status, location,
         quantity, watts, terahash, watts * crm_hosting.usable(electricity_cost) * 0.024 as daily_cost
  from (
    select model_id, written_status, electricity_cost, {LOCATION} as location, sum(quantity) as quantity,
           sum(watts) as watts, {_HASHRATE.format("true")} as terahash
    from (select * from crm_hosting.miners where account_id = (select account_id from linked) offset 0) m
    group by model_id, written_status, electricity_cost, {LOCATION}
  ) counting
)
"""
MODELS_OF_ONE = f"""
models as (
  select counted.*, k.name as model
  from (
    select model_id, {
    _sums("coalesce(sum(terahash) filter (where {0}), 0)", "coalesce(sum(daily_cost) filter (where {0}), 0)")
}, sum(watts) filter (where status = 'active') as active_power
    from alike
    group by model_id
  ) counted
  left join crm_hosting.models k on k.id = counted.model_id
)
"""
LOCATIONS_OF_ONE = by_location(f"""
select (select account_id from linked) as account_id, {KEY} as key, quantity as machines, terahash as hashrate,
       watts as power
from alike where status <> 'sold'
""")

# Of all accounts in `linked`: what each fleet comes to, and the model of which it has most. Most accounts have a row or
# two of a model, so a row a model is as many rows again: what it takes to find the largest is all that is added up by
# model. (An array: rows are read as they lie in the table. `offset 0`: what a row counts for is worked out once a row.)
FLEETS = f"""
machines as materialized (
  select m.account_id, m.model_id, m.status, m.quantity, m.watts, m.hashrate_e4, m.price_e6, m.actual_hashrate,
         m.electricity_cost, m.has_unusable_figure, m.has_unknown_status, m.has_unlikely_figure,
         {FINGERPRINT} as fingerprint
  from crm_hosting.miners m
  where m.account_id = any (array(select account_id from linked where account_id is not null))
  offset 0
), totals as (
  select account_id, bool_or(has_unusable_figure) as has_unusable_figure,
         bool_or(has_unknown_status) as has_unknown_status, bool_or(has_unlikely_figure) as has_unlikely_figure,
         bit_xor(fingerprint) filter (where status <> 'sold') as fingerprint,
         {_sums(_HASHRATE, _DAILY_COST)}
  from machines group by account_id
), largest as (
  select distinct on (account_id) account_id, model
  from (
    select account_id, model_id, sum(quantity) as machines, {_HASHRATE.format("true")} as hashrate
    from machines where status <> 'sold' group by account_id, model_id having sum(quantity) > 0
  ) counted
  left join lateral (select name as model from crm_hosting.models k where k.id = model_id) named on true
  order by account_id, {BY_SIZE}
), fleets as (
  select account_id, model, machines, active, offline, power, hashrate, earning_hashrate,
         {earnings("earning_hashrate", "electricity_cost")},
         has_unusable_figure, has_unknown_status, has_unlikely_figure, fingerprint
  from totals left join largest using (account_id)
)
"""


def places_of(accounts: str) -> str:
    """What the history keeps of where the fleets of these accounts, an array, stand: account_id and places."""
    return places(
        f"""
        select account_id, {KEY} as key, machines, hashrate, power
        from (select account_id, {LOCATION} as location, sum(quantity) as machines, sum(watts) as power,
                     {_HASHRATE.format("true")} as hashrate
              from (select * from crm_hosting.miners where account_id = any ({accounts}) offset 0) m
              where status <> 'sold'
              group by account_id, {LOCATION}) alike
        """,
        "account_id",
    )
