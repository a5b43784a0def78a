-- How runs are forgotten: by functions, as a role that could delete runs could hide what it did. Neither goes below a day,
-- or below fifty runs of a tenant, and neither takes the newest completed run of a scope, which sync-status speaks of.
-- At most so many runs, or failures of runs, at once: a run that still has failures is forgotten by a later step. Each
-- returns how many rows it took.

-- The newest completed run of a scope (0: everybody's), by the index. Bounded from both sides and sorted by the scope: of
-- an equality the planner might think that the newest runs of all soon lead to one of the scope, and read a flood.
create or replace function crm_hosting.newest_completed_run(scope integer) returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select r.id from crm_hosting.runs r
  where coalesce(r.tenant_id, 0) >= scope and (coalesce(r.tenant_id, 0), r.id) < (scope, 9223372036854775807)
    and r.state = 'completed'
  order by coalesce(r.tenant_id, 0) desc, r.id desc limit 1
$$;

create or replace function crm_hosting.forget_these_runs(ids bigint[], step integer) returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  forgotten bigint;
begin
  with failures as (
    delete from crm_hosting.run_errors where ctid = any (array(
      select e.ctid from crm_hosting.run_errors e where e.run_id = any (ids) limit step))
    returning run_id
  ), gone as (
    delete from crm_hosting.runs r where r.id = any (ids)
      and not exists (select from crm_hosting.run_errors e where e.run_id = r.id)
    returning r.id
  )
  select (select count(*) from failures) + (select count(*) from gone) into forgotten;
  return forgotten;
end $$;

create or replace function crm_hosting.forget_old_runs(days integer, step integer) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return crm_hosting.forget_these_runs(array(
    select r.id from crm_hosting.runs r
    where r.started_at < now() - make_interval(days => greatest(days, 1)) and r.state <> 'running'
      and r.id is distinct from crm_hosting.newest_completed_run(coalesce(r.tenant_id, 0))
    order by r.started_at limit step), step);
end $$;

create or replace function crm_hosting.forget_surplus_runs(tenant integer, kept integer, step integer) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  oldest_kept bigint := (
    select k.id from crm_hosting.runs k
    where coalesce(k.tenant_id, 0) >= tenant and (coalesce(k.tenant_id, 0), k.id) < (tenant, 9223372036854775807)
    order by coalesce(k.tenant_id, 0) desc, k.id desc offset greatest(kept, 50) - 1 limit 1);
  newest_completed bigint := crm_hosting.newest_completed_run(tenant);
begin
  return crm_hosting.forget_these_runs(array(
    select r.id from crm_hosting.runs r
    where coalesce(r.tenant_id, 0) >= tenant and (coalesce(r.tenant_id, 0), r.id) < (tenant, oldest_kept)
      and r.state <> 'running' and r.id is distinct from newest_completed
    order by coalesce(r.tenant_id, 0) desc, r.id desc limit step), step);
end $$;
