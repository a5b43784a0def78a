"""Every SQL statement, named. The views they read are in sql/schema.sql."""

# ── Fragments ────────────────────────────────────────────────────────────────────────────────────────────────

# Whether account `a` is one that customer `c` may be linked to: its e-mail key is the same and, in link scope
# `tenant`, it is one of the customer's owner's.
MATCHES = """
a.email_key = c.email_key
and (:link_any::boolean or c.created_by_id is null or c.created_by_id in (a.id, a.created_by_id))
"""

# The account that customer `c` is linked to: of those that match, an active one before one that is switched off, then
# the lowest id.
LINK = f"""
left join lateral (
  select coalesce(min(a.id) filter (where a.is_active), min(a.id)) as account_id, count(*) as candidates
  from crm_hosting.accounts a where {MATCHES}
) link on true
"""

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
    ", bool_or(has_unusable_figure) as has_unusable_figure, bool_or(has_unknown_status) as has_unknown_status",
)

# Of the one account in `linked`, whose rows may be many: they have few prices and ways to write a status, so those of
# a kind are added up before anything is made of either.
_MODELS_OF_ONE = _by_model(
    f"""
    select linked.account_id, model_id, crm_hosting.counted_status(written_status) as status,
           quantity, watts, terahash, watts * crm_hosting.usable(electricity_cost) * 0.024 as daily_cost
    from (
      select model_id, written_status, electricity_cost, sum(quantity) as quantity, sum(watts) as watts,
             {_HASHRATE.format("true")} as terahash
      from (select * from crm_hosting.miners where account_id = (select account_id from linked) offset 0) m
      group by model_id, written_status, electricity_cost
    ) alike cross join linked
    """,
    "coalesce(sum(terahash) filter (where {0}), 0)",
    "coalesce(sum(daily_cost) filter (where {0}), 0)",
)

# Largest first, as a person looks for them; the name decides the rest, by code point on every server.
BY_SIZE = 'order by machines desc, hashrate desc, model collate "C"'

# Without a usable snapshot there is no row in `market`, and no estimate.
MARKET = "market as materialized (select * from crm_hosting.market)"
EARNINGS = """
  round(coalesce(sum(earning_hashrate) * (select btc_per_terahash_day from market), 0), 8) as daily_btc,
  round(coalesce(sum(earning_hashrate) * (select btc_per_terahash_day * btc_price from market), 0), 2) as daily_usd,
  round(coalesce(sum(electricity_cost), 0), 2) as electricity_cost
"""

# ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────

ENTER = """
select state, role, decision
from crm_hosting.enter(:user_id::integer, :customer_id::integer, :see_all::text[])
"""

SCOPE_TO = "select crm_hosting.scope_to(:tenant_id::integer)"

MARKET_TIME = "select recorded_at from crm_hosting.market"

# For market_refresh, which logs in as a role that can do these two things and nothing else.
MARKET_OF_THE_DAY = """
select btc_price, network_difficulty, block_reward from crm_hosting.market
where recorded_at > now() - interval '24 hours'
"""

RECORD_SNAPSHOT = """
select crm_hosting.record_snapshot(
  :btc_price::float8, :network_difficulty::float8, :network_hashrate::float8, :block_reward::float8,
  :price_source::text, :data_source::text, :is_valid::boolean, :response_ms::integer)
"""

LINKED_ACCOUNT = f"""
select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
"""

# The customer's figures as the contract's JSON text; no row where the customer is out of sight. Nothing is divided
# before it is rounded, as a numeric quotient is rounded itself: W/TH to two places is floor(100 W/TH + 1/2) / 100.
STATS = f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
), {MARKET}, {_MODELS_OF_ONE}, total as (
  select coalesce(sum(active), 0) as active, coalesce(sum(offline), 0) as offline,
         coalesce(sum(maintenance), 0) as maintenance, coalesce(sum(sold), 0) as sold,
         coalesce(sum(machines), 0) as machines, coalesce(sum(hashrate), 0) as hashrate,
         coalesce(sum(power), 0) as power, {EARNINGS},
         coalesce(json_object_agg(model, json_build_object(
           'count', machines, 'hashrate', round(hashrate, 2), 'power', power
         ) {BY_SIZE}) filter (where machines > 0), '{{}}') as by_model
  from models
)
select json_build_object(
  'has_hosting', linked.account_id is not null,
  'user_access_id', linked.account_id,
  'miners_count', machines,
  'total_hashrate', round(hashrate, 2),
  'total_power', power,
  'total_power_mw', round(power * 0.000001, 3),
  'active_miners', active,
  'offline_miners', offline,
  'maintenance_miners', maintenance,
  'estimated_daily_btc', daily_btc,
  'estimated_daily_usd', daily_usd,
  'avg_efficiency', coalesce(div(power * 200 + hashrate, nullif(hashrate, 0) * 2) * 0.01, 0),
  'by_model', by_model,
  'by_status', json_build_object(
    'active', active, 'offline', offline, 'maintenance', maintenance, 'sold', sold),
  'electricity_cost_daily', electricity_cost,
  'net_profit_daily', daily_usd - electricity_cost,
  'btc_price', btc_price,
  'network_difficulty', network_difficulty,
  'market_as_of', to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
)::text
from linked cross join total left join market on true
"""

# One page of the customer's rows, newest first, as JSON text, with the id to go on after (null at the end), and
# whether the row that the page is to come after is one of the customer's. The row after the page is read, not shown.
MINERS = f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
)
select coalesce((json_agg(shown) filter (where place <= :limit::integer))::text, '[]'),
       case when count(*) > :limit::integer then max(page.id) filter (where place = :limit::integer) end,
       :after::integer is null or exists (
         select from linked join crm_hosting.miners p on p.account_id = linked.account_id
         where p.id = :after::integer)
from (
  select m.*, row_number() over (order by m.created_at desc, m.id desc) as place
  from linked join crm_hosting.miners m on m.account_id = linked.account_id
  where (:status::text is null or m.status = :status::text)
    and (:after::integer is null or (m.created_at, m.id) < (
      select p.created_at, p.id from crm_hosting.miners p
      where p.id = :after::integer and p.account_id = linked.account_id))
  order by m.created_at desc, m.id desc
  limit :limit::integer + 1
) page cross join lateral (
  select page.id, coalesce(custom_name, model) as name, model, quantity, hashrate,
         round(quantity * hashrate, 2) as total_hashrate, power, watts as total_power,
         status, location, price as electricity_cost, round(watts * price * 0.024, 2) as daily_electricity_cost
) shown
"""

# One page of the customers as JSON text, by the profit of their last sync, with the place to go on after: profit (null
# where never synced, which comes last) and id. Sorted without an index: one on the profit would tax every sync.
CUSTOMERS = f"""
with page as materialized (
  select c.*, coalesce(c.hosting_net_profit_daily, '-Infinity') as rank from crm_hosting.customers c
  where (:customer_id::integer is null or c.id = :customer_id::integer)
    and (:search::text is null or strpos(lower(c.name || ' ' || coalesce(c.company, '')), lower(:search::text)) > 0)
    and (:after_id::bigint is null
      or coalesce(c.hosting_net_profit_daily, '-Infinity') < coalesce(:after_profit::numeric, '-Infinity')
      or (coalesce(c.hosting_net_profit_daily, '-Infinity') = coalesce(:after_profit::numeric, '-Infinity')
          and c.id > :after_id::bigint))
  order by rank desc, c.id
  limit :limit::integer + 1
), shown as (
  select * from page order by rank desc, id limit :limit::integer
), last as (
  select id, hosting_net_profit_daily as profit from shown order by rank, id desc limit 1
)
select (select coalesce(json_agg(json_build_object(
          'id', c.id, 'name', c.name, 'company', c.company, 'status', c.status,
          'has_email', c.email_key is not null,
          'has_hosting', link.account_id is not null,
          'miners_count', c.miners_count,
          'mining_capacity', case when crm_hosting.is_usable(c.mining_capacity) then c.mining_capacity end,
          'primary_miner_model', c.primary_miner_model,
          'estimated_daily_btc', c.hosting_estimated_daily_btc,
          'estimated_daily_usd', c.hosting_estimated_daily_usd,
          'net_profit_daily', c.hosting_net_profit_daily,
          'synced_at', to_char(c.hosting_synced_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        ) order by c.rank desc, c.id), '[]')::text from shown c {LINK}),
       last.profit, last.id
from (select count(*) > :limit::integer as has_more from page) found left join last on has_more
"""

# The planner takes a scope for a few customers, for whom it would start no workers; the table's size says better.
PREPARE_COUNT = "set local parallel_setup_cost = 100"

# Customers, how many of them are linked, and the rate in percent (0 without customers), in the transaction's scope.
LINK_COUNTS = f"""
select total, linked, coalesce(round(100.0 * linked / nullif(total, 0), 2), 0)
from (select count(*) as total from crm_hosting.customers) every,
     (select count(*) as linked from crm_hosting.customers c
      where exists (select from crm_hosting.accounts a where {MATCHES})) matched
"""

# The last completed run that covered the scope, the tenant's own or one over everybody: its operations and how many of
# them failed. Of a run over everybody a tenant learns what failed of his own, and no (null) operations.
LAST_COMPLETED_RUN = """
with last as (
  select id, ended_at, synced, errors, tenant_id is not distinct from :tenant_id::integer as is_own
  from crm_hosting.runs
  where state = 'completed' and (tenant_id is null or tenant_id = :tenant_id::integer)
  order by ended_at desc limit 1
)
select ended_at, case when is_own then synced + errors end,
       case when is_own then errors else (
         select count(*)::integer from crm_hosting.run_errors e join crm_hosting.customers c on c.id = e.customer_id
         where e.run_id = last.id) end
from last
"""

FINDING_COUNTS = """
select f.kind, count(*)::integer
from crm_hosting.findings f join crm_hosting.customers c on c.id = f.customer_id
group by f.kind order by f.kind
"""

# ── What the batch remembers ─────────────────────────────────────────────────────────────────────────────────

# A run as JSON; one whose heartbeat stopped is abandoned, though nobody may have said so yet.
_RUN = """
json_build_object(
  'run_id', r.id, 'tenant_id', r.tenant_id, 'origin', r.origin, 'started_by', r.started_by,
  'state', case when r.state = 'running'
                 and r.heartbeat_at <= now() - make_interval(secs => :dead_after::double precision)
                then 'abandoned' else r.state end,
  'failure', r.failure, 'total', r.total, 'linked', r.linked, 'synced', r.synced, 'skipped', r.skipped,
  'errors', r.errors, 'changed', r.changed,
  'started_at', to_char(r.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'ended_at', to_char(r.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'duration_seconds', round(extract(epoch from coalesce(r.ended_at, r.heartbeat_at) - r.started_at), 3)
)
"""

# One page of the runs of a tenant (null: of everybody), newest first, and the id to go on before.
RUNS = f"""
with page as materialized (
  select r.* from crm_hosting.runs r
  where (:tenant_id::integer is null or r.tenant_id = :tenant_id::integer)
    and (:before::bigint is null or r.id < :before::bigint)
  order by r.id desc limit :limit::integer + 1
)
select (select coalesce(json_agg({_RUN} order by r.id desc), '[]')::text
        from (select * from page order by id desc limit :limit::integer) r),
       case when (select count(*) from page) > :limit::integer
            then (select id from page order by id desc offset :limit::integer - 1 limit 1) end
"""

# A run whose it is, with one page of the customers that it could not sync, and the id to go on after.
RUN = f"""
with page as materialized (
  select e.* from crm_hosting.run_errors e
  where e.run_id = :run_id::bigint and (:after::integer is null or e.customer_id > :after::integer)
  order by e.customer_id limit :limit::integer + 1
)
select r.tenant_id,
       json_build_object('run', {_RUN}, 'failures', (
         select coalesce(json_agg(json_build_object(
           'customer_id', e.customer_id, 'sqlstate', e.sqlstate, 'constraint', e.constraint_name
         ) order by e.customer_id), '[]')
         from (select * from page order by customer_id limit :limit::integer) e))::text,
       case when (select count(*) from page) > :limit::integer
            then (select customer_id from page order by customer_id offset :limit::integer - 1 limit 1) end
from crm_hosting.runs r where r.id = :run_id::bigint
"""
