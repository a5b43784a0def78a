-- How the sync writes into the CRM: as the owner of its tables, so that the CRM's triggers may do what they may do for
-- the CRM itself; and therefore no more than the scope, the lease and seven columns allow.

-- Its statement is bound to its names here and now, so the path is for the CRM's triggers alone: it is the one they
-- know, but for temporary tables, which come last: the bundle's role could make one of the name of the CRM's own, and its
-- triggers would run as the owner. Nobody but the next function may call it.
create or replace function crm_hosting.write_rows(
  scope text, ids integer[], miners_counts integer[], capacities double precision[], models text[],
  daily_btc numeric[], daily_usd numeric[], daily_profits numeric[]
) returns setof integer
language sql volatile
set search_path = "$user", public, pg_temp
begin atomic
  with free as materialized (
    select n.*
    from unnest(ids, miners_counts, capacities, models, daily_btc, daily_usd, daily_profits)
           as n (id, miners_count, capacity, model, btc, usd, profit)
    join public.crm_customers c on c.id = n.id
    where scope = 'all' or c.created_by_id = nullif(nullif(scope, ''), 'all')::integer
    order by c.id
    for no key update of c skip locked
  )
  update public.crm_customers c
  set miners_count = f.miners_count, mining_capacity = f.capacity, primary_miner_model = f.model,
      hosting_estimated_daily_btc = f.btc, hosting_estimated_daily_usd = f.usd,
      hosting_net_profit_daily = f.profit, hosting_synced_at = now() at time zone 'utc'
  from free f
  where c.id = f.id
  returning c.id;
end;

-- Writes the figures of these customers, of those in the transaction's scope whose record nobody else has locked, and
-- returns their ids. A run may do so while it has its lease; without a run it is one customer, at somebody's request.
create or replace function crm_hosting.write_figures(
  run bigint, run_token integer, ids integer[], miners_counts integer[], capacities double precision[], models text[],
  daily_btc numeric[], daily_usd numeric[], daily_profits numeric[]
) returns setof integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  scope text := current_setting('crm_hosting.scope', true);
begin
  if cardinality(ids) = 0 then
    return;
  end if;
  if (run is null and cardinality(ids) > 1) or (run is not null and not exists (
       select from crm_hosting.runs r
       where r.id = run and r.token = run_token and r.state = 'running' and coalesce(r.tenant_id::text, 'all') = scope))
  then
    raise exception 'the lease is another''s' using errcode = 'insufficient_privilege';
  end if;
  return query select crm_hosting.write_rows(
    scope, ids, miners_counts, capacities, models, daily_btc, daily_usd, daily_profits);
end $$;
