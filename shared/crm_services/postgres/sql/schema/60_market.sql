-- Price and network: the snapshots of the bundle's own, and the one of all that counts.

-- Of market_refresh alone: difficulty as it is, USD, EH/s, BTC; nothing is added to the CRM's table.
create table if not exists crm_hosting.market_snapshots (
  id bigint generated always as identity primary key,
  recorded_at timestamptz not null default now(),
  btc_price double precision not null,
  network_difficulty double precision not null,
  network_hashrate double precision not null,
  block_reward double precision not null,
  price_source text,
  data_source text,
  is_valid boolean not null,
  response_ms integer
);
-- Of what is usable, in the words of the view below, which then asks no row whether it is.
create index if not exists market_snapshots_usable on crm_hosting.market_snapshots (recorded_at, id)
  where is_valid
    and btc_price > 0 and btc_price < 'Infinity'
    and network_difficulty > 0 and network_difficulty < 'Infinity'
    and block_reward > 0 and block_reward < 'Infinity';

-- The newest usable snapshot of either table, or none. Usable is what is valid, has price, difficulty and reward, and is
-- of a time that Python and JSON can say and that is not yet to come, but for five minutes by which two clocks may differ.
--
-- The CRM's difficulty below 10^6 is in trillions. Its time is the wall clock of SnapshotTimeZone, which is written into
-- the view so that the planner knows it, or the time as it is where the column has a zone. The hour that autumn has
-- twice is taken for the first of the two: a snapshot may seem an hour older than it is, never newer and never of the
-- future. The hour that spring leaves out, which that clock never shows, is read as if it had not been put forward.
-- Now is turned into the clock's time, not each row's time into ours: the index on recorded_at finds the newest. A clock
-- that was put back shows less than it has shown, so three hours more are looked into, row by row.
do $do$
declare
  zone text := current_setting('crm_hosting.snapshot_time_zone');
  is_zoned boolean := (
    select atttypid = 'timestamptz'::regtype from pg_attribute
    where attrelid = 'public.network_snapshots'::regclass and attname = 'recorded_at');
  -- A time of the clock in ours. Of two readings PostgreSQL's own is the second. The first is three hours after the
  -- reading of three hours before, at which the clock shows the same; where it does not, there is but one.
  moment text := case when is_zoned then 'recorded_at' else format(
    $$case when %1$s at time zone %2$L = recorded_at then %1$s else recorded_at at time zone %2$L end$$,
    format($$((recorded_at - interval '3 hours') at time zone %L + interval '3 hours')$$, zone), zone) end;
  upto text := $$(now() + interval '5 minutes')$$;
  clock_upto text := case when is_zoned then upto else format($$(now() + interval '185 minutes') at time zone %L$$, zone) end;
begin
  execute format($view$
create or replace view crm_hosting.market as
select recorded_at, btc_price::numeric as btc_price, network_difficulty, block_reward::numeric as block_reward,
       crm_hosting.btc_per_terahash_day(network_difficulty, block_reward::numeric) as btc_per_terahash_day
from (
  (select false as is_own, %1$s as recorded_at, btc_price, block_reward,
          network_difficulty::numeric * case when network_difficulty < 1e6 then 1000000000000 else 1 end as network_difficulty
   from public.network_snapshots
   where recorded_at <= %2$s and recorded_at >= '0001-01-02' and is_valid is not false
     and btc_price > 0 and btc_price < 'Infinity'::numeric
     and network_difficulty > 0 and network_difficulty < 'Infinity'::numeric
     and block_reward > 0 and block_reward < 'Infinity'::numeric
     and %1$s <= %3$s
   order by network_snapshots.recorded_at desc, id desc
   limit 1)
  union all
  (select true, recorded_at, btc_price, block_reward, network_difficulty::numeric
   from crm_hosting.market_snapshots
   where recorded_at <= %3$s and recorded_at >= '0001-01-02' and is_valid
     and btc_price > 0 and btc_price < 'Infinity'
     and network_difficulty > 0 and network_difficulty < 'Infinity'
     and block_reward > 0 and block_reward < 'Infinity'
   order by market_snapshots.recorded_at desc, id desc
   limit 1)
) newest
order by recorded_at desc, is_own desc
limit 1
$view$, moment, clock_upto, upto);
end $do$;

-- Appends a snapshot as of now, and lets go of a few that are over 400 days old: the only thing that the role
-- crm_hosting_market can do. (Its signature is the first version's: a function of that version that is still warm
-- appends to the right table.)
create or replace function crm_hosting.record_snapshot(
  btc_price float8, network_difficulty float8, network_hashrate float8, block_reward float8,
  price_source text, data_source text, is_valid boolean, response_ms integer
) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  delete from crm_hosting.market_snapshots
  where id in (select s.id from crm_hosting.market_snapshots s
               where s.recorded_at < now() - interval '400 days' order by s.id limit 100);
  insert into crm_hosting.market_snapshots (
    btc_price, network_difficulty, network_hashrate, block_reward, price_source, data_source, is_valid, response_ms)
  values (
    btc_price, network_difficulty, network_hashrate, block_reward,
    left(price_source, 50), left(data_source, 50), is_valid, response_ms)
$$;
