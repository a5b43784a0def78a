-- Who asks, and what that lets the transaction see.

-- The scope is a setting of the transaction: 'all', an account's id, or nothing, which shows nothing.
create or replace function crm_hosting.scope_to(tenant integer) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$ select set_config('crm_hosting.scope', coalesce(tenant::text, 'all'), true) $$;

-- The first statement of a request. Returns the account's state (active, inactive, expired; null where there is
-- none), its role, and whose the customer is: own, another's, missing; null where none was asked for.
create or replace function crm_hosting.enter(
  caller integer, customer integer, see_all text[],
  out state text, out role text, out decision text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  owner integer;
begin
  select case when a.is_active is not true then 'inactive'
              when a.expires_at <= now() at time zone 'utc' then 'expired'
              else 'active' end, a.role
    into state, role
    from public.user_access a where a.id = caller;
  perform set_config('crm_hosting.scope', case when state = 'active' then
    case when role = any(see_all) then 'all' else caller::text end else '' end, true);
  -- A fleet's rows are grouped by hashing: the planner takes each fleet for one of ten rows, and would sort ten thousand.
  perform set_config('enable_sort', 'off', true);
  if customer is not null then
    select c.created_by_id into owner from public.crm_customers c where c.id = customer;
    decision := case when not found then 'missing'
                     when owner = caller or role = any(see_all) then 'own'
                     else 'other' end;
  end if;
end $$;

-- Of the scope's customers after an id the next so many: how many there are, and the last one's id (0 where none is
-- left). Through the view no order is had from an index, and each chunk would sort all that are left.
create or replace function crm_hosting.next_customers(after integer, size integer, out customers bigint, out upto integer)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  scope text := current_setting('crm_hosting.scope', true);
begin
  if scope = 'all' then
    select count(*), coalesce(max(id), 0) into customers, upto
      from (select c.id from public.crm_customers c where c.id > after order by c.id limit size) next;
  else
    select count(*), coalesce(max(id), 0) into customers, upto
      from (select c.id from public.crm_customers c
            where c.created_by_id = nullif(scope, '')::integer and c.id > after order by c.id limit size) next;
  end if;
end $$;
