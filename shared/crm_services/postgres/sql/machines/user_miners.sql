-- The fleet as the contract has it: a row a batch of equal machines. No collector looks at them.

create or replace view crm_hosting.machines as
select m.id::integer, m.user_id::integer as account_id, m.miner_model_id::integer as model_id, m.custom_name::text,
       m.location::text, m.created_at::timestamp, m.status::text, m.quantity::integer,
       m.actual_hashrate::double precision, crm_hosting.watts(m.actual_power) as actual_power,
       m.electricity_cost::double precision,
       null::integer as site_id, null::text as rack_position, null::double precision as temperature_avg,
       null::double precision as temperature_max, null::double precision as reject_rate,
       null::double precision as health_score, null::boolean as cgminer_online, null::timestamp as last_seen
from public.user_miners m;

create or replace view crm_hosting.machine_days as
select null::date as day, null::integer as site_id, null::text as serial_number,
       null::double precision as online_ratio, null::double precision as uptime_hours, null::double precision as energy
where false;

create or replace view crm_hosting.sources as select 'user_miners' as machines, false as has_days;
