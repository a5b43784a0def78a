-- Optional, for who searches all of hundreds of thousands of customers by name or company.
create extension if not exists pg_trgm with schema public;
create index concurrently if not exists crm_hosting_customer_search on public.crm_customers
  using gin (lower(lower((name || ' ' || coalesce(company, '')) collate "C") collate "default") public.gin_trgm_ops);
