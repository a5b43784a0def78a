-- The CRM, as the bundle's role sees it.

-- security_barrier: no condition of a query, however leaky, is asked about a row outside the scope.
create or replace view crm_hosting.customers with (security_barrier) as
select id, name, company, status, created_by_id, crm_hosting.email_key(email) as email_key,
       miners_count, mining_capacity, primary_miner_model,
       hosting_estimated_daily_btc, hosting_estimated_daily_usd, hosting_net_profit_daily, hosting_synced_at
from public.crm_customers
where (select current_setting('crm_hosting.scope', true)) = 'all'
   or created_by_id = (select nullif(nullif(current_setting('crm_hosting.scope', true), ''), 'all')::integer);

-- Accounts and miners of everybody, as a link may lead to any of them; but nothing before a scope is set.
create or replace view crm_hosting.accounts as
select id, crm_hosting.email_key(email) as email_key, is_active, created_by_id
from public.user_access
where (select current_setting('crm_hosting.scope', true)) <> '';

create or replace view crm_hosting.miners as
select m.id, m.user_id as account_id, m.miner_model_id as model_id, k.model_name as model, m.custom_name,
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
       m.actual_hashrate, m.electricity_cost, m.status as written_status
from public.user_miners m
left join public.miner_models k on k.id = m.miner_model_id
where (select current_setting('crm_hosting.scope', true)) <> '';

create or replace view crm_hosting.models as
select id, model_name as name from public.miner_models;
