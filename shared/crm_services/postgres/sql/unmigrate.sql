-- Takes away what schema.sql brings; the indexes are gone by then.
drop schema if exists crm_hosting cascade;
alter table public.crm_customers
  drop column if exists hosting_estimated_daily_btc,
  drop column if exists hosting_estimated_daily_usd,
  drop column if exists hosting_net_profit_daily,
  drop column if exists hosting_synced_at;
-- Of the first version, where nothing newer migrated since.
do $$ begin
  if exists (select from pg_attribute where attrelid = 'public.network_snapshots'::regclass
             and attname = 'hosting_response_ms' and not attisdropped) then
    delete from public.network_snapshots where hosting_response_ms is not null;
    alter table public.network_snapshots drop column hosting_response_ms;
  end if;
end $$;
