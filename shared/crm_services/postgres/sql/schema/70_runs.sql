-- The batch's own memory.

create table if not exists crm_hosting.runs (
  id bigint generated always as identity primary key,
  tenant_id integer,                      -- null: every customer
  origin text not null check (origin in ('schedule', 'request', 'console')),
  started_by integer,
  state text not null default 'running'
    check (state in ('running', 'completed', 'partial', 'failed', 'abandoned')),
  token integer not null default 1,       -- the fence: a worker whose token is old writes nothing more
  cursor integer not null default -2147483648,  -- the customers up to this id are in ranges; the CRM's may be below 0
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
-- How whoever took the lease last knows it again, where the answer that he has it was lost.
alter table crm_hosting.runs add column if not exists claim text;
-- Links that it found lost: the customers were cleared.
alter table crm_hosting.runs add column if not exists lost integer not null default 0;
-- Customers of its scope that it left with an ambiguous link, or a shared one; null unless it completed.
alter table crm_hosting.runs add column if not exists ambiguous integer;
alter table crm_hosting.runs add column if not exists shared integer;
-- Of a run over everybody, how many customers it left with each finding.
alter table crm_hosting.runs add column if not exists findings jsonb;
-- An older table begins above the customers whose ids are not above 0.
do $$ begin
  if exists (select from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
             where d.adrelid = 'crm_hosting.runs'::regclass and a.attname = 'cursor'
               and pg_get_expr(d.adbin, d.adrelid) = '0') then
    alter table crm_hosting.runs alter column cursor set default -2147483648;
  end if;
end $$;
-- The lease: one living run per scope.
create unique index if not exists runs_lease on crm_hosting.runs (coalesce(tenant_id, 0)) where state = 'running';
-- A scope's runs, read backwards.
drop index if exists crm_hosting.runs_newest;
create index if not exists runs_by_scope on crm_hosting.runs (coalesce(tenant_id, 0), id);

create index if not exists runs_completed on crm_hosting.runs (coalesce(tenant_id, 0), id) where state = 'completed';
create index if not exists runs_oldest on crm_hosting.runs (started_at);

-- What the workers of a living run have taken on, each a stretch of ids: whoever has a row locked is at work on it, and
-- moves cursor and counts in the transaction of the work itself. The run's end adds the counts up and takes the rows away.
create table if not exists crm_hosting.run_ranges (
  run_id bigint not null references crm_hosting.runs on delete cascade,
  number integer not null,                -- from 1 on, by id; 0: the customers that were locked, once more
  cursor integer not null,                -- the customers up to this id are done
  upto integer not null,                  -- and this is the last one
  total integer not null default 0,
  linked integer not null default 0,
  synced integer not null default 0,
  skipped integer not null default 0,
  errors integer not null default 0,
  changed integer not null default 0,
  lost integer not null default 0,
  primary key (run_id, number)
);
-- Its linked customers by owner: [[owner, customers],…], an owner as often as the range had chunks.
alter table crm_hosting.run_ranges add column if not exists links jsonb not null default '[]';
create index if not exists run_ranges_open on crm_hosting.run_ranges (run_id, number) where cursor < upto;

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
  kind text not null,
  run_id bigint,                          -- the run that saw it first; null: the sync of one customer
  primary key (customer_id, kind)
);

create index if not exists findings_by_kind on crm_hosting.findings (kind, customer_id);

-- The kinds that there are now: an older table knows fewer.
do $$ begin
  if not exists (select from pg_constraint where conrelid = 'crm_hosting.findings'::regclass
                 and conname = 'findings_kind_check' and pg_get_constraintdef(oid) like '%shared_across_owners%') then
    alter table crm_hosting.findings drop constraint if exists findings_kind_check;
    alter table crm_hosting.findings add constraint findings_kind_check
      check (kind in ('ambiguous_email', 'unusable_figure', 'unknown_status', 'unlikely_figure',
                      'link_lost', 'account_gone', 'shared_account', 'shared_across_owners'));
  end if;
end $$;
