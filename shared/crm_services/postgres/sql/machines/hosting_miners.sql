-- The fleet as the hosting module has it: a row a machine. Only those that were approved are hosted; power costs what it
-- costs at their site. customer_id is the account's, in spite of its name.

create or replace view crm_hosting.machines as
select m.id::integer, m.customer_id::integer as account_id, m.miner_model_id::integer as model_id,
       m.serial_number::text as custom_name,
       case when crm_hosting.has_text(s.name) then s.name::text else s.location::text end as location,
       m.created_at::timestamp, m.status::text, 1 as quantity,
       m.actual_hashrate::double precision, crm_hosting.watts(m.actual_power) as actual_power,
       s.electricity_rate::double precision as electricity_cost
from public.hosting_miners m
left join public.hosting_sites s on s.id = m.site_id
where m.approval_status = 'approved';
