-- A capacity as the CRM's column keeps it, whatever its type: compared with anything else, a figure that the column rounds
-- would be another one at each sync, and every row be written anew.
do $$ begin
  execute format('create or replace function crm_hosting.as_stored(capacity double precision) returns double precision
                  language sql immutable parallel safe return capacity::%s::double precision', (
    select format_type(atttypid, atttypmod) from pg_attribute
    where attrelid = 'public.crm_customers'::regclass and attname = 'mining_capacity'));
end $$;
