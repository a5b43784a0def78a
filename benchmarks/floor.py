"""The least that a request can cost: its figures by one prepared statement on the CRM's tables, and nothing around it.

No session, no scope, no view, no envelope; but the same figures to the last digit, which the benchmark compares.
"""

ACCOUNT = """
select coalesce(min(a.id) filter (where a.is_active), min(a.id)) as id
from crm_customers c join user_access a
  on crm_hosting.email_key(a.email) collate "C" = crm_hosting.email_key(c.email)
where c.id = :customer_id::integer
"""

# A status as the contract has it, and a figure that counts.
STATUS = "coalesce(crm_hosting.known_status(status), 'offline')"
QUANTITY = "greatest(quantity, 0)"
POWER = "greatest(actual_power, 0)"
HASHRATE = "crm_hosting.usable(actual_hashrate)"
PRICE = "crm_hosting.usable(electricity_cost)"

STATS = f"""
with account as materialized ({ACCOUNT}), alike as (
  select miner_model_id, status, electricity_cost, location, sum(quantity) as machines, sum(watts) as power,
         coalesce(sum(quantity * hashrate_e4), 0) * 0.0001
           + coalesce(sum(quantity * {HASHRATE}) filter (where hashrate_e4 is null), 0) as hashrate
  from (
    select miner_model_id, status, electricity_cost, location, actual_hashrate, {QUANTITY} as quantity,
           {QUANTITY}::bigint * {POWER} as watts, crm_hosting.whole(actual_hashrate, 1e4) as hashrate_e4
    from user_miners where user_id = (select id from account) offset 0
  ) counted
  group by 1, 2, 3, 4
), batches as (
  select miner_model_id, {STATUS} as status, location, machines, power, hashrate, power * {PRICE} * 0.024 as cost
  from alike
), models as (
  select k.model_name as model, coalesce(sum(machines), 0) as machines, coalesce(sum(power), 0) as power,
         coalesce(sum(hashrate), 0) as hashrate
  from batches join miner_models k on k.id = miner_model_id where status <> 'sold' group by 1
), places as (
  select coalesce(location, '__none__') as place, sum(machines) as machines, sum(power) as power,
         sum(hashrate) as hashrate
  from batches where status <> 'sold' group by 1
), total as (
  select coalesce(sum(machines) filter (where status <> 'sold'), 0) as machines,
         coalesce(sum(machines) filter (where status = 'active'), 0) as active,
         coalesce(sum(machines) filter (where status = 'offline'), 0) as offline,
         coalesce(sum(machines) filter (where status = 'maintenance'), 0) as maintenance,
         coalesce(sum(machines) filter (where status = 'sold'), 0) as sold,
         coalesce(sum(power) filter (where status <> 'sold'), 0) as power,
         coalesce(sum(power) filter (where status = 'active'), 0) as active_power,
         coalesce(sum(hashrate) filter (where status <> 'sold'), 0) as hashrate,
         coalesce(sum(hashrate) filter (where status = 'active'), 0) * :btc_per_terahash::numeric as btc,
         round(coalesce(sum(cost) filter (where status = 'active'), 0), 2) as cost
  from batches
)
select json_build_object(
  'has_hosting', account.id is not null, 'user_access_id', account.id, 'miners_count', machines,
  'total_hashrate', round(hashrate, 2), 'total_power', power, 'total_power_mw', round(power * 0.000001, 3),
  'active_power', active_power,
  'active_miners', active, 'offline_miners', offline, 'maintenance_miners', maintenance,
  'estimated_daily_btc', round(btc, 8), 'estimated_daily_usd', round(btc * :btc_price::numeric, 2),
  'avg_efficiency', coalesce(div(power * 200 + hashrate, nullif(hashrate, 0) * 2) * 0.01, 0),
  'by_model', (select coalesce(json_object_agg(
     model, json_build_object('count', machines, 'hashrate', round(hashrate, 2), 'power', power)), '{{}}')
     from models where machines > 0),
  'by_location', (select coalesce(json_object_agg(
     place, json_build_object('count', machines, 'hashrate', hashrate, 'power', power)), '{{}}')
     from places where machines > 0),
  'by_status', json_build_object('active', active, 'offline', offline, 'maintenance', maintenance, 'sold', sold),
  'electricity_cost_daily', cost, 'net_profit_daily', round(btc * :btc_price::numeric, 2) - cost,
  'btc_price', :btc_price::numeric, 'network_difficulty', :network_difficulty::numeric, 'market_as_of', :as_of::text
)::text
from account, total
"""

MINERS = f"""
select json_agg(shown)::text from (
  select m.id, coalesce(nullif(custom_name, ''), model_name) as name, model_name as model, {QUANTITY} as quantity,
         {HASHRATE} as hashrate, round({QUANTITY} * {HASHRATE}, 2) as total_hashrate,
         {POWER} as power, {QUANTITY}::bigint * {POWER} as total_power, {STATUS} as status, location,
         {PRICE} as electricity_cost, round({QUANTITY}::bigint * {POWER} * {PRICE} * 0.024, 2) as daily_electricity_cost
  from user_miners m join miner_models k on k.id = m.miner_model_id
  where user_id = ({ACCOUNT})
  order by created_at desc, m.id desc
) shown
"""

STATUS_COUNTS = """
select count(*), count(linked.key)
from crm_customers c
left join (select distinct crm_hosting.email_key(email) as key from user_access) linked
  on linked.key = crm_hosting.email_key(c.email)
where :every::boolean
"""
