-- The CRM, as the bundle's role sees it. Keys compare by their bytes, whatever the columns that they are made of do: a
-- collation that takes e and é for one letter would link strangers.

-- security_barrier: no condition of a query, however leaky, is asked about a row outside the scope. An older CRM has no
-- column that says which account somebody opened for a customer.
do $$ begin
  execute format($view$
    create or replace view crm_hosting.customers with (security_barrier) as
    select id, name, company, status, created_by_id, crm_hosting.email_key(email) collate "C" as email_key,
           miners_count, mining_capacity, primary_miner_model,
           hosting_estimated_daily_btc, hosting_estimated_daily_usd, hosting_net_profit_daily, hosting_synced_at,
           %s as user_account_id,
           l.confirmed_account_id, l.refused_account_ids, email, l.confirmed_by_owner
    from public.crm_customers
    left join crm_hosting.links l on l.customer_id = id
    where (select current_setting('crm_hosting.scope', true)) = 'all'
       or created_by_id = (select nullif(nullif(current_setting('crm_hosting.scope', true), ''), 'all')::integer)
  $view$, case when exists (select from pg_attribute where attrelid = 'public.crm_customers'::regclass
                            and attname = 'user_account_id' and not attisdropped)
               then 'user_account_id' else 'null::integer' end);
end $$;

-- Which customers a tenant's are; none where the scope is another. The index on the owner finds them, which the condition
-- that lets everything pass for others cannot use.
create or replace view crm_hosting.tenant_customers with (security_barrier) as
select id from public.crm_customers
where created_by_id = (select nullif(nullif(current_setting('crm_hosting.scope', true), ''), 'all')::integer);

-- Accounts and miners of everybody, as a link may lead to any of them; but nothing before a scope is set.
create or replace view crm_hosting.accounts as
select id, crm_hosting.email_key(email) collate "C" as email_key, is_active, created_by_id, name, email,
       crm_hosting.mailbox(email) collate "C" as mailbox, crm_hosting.name_key(name) collate "C" as name_key
from public.user_access
where (select current_setting('crm_hosting.scope', true)) <> '';

create or replace view crm_hosting.models as
select id, model_name as name from public.miner_models;

-- What was said of the links of the scope's customers, and by whom.
create or replace view crm_hosting.link_history with (security_barrier) as
select h.* from crm_hosting.link_changes h join public.crm_customers c on c.id = h.customer_id
where (select current_setting('crm_hosting.scope', true)) = 'all'
   or c.created_by_id = (select nullif(nullif(current_setting('crm_hosting.scope', true), ''), 'all')::integer);
