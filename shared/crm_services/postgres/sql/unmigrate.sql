-- Takes away what schema.sql brings; the indexes are gone by then.
drop schema if exists crm_hosting cascade;
alter table public.crm_customers
  drop column if exists hosting_estimated_daily_btc,
  drop column if exists hosting_estimated_daily_usd,
  drop column if exists hosting_net_profit_daily,
  drop column if exists hosting_synced_at;
alter table public.network_snapshots
  drop column if exists hosting_response_ms;
