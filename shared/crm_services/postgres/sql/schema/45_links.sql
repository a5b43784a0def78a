-- Whose account a customer is, where somebody has said so, and who said what.

create table if not exists crm_hosting.links (
  customer_id integer primary key,
  confirmed_account_id integer,           -- his account, before the CRM's own word and any e-mail
  refused_account_ids integer[] not null default '{}'  -- never his: neither linked to nor suggested
);

-- An owner may confirm, in link scope any, what his customer's address leads to; in link scope tenant it does not hold.
alter table crm_hosting.links add column if not exists confirmed_by_owner boolean not null default false;
-- Those of the refused that somebody who sees all customers refused: no owner takes that back.
alter table crm_hosting.links add column if not exists refused_to_owner_ids integer[] not null default '{}';

create table if not exists crm_hosting.link_changes (
  id bigint generated always as identity primary key,
  customer_id integer not null,
  changed_by integer not null,
  changed_at timestamptz not null default clock_timestamp(),
  before jsonb not null,                  -- confirmed: an account's id or null; refused: a list of ids
  after jsonb not null
);
create index if not exists link_changes_by_customer on crm_hosting.link_changes (customer_id, id);

-- Keeps what somebody says of a customer of his scope, and returns whether that is anything new. `verdict` is confirmed
-- or refused, of an account that he may see, or undone: of that account, or (null) of all that was said. What he may
-- see: who sees all customers any account, others their own and those that they created, or, in link scope any, those
-- that an e-mail could lead to, which the caller has looked up. What somebody who sees all has refused is refused to an
-- owner (55000), and stays when he takes back all that was said.
create or replace function crm_hosting.set_link(
  caller integer, customer integer, account integer, verdict text, link_any boolean
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  scope text := coalesce(current_setting('crm_hosting.scope', true), '');
  known crm_hosting.links;
  said crm_hosting.links;
begin
  if scope <> 'all' and scope <> caller::text then
    raise exception 'the scope is another''s' using errcode = 'insufficient_privilege';
  end if;
  -- Locked, so that of two who speak at once the second sees what the first said.
  perform from public.crm_customers c
    where c.id = customer and (scope = 'all' or c.created_by_id = caller) for no key update;
  if not found then
    raise exception 'the customer is another''s' using errcode = 'insufficient_privilege';
  end if;
  if verdict <> 'undone' and not exists (
       select from public.user_access a
       where a.id = account and (scope = 'all' or link_any or caller in (a.id, a.created_by_id))) then
    raise exception 'the account is another''s' using errcode = 'insufficient_privilege';
  end if;
  select * into known from crm_hosting.links l where l.customer_id = customer;
  known.refused_account_ids := coalesce(known.refused_account_ids, '{}');
  known.confirmed_by_owner := coalesce(known.confirmed_by_owner, false);
  known.refused_to_owner_ids := coalesce(known.refused_to_owner_ids, '{}');
  said := known;
  if scope = 'all' and account is not null then
    said.refused_to_owner_ids := array_remove(known.refused_to_owner_ids, account);
    if verdict = 'refused' then
      said.refused_to_owner_ids := said.refused_to_owner_ids || account;
    end if;
  elsif scope = 'all' then
    said.refused_to_owner_ids := '{}';
  elsif verdict <> 'refused' and account = any (known.refused_to_owner_ids) then
    raise exception 'the account is refused' using errcode = 'object_not_in_prerequisite_state';
  end if;
  if verdict = 'confirmed' then
    -- What who sees all has confirmed stays so when the owner says it too.
    said.confirmed_by_owner := scope <> 'all'
      and (known.confirmed_account_id is distinct from account or known.confirmed_by_owner);
    said.confirmed_account_id := account;
    said.refused_account_ids := array_remove(known.refused_account_ids, account);
  elsif account is null then
    said.confirmed_account_id := null;
    said.refused_account_ids := said.refused_to_owner_ids;
  else
    said.confirmed_account_id := nullif(known.confirmed_account_id, account);
    said.refused_account_ids := array_remove(known.refused_account_ids, account);
    if verdict = 'refused' then
      said.refused_account_ids := said.refused_account_ids || account;
    end if;
  end if;
  if said.confirmed_account_id is not distinct from known.confirmed_account_id
     and said.confirmed_by_owner = known.confirmed_by_owner
     and said.refused_to_owner_ids @> known.refused_to_owner_ids
     and known.refused_to_owner_ids @> said.refused_to_owner_ids
     and said.refused_account_ids @> known.refused_account_ids
     and known.refused_account_ids @> said.refused_account_ids then
    return false;
  end if;
  if said.confirmed_account_id is null and said.refused_account_ids = '{}' then
    delete from crm_hosting.links l where l.customer_id = customer;
  else
    insert into crm_hosting.links (customer_id, confirmed_account_id, refused_account_ids, confirmed_by_owner,
                                   refused_to_owner_ids)
    values (customer, said.confirmed_account_id, said.refused_account_ids, said.confirmed_by_owner,
            said.refused_to_owner_ids)
    on conflict (customer_id) do update
    set confirmed_account_id = excluded.confirmed_account_id, refused_account_ids = excluded.refused_account_ids,
        confirmed_by_owner = excluded.confirmed_by_owner, refused_to_owner_ids = excluded.refused_to_owner_ids;
  end if;
  insert into crm_hosting.link_changes (customer_id, changed_by, before, after)
  values (customer, caller,
          jsonb_build_object('confirmed', known.confirmed_account_id, 'refused', known.refused_account_ids),
          jsonb_build_object('confirmed', said.confirmed_account_id, 'refused', said.refused_account_ids));
  return true;
end $$;
