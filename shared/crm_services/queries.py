"""Every SQL statement, named. The views they read are in sql/schema.sql."""

# ── Fragments ────────────────────────────────────────────────────────────────────────────────────────────────

# The account that customer `c` is linked to: of those with its e-mail key, an active one before one that is
# switched off, then the lowest id. In link scope `tenant`, accounts of the customer's owner only.
_LINK = """
left join lateral (
  select coalesce(min(a.id) filter (where a.is_active), min(a.id)) as account_id, count(*) as candidates
  from crm_hosting.accounts a
  where a.email_key = c.email_key
    and (:link_any::boolean or c.created_by_id is null or c.created_by_id in (a.id, a.created_by_id))
) link on true
"""

# The fleets of the accounts in `linked`, a row per account and model. A sold machine counts for nothing but its
# own number; what earns and costs is active.
_MODELS = """
models as materialized (
  select m.account_id, m.model,
         sum(m.quantity) filter (where m.status = 'active') as active,
         sum(m.quantity) filter (where m.status = 'offline') as offline,
         sum(m.quantity) filter (where m.status = 'maintenance') as maintenance,
         sum(m.quantity) filter (where m.status = 'sold') as sold,
         coalesce(sum(m.quantity) filter (where m.status <> 'sold'), 0) as machines,
         coalesce(sum(m.quantity * m.hashrate) filter (where m.status <> 'sold'), 0) as hashrate,
         coalesce(sum(m.quantity::bigint * m.power) filter (where m.status <> 'sold'), 0) as power,
         sum(m.quantity * m.hashrate) filter (where m.status = 'active') as earning_hashrate,
         sum(m.quantity::bigint * m.power * m.price) filter (where m.status = 'active') * 0.024 as electricity_cost,
         bool_or(m.has_unusable_figure) as has_unusable_figure,
         bool_or(m.has_unknown_status) as has_unknown_status
  from (select distinct account_id from linked where account_id is not null) l
  join crm_hosting.miners m on m.account_id = l.account_id
  group by m.account_id, m.model
)
"""

# Largest first, as a person looks for them; the name decides the rest, by code point on every server.
_BY_SIZE = 'order by machines desc, hashrate desc, model collate "C"'

_EARNINGS = """
  round(coalesce(sum(earning_hashrate), 0) * :btc_per_terahash::numeric, 8) as daily_btc,
  round(coalesce(sum(earning_hashrate), 0) * :btc_per_terahash::numeric * :btc_price::numeric, 2) as daily_usd,
  round(coalesce(sum(electricity_cost), 0), 2) as electricity_cost
"""

# ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────

ENTER = """
select state, role, decision
from crm_hosting.enter(:user_id::integer, :customer_id::integer, :see_all::text[])
"""

SCOPE_TO = "select crm_hosting.scope_to(:tenant_id::integer)"

MARKET = "select recorded_at, btc_price, network_difficulty, block_reward from crm_hosting.market"

LINKED_ACCOUNT = f"""
select link.account_id from crm_hosting.customers c {_LINK} where c.id = :customer_id::integer
"""

# The customer's figures as the contract's JSON text; no row where the customer is out of sight. Nothing is divided
# before it is rounded, as a numeric quotient is rounded itself: W/TH to two places is floor(100 W/TH + 1/2) / 100.
STATS = f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {_LINK} where c.id = :customer_id::integer
), {_MODELS}, total as (
  select coalesce(sum(active), 0) as active, coalesce(sum(offline), 0) as offline,
         coalesce(sum(maintenance), 0) as maintenance, coalesce(sum(sold), 0) as sold,
         coalesce(sum(machines), 0) as machines, coalesce(sum(hashrate), 0) as hashrate,
         coalesce(sum(power), 0) as power, {_EARNINGS},
         coalesce(json_object_agg(model, json_build_object(
           'count', machines, 'hashrate', round(hashrate, 2), 'power', power
         ) {_BY_SIZE}) filter (where machines > 0), '{{}}') as by_model
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
  'btc_price', nullif(:btc_price::numeric, 0),
  'network_difficulty', :network_difficulty::numeric,
  'market_as_of', :market_as_of::text
)::text
from linked, total
"""

# One page of the customer's rows, newest first, as JSON text, with the id to go on after (null at the end), and
# whether the row that the page is to come after is one of the customer's.
MINERS = f"""
with linked as materialized (
  select link.account_id from crm_hosting.customers c {_LINK} where c.id = :customer_id::integer
), page as materialized (
  select m.* from linked join crm_hosting.miners m on m.account_id = linked.account_id
  where (:status::text is null or m.status = :status::text)
    and (:after::integer is null or (m.created_at, m.id) < (
      select p.created_at, p.id from crm_hosting.miners p
      where p.id = :after::integer and p.account_id = linked.account_id))
  order by m.created_at desc, m.id desc
  limit :limit::integer + 1
), shown as (
  select id, coalesce(custom_name, model) as name, model, quantity, hashrate,
         round(quantity * hashrate, 2) as total_hashrate, power, quantity::bigint * power as total_power,
         status, location, price as electricity_cost,
         round(quantity::bigint * power * price * 0.024, 2) as daily_electricity_cost
  from page order by created_at desc, id desc limit :limit::integer
)
select coalesce(json_agg(shown)::text, '[]'),
       case when (select count(*) from page) > :limit::integer
            then (select id from page order by created_at desc, id desc
                  offset :limit::integer - 1 limit 1) end,
       :after::integer is null or exists (
         select from linked join crm_hosting.miners p on p.account_id = linked.account_id
         where p.id = :after::integer)
from shown
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
        ) order by c.rank desc, c.id), '[]')::text from shown c {_LINK}),
       last.profit, last.id
from (select count(*) > :limit::integer as has_more from page) found left join last on has_more
"""

# Customers, how many of them are linked, and the rate in percent (0 without customers), in the transaction's scope.
LINK_COUNTS = f"""
select total, linked, coalesce(round(100.0 * linked / nullif(total, 0), 2), 0)
from (select count(*) as total, count(link.account_id) as linked from crm_hosting.customers c {_LINK}) counts
"""

# The last completed run that covered the scope: the tenant's own or one over everybody.
LAST_COMPLETED_RUN = """
select ended_at, synced, errors
from crm_hosting.runs
where state = 'completed' and (tenant_id is null or tenant_id = :tenant_id::integer)
order by ended_at desc limit 1
"""

FINDING_COUNTS = """
select f.kind, count(*)::integer
from crm_hosting.findings f join crm_hosting.customers c on c.id = f.customer_id
group by f.kind order by f.kind
"""

# ── The sync ─────────────────────────────────────────────────────────────────────────────────────────────────

# Links, aggregates and writes the customers with `after < id <= upto`. A customer that is not linked, or linked to
# an account without any row and never synced, is skipped. A row that somebody else has locked is left out and its
# id returned (an array, not a join, picks the rows to lock: a join would lock the whole view). Returns total, linked,
# synced, changed, the ids of the locked rows.
SYNC = f"""
with linked as materialized (
  select c.id, c.miners_count, c.mining_capacity, c.primary_miner_model, c.hosting_estimated_daily_btc,
         c.hosting_estimated_daily_usd, c.hosting_net_profit_daily, c.hosting_synced_at,
         link.account_id, link.candidates
  from crm_hosting.customers c {_LINK}
  where c.id > :after::integer and c.id <= :upto::integer
), {_MODELS}, fleets as (
  select account_id, sum(machines) as machines, sum(power) as power, {_EARNINGS},
         (array_agg(model {_BY_SIZE}) filter (where machines > 0))[1] as model,
         bool_or(has_unusable_figure) as has_unusable_figure, bool_or(has_unknown_status) as has_unknown_status
  from models group by account_id
), figures as materialized (
  select l.id, coalesce(f.machines, 0)::integer as miners_count,
         round(coalesce(f.power, 0) * 0.000001, 3)::double precision as mining_capacity,
         f.model as primary_miner_model,
         coalesce(f.daily_btc, 0)::numeric(18, 8) as daily_btc,
         coalesce(f.daily_usd, 0)::numeric(18, 2) as daily_usd,
         coalesce(f.daily_usd - f.electricity_cost, 0)::numeric(18, 2) as net_profit,
         l.hosting_synced_at is null or (
           l.miners_count, l.mining_capacity, l.primary_miner_model, l.hosting_estimated_daily_btc,
           l.hosting_estimated_daily_usd, l.hosting_net_profit_daily
         ) is distinct from (
           coalesce(f.machines, 0), round(coalesce(f.power, 0) * 0.000001, 3)::double precision, f.model,
           coalesce(f.daily_btc, 0), coalesce(f.daily_usd, 0), coalesce(f.daily_usd - f.electricity_cost, 0)
         ) as is_changed
  from linked l left join fleets f on f.account_id = l.account_id
  where l.account_id is not null and (f.account_id is not null or l.hosting_synced_at is not null)
), free as materialized (
  select c.id from crm_hosting.customers c
  where c.id = any (array(select id from figures where is_changed)) order by c.id
  for no key update skip locked
), written as (
  update crm_hosting.customers c
  set miners_count = n.miners_count, mining_capacity = n.mining_capacity,
      primary_miner_model = n.primary_miner_model, hosting_estimated_daily_btc = n.daily_btc,
      hosting_estimated_daily_usd = n.daily_usd, hosting_net_profit_daily = n.net_profit,
      hosting_synced_at = now() at time zone 'utc'
  from figures n join free on free.id = n.id
  where c.id = n.id
  returning c.id
), seen as (
  select l.id, k.kind from linked l left join fleets f on f.account_id = l.account_id
  cross join lateral (values ('ambiguous_email', l.candidates > 1),
                             ('unusable_figure', f.has_unusable_figure),
                             ('unknown_status', f.has_unknown_status)) k (kind, holds)
  where k.holds
), forgotten as (
  delete from crm_hosting.findings o
  where o.customer_id > :after::integer and o.customer_id <= :upto::integer
    and o.customer_id in (select id from linked)
    and (o.customer_id, o.kind) not in (select id, kind from seen)
), noted as (
  insert into crm_hosting.findings (customer_id, kind, run_id)
  select id, kind, :run_id::bigint from seen
  on conflict do nothing
)
select (select count(*) from linked), (select count(account_id) from linked),
       (select count(*) from figures), (select count(*) from written),
       (select coalesce(array_agg(id order by id), '{{}}') from figures
        where is_changed and id not in (select id from free))
"""

# Skipped, not waited for, when another transaction holds it: a taken lease is a conflict, not a queue.
LOCK_SCOPE = """
select pg_try_advisory_xact_lock(hashtextextended('crm_hosting.runs', coalesce(:tenant_id::integer, 0)))
"""

LIVING_RUN = """
select id, heartbeat_at > clock_timestamp() - make_interval(secs => :dead_after::integer) as is_alive
from crm_hosting.runs
where state = 'running' and coalesce(tenant_id, 0) = coalesce(:tenant_id::integer, 0)
for update nowait
"""

START_RUN = """
insert into crm_hosting.runs (tenant_id, origin, started_by)
values (:tenant_id::integer, :origin::text, :started_by::integer)
returning id, token
"""

# The fence and the heartbeat in one: it locks the run's row for the rest of the transaction. No row: taken over.
HOLD_RUN = """
update crm_hosting.runs set heartbeat_at = clock_timestamp()
where id = :run_id::bigint and token = :token::integer and state = 'running'
returning cursor
"""

# The ids of the next chunk.
NEXT_CHUNK = """
select coalesce(array_agg(id), '{}') from (
  select id from crm_hosting.customers where id > :after::integer order by id limit :size::integer) next
"""

ADVANCE_RUN = """
update crm_hosting.runs
set cursor = greatest(cursor, :upto::integer), total = total + :total::integer, linked = linked + :linked::integer,
    synced = synced + :synced::integer, skipped = skipped + :skipped::integer,
    errors = errors + :errors::integer, changed = changed + :changed::integer
where id = :run_id::bigint
"""

RECORD_ERRORS = """
insert into crm_hosting.run_errors (run_id, customer_id, sqlstate, constraint_name)
select :run_id::bigint, id, :sqlstate::text, :constraint::text from unnest(:customer_ids::integer[]) id
on conflict (run_id, customer_id) do update
  set sqlstate = excluded.sqlstate, constraint_name = excluded.constraint_name
"""

LOCKED_CUSTOMERS = """
select customer_id from crm_hosting.run_errors
where run_id = :run_id::bigint and sqlstate = '55P03' order by customer_id
"""

FORGET_ERROR = """
delete from crm_hosting.run_errors where run_id = :run_id::bigint and customer_id = :customer_id::integer
"""

END_RUN = """
update crm_hosting.runs
set state = :state::text, failure = :failure::text, ended_at = clock_timestamp()
where id = :run_id::bigint and token = :token::integer and state = 'running'
"""

ABANDON_RUN = """
update crm_hosting.runs set state = 'abandoned', ended_at = clock_timestamp() where id = :run_id::bigint
"""

RUN_COUNTS = """
select total, linked, synced, skipped, errors, changed from crm_hosting.runs where id = :run_id::bigint
"""
