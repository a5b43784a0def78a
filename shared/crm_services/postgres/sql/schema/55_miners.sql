-- The machines, whichever table of the CRM's they are in, with what counts of each.

-- Before there were two sources the view had the types of the CRM's columns, which cannot be replaced.
do $$ begin
  if exists (select from pg_attribute where attrelid = to_regclass('crm_hosting.miners') and attname = 'custom_name'
             and atttypid = 'varchar'::regtype) then
    drop view crm_hosting.miners;
  end if;
end $$;

create or replace view crm_hosting.miners as
select m.id, m.account_id, m.model_id, k.model_name::text as model,
       case when crm_hosting.has_text(m.custom_name) then m.custom_name end as custom_name,
       m.location, m.created_at,
       crm_hosting.counted_status(m.status) as status,
       greatest(m.quantity, 0) as quantity,
       crm_hosting.usable(m.actual_hashrate) as hashrate,
       greatest(m.actual_power, 0) as power,
       crm_hosting.usable(m.electricity_cost) as price,
       not (crm_hosting.is_usable(m.actual_hashrate) and crm_hosting.is_usable(m.electricity_cost)
            and coalesce(m.quantity >= 0 and m.actual_power >= 0, false)) as has_unusable_figure,
       crm_hosting.known_status(m.status) is null as has_unknown_status,
       greatest(m.quantity, 0)::bigint * greatest(m.actual_power, 0) as watts,
       crm_hosting.whole(m.actual_hashrate, 1e4) as hashrate_e4,
       -- with the watts it makes a number of less than 63 bits, or is null
       case when greatest(m.quantity, 0)::bigint * greatest(m.actual_power, 0) < 2147483648
            then crm_hosting.whole(m.electricity_cost, 1e6) end as price_e6,
       m.actual_hashrate, m.electricity_cost, m.status as written_status,
       crm_hosting.is_unlikely(m.actual_hashrate, m.actual_power, m.electricity_cost,
                               k.reference_hashrate, k.reference_power::integer) as has_unlikely_figure,
       k.reference_hashrate::double precision, m.site_id, m.rack_position, m.temperature_avg, m.temperature_max,
       m.reject_rate, m.health_score, m.cgminer_online, m.last_seen
from crm_hosting.machines m
left join public.miner_models k on k.id = m.model_id
where (select current_setting('crm_hosting.scope', true)) <> '';
