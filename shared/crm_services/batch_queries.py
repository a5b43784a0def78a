"""The statements of the batch and of its memory, the runs. Reads never import them."""

from crm_services.queries import BY_SIZE, EARNINGS, MARKET, MATCHES, MODELS

# ── What a customer's record should say, and says ────────────────────────────────────────────────────────────

# The columns that the sync writes, and what it writes: `f` is the fleet of the customer's account, null without rows.
_WRITTEN = {
    "miners_count": "coalesce(f.machines, 0)::integer",
    "mining_capacity": "round(coalesce(f.power, 0) * 0.000001, 3)::double precision",
    "primary_miner_model": "f.model",
    "hosting_estimated_daily_btc": "coalesce(f.daily_btc, 0)::numeric(18, 8)",
    "hosting_estimated_daily_usd": "coalesce(f.daily_usd, 0)::numeric(18, 2)",
    "hosting_net_profit_daily": "coalesce(f.daily_usd - f.electricity_cost, 0)::numeric(18, 2)",
}


def _each(template: str) -> str:
    return ", ".join(template.format(name=name, value=value) for name, value in _WRITTEN.items())


# The linked customers with `after < id <= upto` (of those in `only`, unless it is null). LINK for many: the same choice
# among the accounts, without an aggregate for each customer that has none. A customer is due unless its account has
# no row at all and it was never synced.
_COMPARED = f"""
linked as materialized (
  select distinct on (c.id) c.id, c.hosting_synced_at, {_each("c.{name}")}, a.id as account_id,
         count(*) over (partition by c.id) as candidates
  from crm_hosting.customers c join crm_hosting.accounts a on {MATCHES}
  where c.id > :after::integer and c.id <= :upto::integer
    and (:only::integer[] is null or c.id = any (:only::integer[]))
  order by c.id, a.is_active desc, a.id
), {MARKET}, {MODELS}, fleets as (
  select account_id, sum(machines) as machines, sum(power) as power, {EARNINGS},
         (array_agg(model {BY_SIZE}) filter (where machines > 0))[1] as model,
         bool_or(has_unusable_figure) as has_unusable_figure, bool_or(has_unknown_status) as has_unknown_status
  from models group by account_id
), compared as materialized (
  select n.*, is_due and (hosting_synced_at is null
                          or ({_each("{name}")}) is distinct from ({_each("new_{name}")})) as is_changed
  from (
    select l.*, {_each("{value} as new_{name}")}, f.has_unusable_figure, f.has_unknown_status,
           f.account_id is not null or l.hosting_synced_at is not null as is_due
    from linked l left join fleets f on f.account_id = l.account_id
  ) n
)
"""

# Writes what changed. A row that somebody else has locked is left out and its id returned (an array, not a join,
# picks the rows to lock: a join would lock the whole view). Returns linked, due, changed, the ids of the locked
# rows.
SYNC = f"""
with {_COMPARED}, free as materialized (
  select c.id from crm_hosting.customers c
  where c.id = any (array(select id from compared where is_changed)) order by c.id
  for no key update skip locked
), written as (
  update crm_hosting.customers c
  set {_each("{name} = n.new_{name}")}, hosting_synced_at = now() at time zone 'utc'
  from compared n join free on free.id = n.id
  where c.id = n.id
  returning c.id
), seen as (
  select n.id, k.kind
  from (select * from compared where candidates > 1 or has_unusable_figure or has_unknown_status) n
  cross join lateral (values ('ambiguous_email', n.candidates > 1),
                             ('unusable_figure', n.has_unusable_figure),
                             ('unknown_status', n.has_unknown_status)) k (kind, holds)
  where k.holds
), forgotten as (
  delete from crm_hosting.findings o
  where o.customer_id in (
      select c.id from crm_hosting.customers c where c.id > :after::integer and c.id <= :upto::integer)
    and (o.customer_id, o.kind) not in (select id, kind from seen)
), noted as (
  insert into crm_hosting.findings (customer_id, kind, run_id)
  select id, kind, :run_id::bigint from seen
  on conflict do nothing
)
select (select count(*) from compared), (select count(*) from compared where is_due), (select count(*) from written),
       (select coalesce(array_agg(id order by id), '{{}}') from compared
        where is_changed and id not in (select id from free))
"""

# What SYNC would write: due, changed, and the first customers with each field before and after, as JSON text.
PREVIEW = f"""
with {_COMPARED}, shown as (
  select id, (select coalesce(json_object_agg(name, json_build_object('before', before, 'after', after)), '{{}}')
              from (values {_each("('{name}', to_jsonb({name}), to_jsonb(new_{name}))")}) field (name, before, after)
              where before is distinct from after) as changes
  from compared where is_changed order by id limit :limit::integer
)
select (select count(*) from compared where is_due), (select count(*) from compared where is_changed),
       (select coalesce(json_agg(json_build_object('customer_id', id, 'changes', changes) order by id), '[]')::text
        from shown)
"""

# Large enough for a chunk's sorts, no time for compilation, and the plan that a chunk's size calls for, however many
# customers the planner takes the scope to let through.
PREPARE_CHUNK = """
set local statement_timeout = '120s';
set local work_mem = '64MB';
set local jit = off;
set local enable_seqscan = off;
set local plan_cache_mode = force_custom_plan
"""

# A range of one customer is synced in a fifth of the time that a plan for its size would take to make.
PREPARE_ONE = "set local plan_cache_mode = force_generic_plan"

# The next so many customers: how many there are, and the last one's id.
NEXT_CHUNK = "select customers, upto from crm_hosting.next_customers(:after::integer, :size::integer)"

# ── The run and its lease ────────────────────────────────────────────────────────────────────────────────────

# A start that is under way in another transaction is not waited for.
LOCK_SCOPE = """
select pg_try_advisory_xact_lock(hashtextextended('crm_hosting.runs', coalesce(:tenant_id::integer, 0)))
"""

# Of every scope, so that no run is left that only looks alive; one whose row is locked is at work.
ABANDON_DEAD_RUNS = """
update crm_hosting.runs set state = 'abandoned', ended_at = clock_timestamp()
where id in (
  select id from crm_hosting.runs
  where state = 'running' and heartbeat_at <= clock_timestamp() - make_interval(secs => :dead_after::double precision)
  for update skip locked)
"""

# No row where the scope has a living run. (`on conflict` would wait for a worker that is in the midst of a chunk.)
START_RUN = """
insert into crm_hosting.runs (tenant_id, origin, started_by)
select :tenant_id::integer, :origin::text, :started_by::integer
where not exists (
  select from crm_hosting.runs where state = 'running' and coalesce(tenant_id, 0) = coalesce(:tenant_id::integer, 0))
returning id, token
"""

# The fence and the heartbeat in one: it locks the run's row for the rest of the transaction. No row: taken over.
HOLD_RUN = """
update crm_hosting.runs set heartbeat_at = clock_timestamp()
where id = :run_id::bigint and token = :token::integer and state = 'running'
returning cursor
"""

HAND_ON_RUN = """
update crm_hosting.runs set token = token + 1, heartbeat_at = clock_timestamp()
where id = :run_id::bigint and token = :token::integer and state = 'running'
returning token, tenant_id
"""

ADVANCE_RUN = """
update crm_hosting.runs
set cursor = greatest(cursor, :upto::integer), total = total + :total::integer, linked = linked + :linked::integer,
    synced = synced + :synced::integer, skipped = skipped + :skipped::integer,
    errors = errors + :errors::integer, changed = changed + :changed::integer
where id = :run_id::bigint
"""

# Twice is once: the answer to the first may have been lost. Returns how many seconds the run took.
END_RUN = """
update crm_hosting.runs
set state = :state::text, failure = :failure::text, ended_at = coalesce(ended_at, clock_timestamp())
where id = :run_id::bigint and token = :token::integer and state in ('running', :state::text)
returning extract(epoch from ended_at - started_at)::double precision
"""

RUN_COUNTS = """
select total, linked, synced, skipped, errors, changed from crm_hosting.runs where id = :run_id::bigint
"""

REMAINING = """
select count(*) from crm_hosting.customers where id > (select cursor from crm_hosting.runs where id = :run_id::bigint)
"""

CUSTOMERS_AFTER = "select count(*) from crm_hosting.customers where id > :after::integer"

# All but the newest completed run of each scope, which sync-status speaks of.
PRUNE_RUNS = """
delete from crm_hosting.runs r
where started_at < clock_timestamp() - make_interval(days => :days::integer) and state <> 'running'
  and id not in (select max(id) from crm_hosting.runs where state = 'completed' group by tenant_id)
"""

# ── The customers that a run could not sync ──────────────────────────────────────────────────────────────────

RECORD_ERRORS = """
insert into crm_hosting.run_errors (run_id, customer_id, sqlstate, constraint_name)
select :run_id::bigint, id, :sqlstate::text, :constraint::text from unnest(:customer_ids::integer[]) id
on conflict (run_id, customer_id) do update
  set sqlstate = excluded.sqlstate, constraint_name = excluded.constraint_name
"""

LOCKED_CUSTOMERS = """
select coalesce(array_agg(customer_id order by customer_id), '{}') from crm_hosting.run_errors
where run_id = :run_id::bigint and sqlstate = '55P03'
"""

FORGET_ERRORS = """
delete from crm_hosting.run_errors
where run_id = :run_id::bigint and customer_id = any (:customer_ids::integer[])
"""
