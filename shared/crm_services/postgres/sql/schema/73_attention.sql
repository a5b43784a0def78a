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
