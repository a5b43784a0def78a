-- Each made alone and concurrently, so that the CRM goes on writing.
create index concurrently if not exists crm_hosting_account_email_key on public.user_access ((crm_hosting.email_key(email)) collate "C");
create index concurrently if not exists crm_hosting_account_mailbox on public.user_access ((crm_hosting.mailbox(email)) collate "C");
create index concurrently if not exists crm_hosting_account_name on public.user_access ((crm_hosting.name_key(name)) collate "C");
-- A tenant's customers, in the order of their ids.
create index concurrently if not exists crm_hosting_customer_owner on public.crm_customers (created_by_id, id);
-- Everybody's, most profit first, the never synced last, in the order of their ids.
create index concurrently if not exists crm_hosting_customer_profit on public.crm_customers (coalesce(-hosting_net_profit_daily, 'Infinity'), id);
