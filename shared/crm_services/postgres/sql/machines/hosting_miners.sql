-- The fleet as the hosting module has it: a row a machine. Only those that were approved are hosted; power costs what it
-- costs at their site. customer_id is the account's, in spite of its name.

-- What the collector writes is not in every CRM: a column that is missing, or of another kind, is null in every row.
do $$
declare
  collected text := (
    select string_agg(format(case when t.oid is null then 'null::%2$s as %1$s' else 'm.%1$I::%2$s as %1$I' end,
                             w.name, w.type), ', ' order by w.place)
    from (values (1, 'rack_position', 'text', 'S'), (2, 'temperature_avg', 'double precision', 'N'),
                 (3, 'temperature_max', 'double precision', 'N'), (4, 'reject_rate', 'double precision', 'N'),
                 (5, 'health_score', 'double precision', 'N'), (6, 'cgminer_online', 'boolean', 'B'),
                 (7, 'last_seen', 'timestamp', 'D')) w (place, name, type, category)
    left join pg_attribute a on a.attrelid = 'public.hosting_miners'::regclass and a.attname = w.name
                                and not a.attisdropped
    left join pg_type t on t.oid = a.atttypid and t.typcategory::text = w.category);
begin
  execute format($view$
    create or replace view crm_hosting.machines as
    select m.id::integer, m.customer_id::integer as account_id, m.miner_model_id::integer as model_id,
           m.serial_number::text as custom_name,
           case when crm_hosting.has_text(s.name) then s.name::text else s.location::text end as location,
           m.created_at::timestamp, m.status::text, 1 as quantity,
           m.actual_hashrate::double precision, crm_hosting.watts(m.actual_power) as actual_power,
           s.electricity_rate::double precision as electricity_cost,
           m.site_id::integer, %s
    from public.hosting_miners m
    left join public.hosting_sites s on s.id = m.site_id
    where m.approval_status = 'approved'
  $view$, collected);
end $$;

-- What the collector kept of each machine's days, where there is such a table and the views may read it.
do $$
declare
  of_days regclass := to_regclass('public.telemetry_daily');
  found text[] := (
    select array_agg(a.attname::text) from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = of_days and a.attnum > 0 and not a.attisdropped
      and has_column_privilege(of_days, a.attnum, 'select')
      and t.typcategory::text = case a.attname when 'day' then 'D' when 'miner_id' then 'S' else 'N' end);
  has_days boolean := coalesce(found @> '{day,site_id,miner_id}', false);
begin
  execute format($view$
    create or replace view crm_hosting.machine_days as
    select d.day::date, d.site_id::integer, d.miner_id::text as serial_number, %s::double precision as online_ratio,
           %s::double precision as uptime_hours, %s::double precision as energy
    from %s d
    where (select current_setting('crm_hosting.scope', true)) <> ''
  $view$, case when has_days and found @> '{online_ratio}' then 'd.online_ratio' else 'null' end,
          case when has_days and found @> '{uptime_hours}' then 'd.uptime_hours' else 'null' end,
          case when has_days and found @> '{total_power_kwh}' then 'd.total_power_kwh' else 'null' end,
          case when has_days then 'public.telemetry_daily'
               else '(select null::date as day, null::integer as site_id, null::text as miner_id limit 0)' end);
  execute format('create or replace view crm_hosting.sources as select %L as machines, %L::boolean as has_days',
                 'hosting_miners', has_days);
end $$;
