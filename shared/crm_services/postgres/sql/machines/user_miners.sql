-- The fleet as the contract has it: a row a batch of equal machines.

create or replace view crm_hosting.machines as
select m.id::integer, m.user_id::integer as account_id, m.miner_model_id::integer as model_id, m.custom_name::text,
       m.location::text, m.created_at::timestamp, m.status::text, m.quantity::integer,
       m.actual_hashrate::double precision, crm_hosting.watts(m.actual_power) as actual_power,
       m.electricity_cost::double precision
from public.user_miners m;
