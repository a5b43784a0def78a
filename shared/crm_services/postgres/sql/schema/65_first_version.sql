-- What the first version left in the CRM's table of snapshots: rows of its own, by a column of its own, with the
-- difficulty as it is and the time in UTC. The CRM's readers take their difficulty for trillions, so they are moved to
-- where they belong, and the column goes. The table is locked before, so that none is appended in between.
do $$ begin
  if exists (select from pg_attribute where attrelid = 'public.network_snapshots'::regclass
             and attname = 'hosting_response_ms' and not attisdropped) then
    set local TimeZone = 'UTC';
    lock table public.network_snapshots in access exclusive mode;
    with taken as (
      delete from public.network_snapshots where hosting_response_ms is not null returning *
    )
    insert into crm_hosting.market_snapshots (
      recorded_at, btc_price, network_difficulty, network_hashrate, block_reward,
      price_source, data_source, is_valid, response_ms)
    select recorded_at::timestamptz, btc_price, network_difficulty, network_hashrate, block_reward,
           price_source, data_source, is_valid is not false, hosting_response_ms
    from taken order by recorded_at;
    alter table public.network_snapshots drop column hosting_response_ms;
  end if;
end $$;
