-- The sync's columns on the CRM's customers: with the indexes, all that the bundle adds outside of its schema.

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
