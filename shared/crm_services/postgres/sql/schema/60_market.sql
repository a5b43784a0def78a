-- Price and network: the snapshot that counts, and how one is appended.

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
