-- What changed for the worse and is not well again: kept, so that nothing comes and goes at a threshold.
create table if not exists crm_hosting.attention (
  customer_id integer not null,
  kind text not null check (kind in ('hashrate_down', 'offline_share', 'link_lost', 'unusable_figure')),
  account_id integer not null,            -- whose fleet it is, or was
  since date not null,
  before numeric,                         -- TH/s that earn, or the offline machines in percent; null for the others
  after numeric,
  severity numeric not null,              -- 0 to 100
  primary key (customer_id, kind)
);

-- The days on which a message about it was sent, or is to be, and by which run; null: it could not be sent yet.
create table if not exists crm_hosting.attention_messages (
  day date primary key,
  run_id bigint
);
