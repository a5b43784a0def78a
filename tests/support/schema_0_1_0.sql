-- What the bundle adds to the CRM's database. Idempotent: it is applied as a whole by every migration.
-- All of it lives in the schema crm_hosting, but for the sync's columns on crm_customers (and the indexes in
-- indexes.sql). The bundle's role sees the CRM through the views below and has no right on any table of the CRM.

create schema if not exists crm_hosting;

-- ── What a customer and an account are matched by ────────────────────────────────────────────────────────────
-- Blank, tab, CR, LF, no-break and ideographic space are trimmed; an empty address is no key at all.
create or replace function crm_hosting.email_key(email text) returns text
language sql immutable parallel safe
return nullif(lower(btrim(email, E' \t\r\n\u00a0\u3000')), '');

-- ── What counts of a miner row ───────────────────────────────────────────────────────────────────────────────
-- A figure that is not a finite number >= 0 counts as 0. (NaN sorts above Infinity, so one comparison bars both.)
-- A double precision counts as the decimal of 15 significant digits that PostgreSQL makes of it: 0.1 is 0.1.
create or replace function crm_hosting.is_usable(figure double precision) returns boolean
language sql immutable parallel safe
return coalesce(figure >= 0 and figure < 'Infinity', false);

create or replace function crm_hosting.usable(figure double precision) returns numeric
language sql immutable parallel safe
return case when figure >= 0 and figure < 'Infinity' then figure::numeric else 0 end;

-- The figure as a whole number of 1/scale, or null where it is none (or large): whole numbers add up ten times as
-- fast as numeric. Exact: k / 10^n is the double nearest to that decimal, whose 15 digits numeric would read.
create or replace function crm_hosting.whole(figure double precision, scale double precision) returns bigint
language sql immutable parallel safe
return case when figure >= 0 and figure < 2147483648 / scale  -- in a case of its own: what is larger overflows below
            then case when round(figure * scale) / scale = figure then (figure * scale)::bigint end end;

-- What 1 TH/s earns: BTC a day on average, to 40 places, = hashes a day x BTC a block / hashes a block. 10^12 is the SI
-- prefix, 86400 the seconds of a day; 2^32 x difficulty hashes are expected for a block, as the target of difficulty 1 is
-- 2^224 of 2^256 possible hashes: https://en.bitcoin.it/wiki/Difficulty
create or replace function crm_hosting.btc_per_terahash_day(difficulty numeric, block_reward numeric) returns numeric
language sql immutable parallel safe
return round(1e12 * 86400 * block_reward, 40) / (difficulty * 4294967296);

-- One of the four statuses, or null for an unknown one. As the CRM writes it is the common case and the quick one.
-- Collation C folds ASCII alone, so that no server's alphabet makes a status of another word.
create or replace function crm_hosting.known_status(status text) returns text
language sql immutable parallel safe
return case when status in ('active', 'offline', 'maintenance', 'sold') then status
            when lower(btrim(status, E' \t\r\n\u00a0\u3000') collate "C") in ('active', 'offline', 'maintenance', 'sold')
            then lower(btrim(status, E' \t\r\n\u00a0\u3000') collate "C") end;

-- The status that a row counts under: an unknown one is taken for offline.
create or replace function crm_hosting.counted_status(status text) returns text
language sql immutable parallel safe
return coalesce(crm_hosting.known_status(status), 'offline');

-- ── The sync's columns on the CRM's customers ────────────────────────────────────────────────────────────────
-- Asked first: `alter table` bars everybody from the table even where it has nothing to add.
do $$ begin
  if (select count(*) from pg_attribute where attrelid = 'public.crm_customers'::regclass and not attisdropped
      and attname in ('hosting_estimated_daily_btc', 'hosting_estimated_daily_usd', 'hosting_net_profit_daily',
                      'hosting_synced_at')) < 4 then
    alter table public.crm_customers
      add column if not exists hosting_estimated_daily_btc numeric(18, 8),
      add column if not exists hosting_estimated_daily_usd numeric(18, 2),
      add column if not exists hosting_net_profit_daily numeric(18, 2),
      add column if not exists hosting_synced_at timestamp without time zone;
  end if;
end $$;

-- ── Who asks, and what that lets the transaction see ─────────────────────────────────────────────────────────
-- The scope is a setting of the transaction: 'all', an account's id, or nothing, which shows nothing.
create or replace function crm_hosting.scope_to(tenant integer) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$ select set_config('crm_hosting.scope', coalesce(tenant::text, 'all'), true) $$;

-- The first statement of a request. Returns the account's state (active, inactive, expired; null where there is
-- none), its role, and whose the customer is: own, another's, missing; null where none was asked for.
create or replace function crm_hosting.enter(
  caller integer, customer integer, see_all text[],
  out state text, out role text, out decision text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  owner integer;
begin
  select case when a.is_active is not true then 'inactive'
              when a.expires_at <= now() at time zone 'utc' then 'expired'
              else 'active' end, a.role
    into state, role
    from public.user_access a where a.id = caller;
  perform set_config('crm_hosting.scope', case when state = 'active' then
    case when role = any(see_all) then 'all' else caller::text end else '' end, true);
  -- A fleet's rows are grouped by hashing: the planner takes each fleet for one of ten rows, and would sort ten thousand.
  perform set_config('enable_sort', 'off', true);
  if customer is not null then
    select c.created_by_id into owner from public.crm_customers c where c.id = customer;
    decision := case when not found then 'missing'
                     when owner = caller or role = any(see_all) then 'own'
                     else 'other' end;
  end if;
end $$;

-- Of the scope's customers after an id the next so many: how many there are, and the last one's id (0 where none is
-- left). Through the view no order is had from an index, and each chunk would sort all that are left.
create or replace function crm_hosting.next_customers(after integer, size integer, out customers bigint, out upto integer)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  scope text := current_setting('crm_hosting.scope', true);
begin
  if scope = 'all' then
    select count(*), coalesce(max(id), 0) into customers, upto
      from (select c.id from public.crm_customers c where c.id > after order by c.id limit size) next;
  else
    select count(*), coalesce(max(id), 0) into customers, upto
      from (select c.id from public.crm_customers c
            where c.created_by_id = nullif(scope, '')::integer and c.id > after order by c.id limit size) next;
  end if;
end $$;

-- ── The CRM, as the bundle's role sees it ────────────────────────────────────────────────────────────────────
-- security_barrier: no condition of a query, however leaky, is asked about a row outside the scope.
create or replace view crm_hosting.customers with (security_barrier) as
select id, name, company, status, created_by_id, crm_hosting.email_key(email) as email_key,
       miners_count, mining_capacity, primary_miner_model,
       hosting_estimated_daily_btc, hosting_estimated_daily_usd, hosting_net_profit_daily, hosting_synced_at
from public.crm_customers
where (select current_setting('crm_hosting.scope', true)) = 'all'
   or created_by_id = (select nullif(nullif(current_setting('crm_hosting.scope', true), ''), 'all')::integer);

-- Accounts and miners of everybody, as a link may lead to any of them; but nothing before a scope is set.
create or replace view crm_hosting.accounts as
select id, crm_hosting.email_key(email) as email_key, is_active, created_by_id
from public.user_access
where (select current_setting('crm_hosting.scope', true)) <> '';

create or replace view crm_hosting.miners as
select m.id, m.user_id as account_id, m.miner_model_id as model_id, k.model_name as model, m.custom_name,
       m.location, m.created_at,
       crm_hosting.counted_status(m.status) as status,
       greatest(m.quantity, 0) as quantity,
       crm_hosting.usable(m.actual_hashrate) as hashrate,
       greatest(m.actual_power, 0) as power,
       crm_hosting.usable(m.electricity_cost) as price,
       not (crm_hosting.is_usable(m.actual_hashrate) and crm_hosting.is_usable(m.electricity_cost)
            and coalesce(m.quantity >= 0 and m.actual_power >= 0, false)) as has_unusable_figure,
       crm_hosting.known_status(m.status) is null as has_unknown_status,
       greatest(m.quantity, 0)::bigint * greatest(m.actual_power, 0) as watts,
       crm_hosting.whole(m.actual_hashrate, 1e4) as hashrate_e4,
       -- with the watts it makes a number of less than 63 bits, or is null
       case when greatest(m.quantity, 0)::bigint * greatest(m.actual_power, 0) < 2147483648
            then crm_hosting.whole(m.electricity_cost, 1e6) end as price_e6,
       m.actual_hashrate, m.electricity_cost, m.status as written_status
from public.user_miners m
left join public.miner_models k on k.id = m.miner_model_id
where (select current_setting('crm_hosting.scope', true)) <> '';

create or replace view crm_hosting.models as
select id, model_name as name from public.miner_models;

-- The newest usable snapshot, or none. (The column as it is, not as it is shown: it has the index.)
create or replace view crm_hosting.market as
select recorded_at at time zone 'utc' as recorded_at, btc_price::numeric as btc_price, network_difficulty::numeric as network_difficulty,
       block_reward::numeric as block_reward,
       crm_hosting.btc_per_terahash_day(network_difficulty::numeric, block_reward::numeric) as btc_per_terahash_day
from public.network_snapshots
where is_valid is not false and isfinite(recorded_at)
  and btc_price > 0 and btc_price < 'Infinity'
  and network_difficulty > 0 and network_difficulty < 'Infinity'
  and network_hashrate > 0 and network_hashrate < 'Infinity'
  and block_reward > 0 and block_reward < 'Infinity'
order by network_snapshots.recorded_at desc, id desc
limit 1;

-- Appends a snapshot as of now: the only thing that the role crm_hosting_market can do to the CRM.
do $$ begin
  if not exists (select from pg_attribute where attrelid = 'public.network_snapshots'::regclass
                 and attname = 'hosting_response_ms' and not attisdropped) then
    alter table public.network_snapshots add column if not exists hosting_response_ms integer;
  end if;
end $$;

create or replace function crm_hosting.record_snapshot(
  btc_price float8, network_difficulty float8, network_hashrate float8, block_reward float8,
  price_source text, data_source text, is_valid boolean, response_ms integer
) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into public.network_snapshots (
    recorded_at, btc_price, network_difficulty, network_hashrate, block_reward,
    price_source, data_source, is_valid, hosting_response_ms)
  values (
    now() at time zone 'utc', btc_price, network_difficulty, network_hashrate, block_reward,
    left(price_source, 50), left(data_source, 50), is_valid, response_ms)
$$;

-- ── The batch's own memory ───────────────────────────────────────────────────────────────────────────────────
create table if not exists crm_hosting.runs (
  id bigint generated always as identity primary key,
  tenant_id integer,                      -- null: every customer
  origin text not null check (origin in ('schedule', 'request', 'console')),
  started_by integer,
  state text not null default 'running'
    check (state in ('running', 'completed', 'partial', 'failed', 'abandoned')),
  token integer not null default 1,       -- the fence: a worker whose token is old writes nothing more
  cursor integer not null default 0,      -- the customers up to this id are done
  total integer not null default 0,
  linked integer not null default 0,
  synced integer not null default 0,
  skipped integer not null default 0,
  errors integer not null default 0,
  changed integer not null default 0,
  started_at timestamptz not null default clock_timestamp(),
  heartbeat_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  failure text                            -- why it failed: an SQLSTATE or the name of an error, never a message
);
-- The lease: one living run per scope.
create unique index if not exists runs_lease on crm_hosting.runs (coalesce(tenant_id, 0)) where state = 'running';
create index if not exists runs_newest on crm_hosting.runs (coalesce(tenant_id, 0), id desc);

create table if not exists crm_hosting.run_errors (
  run_id bigint not null references crm_hosting.runs on delete cascade,
  customer_id integer not null,
  sqlstate text not null,
  constraint_name text,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (run_id, customer_id)
);

-- Data-quality findings as of the last run that covered the customer.
create table if not exists crm_hosting.findings (
  customer_id integer not null,
  kind text not null check (kind in ('ambiguous_email', 'unusable_figure', 'unknown_status')),
  run_id bigint,                          -- the run that saw it first; null: the sync of one customer
  primary key (customer_id, kind)
);

-- ── What the bundle's role may do, column by column ──────────────────────────────────────────────────────────
grant usage on schema crm_hosting to crm_hosting;
revoke all on all tables in schema crm_hosting from crm_hosting;
-- Whoever writes to a table of the CRM computes the key for its index, and so has to be allowed to.
grant execute on function crm_hosting.email_key to public;
grant execute on function crm_hosting.is_usable, crm_hosting.usable, crm_hosting.whole, crm_hosting.known_status,
  crm_hosting.counted_status, crm_hosting.btc_per_terahash_day to crm_hosting;
revoke all on function crm_hosting.enter, crm_hosting.scope_to, crm_hosting.next_customers from public;
grant execute on function crm_hosting.enter, crm_hosting.scope_to, crm_hosting.next_customers to crm_hosting;
grant select on crm_hosting.customers, crm_hosting.accounts, crm_hosting.miners, crm_hosting.models, crm_hosting.market to crm_hosting;
grant update (miners_count, mining_capacity, primary_miner_model, hosting_estimated_daily_btc,
              hosting_estimated_daily_usd, hosting_net_profit_daily, hosting_synced_at)
  on crm_hosting.customers to crm_hosting;
grant select, insert, update, delete on crm_hosting.runs, crm_hosting.run_errors, crm_hosting.findings to crm_hosting;

grant usage on schema crm_hosting to crm_hosting_market;
revoke all on all tables in schema crm_hosting from crm_hosting_market;
revoke all on function crm_hosting.record_snapshot from public;
grant execute on function crm_hosting.record_snapshot, crm_hosting.btc_per_terahash_day to crm_hosting_market;
grant select on crm_hosting.market to crm_hosting_market;

-- A right that everybody has, or that came with another role, would go round the views.
do $$
declare
  open_tables text := (
    select string_agg(distinct c.oid::regclass::text, ', ')
    from unnest(array['crm_hosting', 'crm_hosting_market']) role,
         pg_class c join pg_class crm on crm.oid = 'public.crm_customers'::regclass and crm.relowner = c.relowner
    where c.relkind in ('r', 'p') and c.relnamespace <> 'crm_hosting'::regnamespace
      and (has_table_privilege(role, c.oid, 'select, insert, update, delete, truncate')
           or has_any_column_privilege(role, c.oid, 'select, insert, update')));
begin
  if open_tables is not null then
    raise exception 'A role of the bundle may read or write %, which is to be revoked (from public?)', open_tables
      using constraint = 'no right on ' || open_tables;  -- an error's message is not kept, this name is
  end if;
end $$;

-- Who may read the CRM's customers may read the batch's memory, which names them by id alone: a role that dumps the
-- CRM's database has to be able to read every table in it.
do $$
declare
  reader text;
  thing regclass;
begin
  for reader in
    select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
    from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    where c.oid = 'public.crm_customers'::regclass and a.privilege_type = 'SELECT'
  loop
    execute format('grant usage on schema crm_hosting to %s', reader);
    for thing in select oid from pg_class
                 where relnamespace = 'crm_hosting'::regnamespace and relkind in ('r', 'p', 'S') loop
      execute format('grant select on %s to %s', thing, reader);
    end loop;
  end loop;
end $$;
