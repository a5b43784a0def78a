-- What the fleets came to, day by day. A day is the calendar's in the zone of HistoryTimeZone.

-- As the last sync found it: a row for each customer that has been synced, valid from its day on. A table of its own, in
-- the order of the customers, so that a chunk of the batch looks at its own rows and at nothing that is past.
create table if not exists crm_hosting.fleet_now (
  customer_id integer primary key,
  day date not null,
  account_id integer,                     -- whose fleet it is; null: the link is lost
  lost_account_id integer,                -- whose it was then
  owner_id integer,                       -- the customer's: whose totals it belongs to
  active integer not null,
  offline integer not null,
  maintenance integer not null,
  hashrate numeric not null,              -- TH/s, exact, as are the next and the cost
  earning_hashrate numeric not null,
  power bigint not null,                  -- W
  electricity_cost numeric not null,      -- USD a day, rounded to 0.01
  has_unusable_figure boolean not null
) with (fillfactor = 80);

-- As it was before: valid from `day` up to the day before `until`. A day on which nothing changed has no row.
create table if not exists crm_hosting.fleet_days (
  customer_id integer not null,
  day date not null,
  until date not null,
  account_id integer not null,
  active integer not null,
  offline integer not null,
  maintenance integer not null,
  hashrate numeric not null,
  earning_hashrate numeric not null,
  power bigint not null,
  electricity_cost numeric not null,
  has_unusable_figure boolean not null,
  primary key (customer_id, day)
);
create index if not exists fleet_days_until on crm_hosting.fleet_days (until);
-- Which fleets began on a day: others than before it, or new.
create index if not exists fleet_now_day on crm_hosting.fleet_now (day);
create index if not exists fleet_days_day on crm_hosting.fleet_days (day);

-- The market by which a day's last sync worked its dollars out, and with it that there was one: of everybody (0, 0), of
-- a tenant's customers (tenant, 0), of one customer (0, customer). Without a usable snapshot the figures are null.
create table if not exists crm_hosting.market_days (
  tenant_id integer not null,
  customer_id integer not null,
  day date not null,
  synced_at timestamptz not null,
  btc_price numeric,
  network_difficulty numeric,
  btc_per_terahash_day numeric,
  primary key (customer_id, tenant_id, day)
);
create index if not exists market_days_day on crm_hosting.market_days (day);

-- The totals of each owner's customers (0: of all) as a run over everybody left them; a fleet that several customers
-- share is counted once.
create table if not exists crm_hosting.scope_days (
  tenant_id integer not null,
  day date not null,
  customers integer not null,
  active bigint not null,
  offline bigint not null,
  maintenance bigint not null,
  hashrate numeric not null,
  earning_hashrate numeric not null,
  power numeric not null,
  electricity_cost numeric not null,
  primary key (tenant_id, day)
);
create index if not exists scope_days_day on crm_hosting.scope_days (day);

-- Where a day's machines stood: '' where nothing has a location, the location's name as JSON where there is but one, as
-- the figures are the row's, or else an object: {"Texas DC-01":[machines,TH/s,W],…}, at most twenty and the others. Null:
-- nobody looked. The fingerprint tells, without looking again, whether all is as it was.
alter table crm_hosting.fleet_now add column if not exists places text;
alter table crm_hosting.fleet_now add column if not exists fingerprint bigint;
alter table crm_hosting.fleet_days add column if not exists places text;
alter table crm_hosting.scope_days add column if not exists places text;

-- How many customers the owner has, with a fleet or without one, and of how many the link was found. Null: nobody counted.
alter table crm_hosting.scope_days add column if not exists total_customers integer;
alter table crm_hosting.scope_days add column if not exists linked_customers integer;
