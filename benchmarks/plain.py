"""Two floors: one statement that writes what a run of the batch writes, and one that writes about that.

No chunks, records, tenants' view, isolation of failures, findings or lease; the tables themselves, as their owner. It
is as fast as we could make it: whole numbers where the figures are some, plenty of memory, no compilation. The other is
the least that somebody in a hurry would run: floating point, e-mails that are equal but for case, statuses as they are
written, every row anew.
"""

from pg8000.native import Connection

SETTINGS = ("work_mem = '256MB'", "jit = off", "max_parallel_workers_per_gather = 2")

STATEMENT = """
with accounts as (
  select crm_hosting.email_key(email) as email_key, coalesce(min(id) filter (where is_active), min(id)) as id
  from user_access group by 1
), miners as (
  select user_id, miner_model_id, actual_hashrate, electricity_cost,
         coalesce(crm_hosting.known_status(status), 'offline') as status, greatest(quantity, 0) as quantity,
         greatest(quantity, 0)::bigint * greatest(actual_power, 0) as watts,
         crm_hosting.whole(actual_hashrate, 1e4) as hashrate_e4,
         case when greatest(quantity, 0)::bigint * greatest(actual_power, 0) < 2147483648
              then crm_hosting.whole(electricity_cost, 1e6) end as price_e6
  from user_miners offset 0
), models as (
  select user_id, miner_model_id,
         coalesce(sum(quantity) filter (where status <> 'sold'), 0) as machines,
         coalesce(sum(watts) filter (where status <> 'sold'), 0) as power,
         coalesce(sum(quantity * hashrate_e4) filter (where status <> 'sold'), 0) * 0.0001
           + coalesce(sum(quantity * crm_hosting.usable(actual_hashrate))
               filter (where status <> 'sold' and hashrate_e4 is null), 0) as hashrate,
         coalesce(sum(quantity * hashrate_e4) filter (where status = 'active'), 0) * 0.0001
           + coalesce(sum(quantity * crm_hosting.usable(actual_hashrate))
               filter (where status = 'active' and hashrate_e4 is null), 0) as earning_hashrate,
         coalesce(sum(watts * price_e6) filter (where status = 'active'), 0) * 0.000000024
           + coalesce(sum(watts * crm_hosting.usable(electricity_cost))
               filter (where status = 'active' and price_e6 is null), 0) * 0.024 as cost
  from miners group by 1, 2
), fleets as (
  select user_id, sum(machines)::integer as machines,
         round(sum(power) * 0.000001, 3)::double precision as megawatts,
         (array_agg(model_name order by machines desc, hashrate desc, model_name collate "C")
            filter (where machines > 0))[1] as model,
         round(sum(earning_hashrate) * :btc::numeric, 8)::numeric(18, 8) as btc,
         round(sum(earning_hashrate) * :btc::numeric * :price::numeric, 2)::numeric(18, 2) as usd,
         (round(sum(earning_hashrate) * :btc::numeric * :price::numeric, 2) - round(sum(cost), 2))::numeric(18, 2)
           as profit
  from models join miner_models on miner_models.id = miner_model_id group by 1
)
update crm_customers c
set miners_count = f.machines, mining_capacity = f.megawatts, primary_miner_model = f.model,
    hosting_estimated_daily_btc = f.btc, hosting_estimated_daily_usd = f.usd, hosting_net_profit_daily = f.profit,
    hosting_synced_at = now() at time zone 'utc'
from accounts a join fleets f on f.user_id = a.id
where a.email_key = crm_hosting.email_key(c.email)
  and (c.hosting_synced_at is null
       or (c.miners_count, c.mining_capacity, c.primary_miner_model, c.hosting_estimated_daily_btc,
           c.hosting_estimated_daily_usd, c.hosting_net_profit_daily)
          is distinct from (f.machines, f.megawatts, f.model, f.btc, f.usd, f.profit))
"""


HASTY = """
with fleets as (
  select user_id, sum(quantity) as machines, sum(quantity * actual_power) / 1e6 as megawatts,
         sum(quantity * actual_hashrate) filter (where status in ('online', 'manual')) * :btc::double precision as btc,
         sum(quantity * actual_power * electricity_cost) filter (where status in ('online', 'manual')) * 0.024 as cost
  from user_miners where status <> 'sold' group by user_id
), largest as (
  select distinct on (user_id) user_id, model_name
  from (
    select user_id, miner_model_id, sum(quantity) as machines from user_miners where status <> 'sold' group by 1, 2
  ) counted
  join miner_models on miner_models.id = miner_model_id
  order by user_id, machines desc
)
update crm_customers c
set miners_count = f.machines, mining_capacity = f.megawatts, primary_miner_model = l.model_name,
    hosting_estimated_daily_btc = f.btc, hosting_estimated_daily_usd = f.btc * :price::double precision,
    hosting_net_profit_daily = f.btc * :price::double precision - f.cost,
    hosting_synced_at = now() at time zone 'utc'
from user_access a join fleets f on f.user_id = a.id join largest l on l.user_id = a.id
where lower(a.email) = lower(c.email)
"""

MARKET = "select btc_per_terahash_day, btc_price from crm_hosting.market"


def run(db: Connection, statement: str) -> None:
    """Write every customer's figures at once."""
    for setting in SETTINGS:
        db.run(f"set {setting}")
    [[btc_per_terahash, price]] = db.run(MARKET)
    db.run(statement, btc=btc_per_terahash, price=price)
