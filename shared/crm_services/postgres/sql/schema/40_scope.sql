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

-- Of the scope's customers after an id the next so many, none of them beyond the last one: how many there are, and the
-- last one's id (0 where none is left). Through the view no order is had from an index, and each chunk would sort all
-- that are left. Of a tenant, whose customers lie scattered among everybody's, their ids too.
drop function if exists crm_hosting.next_customers(integer, integer);
create or replace function crm_hosting.next_customers(
  after integer, size integer, last integer default 2147483647,
  out customers bigint, out upto integer, out ids integer[]
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  scope text := current_setting('crm_hosting.scope', true);
begin
  if scope = 'all' then
    select count(*), coalesce(max(id), 0) into customers, upto
      from (select c.id from public.crm_customers c
            where c.id > after and c.id <= last order by c.id limit size) next;
  else
    select count(*), coalesce(max(id), 0), coalesce(array_agg(id order by id), '{}') into customers, upto, ids
      from (select c.id from public.crm_customers c
            where c.created_by_id = nullif(scope, '')::integer and c.id > after and c.id <= last
            order by c.id limit size) next;
  end if;
end $$;

-- Of the scope's customers after an id the next so many in whose name, company or e-mail address the words are, in the
-- order of their ids. Through the view each would cost three times as much. What is common is found among the next few
-- thousand; then all are gone through, for which the planner knows whose they are.
create or replace function crm_hosting.next_found(search text, after integer, size integer) returns setof integer
language plpgsql stable security definer rows 50
set search_path = pg_catalog, pg_temp
as $$
declare
  looked_at constant integer := 5000;
  scope text := current_setting('crm_hosting.scope', true);
  tenant integer := nullif(nullif(scope, 'all'), '')::integer;
  words text := lower(lower(search collate "C") collate "default");
  upto integer := (select n.upto from crm_hosting.next_customers(after, looked_at) n);
  find text := format($query$
    select c.id::integer from public.crm_customers c
    where %s and c.id > $2 and c.id <= $3
      and strpos(lower(lower((c.name || ' ' || coalesce(c.company, '') || ' ' || coalesce(c.email, '')) collate "C")
                       collate "default"), $1) > 0
    order by c.id limit $4
  $query$, case when scope = 'all' then 'true' else 'c.created_by_id = $5' end);
  matched integer;
begin
  perform set_config('enable_seqscan', 'on', true);  -- lists do without, which know few customers' ids
  return query execute find using words, after, upto, size, tenant;
  get diagnostics matched = row_count;
  if upto > 0 and matched < size then
    return query execute find using words, upto, 2147483647, size - matched, tenant;
  end if;
end $$;

-- For who sees all, and nobody else, the next so many customers by profit: after that profit (null: never synced) and id,
-- or (a null id) from the first. The index on the profit is in this order; through the view it is none's. Of a search the
-- first are looked for among the next few thousand, where what is common is found, and only then among all, where an
-- index serves what is rare (optional: search_index.sql). Who has a finding is likewise looked for among the next, but
-- where the finding's own index knows no more than that.
drop function if exists crm_hosting.next_by_profit(text, numeric, bigint, integer);
create or replace function crm_hosting.next_by_profit(
  search text, after_profit numeric, after_id bigint, size integer, finding text default null
) returns setof integer
language plpgsql stable security definer rows 50
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  looked_at constant integer := 5000;
  after_rank numeric := case when after_id is null then '-Infinity' else coalesce(-after_profit, 'Infinity') end;
  pattern text := '%' || regexp_replace(lower(lower(search collate "C") collate "default"), '([\\%_])', '\\\1', 'g') || '%';
  is_rare boolean;
  ids integer[];
  are_all boolean;
begin
  if current_setting('crm_hosting.scope', true) is distinct from 'all' then
    return;
  end if;
  after_id := coalesce(after_id, -9223372036854775808);
  if search is null and finding is null then
    return query
      select c.id::integer from public.crm_customers c
      where (coalesce(-c.hosting_net_profit_daily, 'Infinity'), c.id) > (after_rank, after_id)
      order by coalesce(-c.hosting_net_profit_daily, 'Infinity'), c.id limit size;
    return;
  end if;
  is_rare := finding is not null and looked_at >= (
    select count(*) from (select from crm_hosting.findings f where f.kind = finding limit looked_at + 1) known);
  if not is_rare then
    with next as materialized (
      select c.id, (search is null
                    or lower(lower((c.name || ' ' || coalesce(c.company, '')) collate "C") collate "default") like pattern)
               and (finding is null
                    or (select true from crm_hosting.findings f where f.customer_id = c.id and f.kind = finding)) as is_found
      from public.crm_customers c
      where (coalesce(-c.hosting_net_profit_daily, 'Infinity'), c.id) > (after_rank, after_id)
      order by coalesce(-c.hosting_net_profit_daily, 'Infinity'), c.id limit looked_at
    ), found as materialized (
      select id from next where is_found limit size
    )
    select array(select id from found),
           case when (select count(*) from found) = size then true else (select count(*) from next) < looked_at end
      into ids, are_all;
    if are_all then
      return query select unnest(ids);
      return;
    end if;
    -- Planned for this pattern, which all names may have to be read for.
    perform set_config('enable_seqscan', 'on', true);
  end if;
  -- The order is had from what was found, or the first found would be looked for in order.
  return query execute format($query$
    select id::integer from (
      select c.id, coalesce(-c.hosting_net_profit_daily, 'Infinity') as rank from %s
      where ($1 is null or lower(lower((c.name || ' ' || coalesce(c.company, '')) collate "C") collate "default") like $1)
        and (coalesce(-c.hosting_net_profit_daily, 'Infinity'), c.id) > ($2, $3)
      offset 0) found
    order by rank, id limit $4
  $query$, case when finding is null then 'public.crm_customers c' else
    'crm_hosting.findings f join public.crm_customers c on f.kind = $5 and c.id = f.customer_id' end)
  using pattern, after_rank, after_id, size, finding;
end $$;
