-- What the bundle's roles may do, column by column: they have no right on any table of the CRM.

grant usage on schema crm_hosting to crm_hosting;
revoke all on all tables in schema crm_hosting from crm_hosting;
grant execute on function crm_hosting.is_usable, crm_hosting.usable, crm_hosting.whole, crm_hosting.is_unlikely, crm_hosting.trimmed, crm_hosting.has_text, crm_hosting.watts(integer),
  crm_hosting.watts(double precision),
  crm_hosting.meaning, crm_hosting.known_status, crm_hosting.counted_status, crm_hosting.btc_per_terahash_day to crm_hosting;
revoke all on function crm_hosting.enter, crm_hosting.scope_to, crm_hosting.next_customers, crm_hosting.write_figures,
  crm_hosting.write_rows from public;
grant execute on function crm_hosting.enter, crm_hosting.scope_to, crm_hosting.next_customers, crm_hosting.write_figures
  to crm_hosting;
grant select on crm_hosting.customers, crm_hosting.accounts, crm_hosting.miners, crm_hosting.models, crm_hosting.market to crm_hosting;
grant select, insert, update, delete on crm_hosting.runs, crm_hosting.run_errors, crm_hosting.findings to crm_hosting;

grant usage on schema crm_hosting to crm_hosting_market;
revoke all on all tables in schema crm_hosting from crm_hosting_market;
revoke all on function crm_hosting.record_snapshot from public;
grant execute on function crm_hosting.record_snapshot, crm_hosting.btc_per_terahash_day to crm_hosting_market;
grant select on crm_hosting.market to crm_hosting_market;

-- A right that everybody has, or that came with another role, would go round the views.
do $$
declare
  open_tables text := (
    select string_agg(distinct c.oid::regclass::text, ', ')
    from unnest(array['crm_hosting', 'crm_hosting_market']) role,
         pg_class c join pg_class crm on crm.oid = 'public.crm_customers'::regclass and crm.relowner = c.relowner
    where c.relkind in ('r', 'p') and c.relnamespace <> 'crm_hosting'::regnamespace
      and (has_table_privilege(role, c.oid, 'select, insert, update, delete, truncate')
           or has_any_column_privilege(role, c.oid, 'select, insert, update')));
begin
  if open_tables is not null then
    raise exception 'A role of the bundle may read or write %, which is to be revoked (from public?)', open_tables
      using constraint = 'no right on ' || open_tables;  -- an error's message is not kept, this name is
  end if;
end $$;

-- Who may read the CRM's customers may read the batch's memory, which names them by id alone: a role that dumps the
-- CRM's database has to be able to read every table in it.
do $$
declare
  reader text;
  thing regclass;
begin
  for reader in
    select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
    from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    where c.oid = 'public.crm_customers'::regclass and a.privilege_type = 'SELECT'
  loop
    execute format('grant usage on schema crm_hosting to %s', reader);
    for thing in select oid from pg_class
                 where relnamespace = 'crm_hosting'::regnamespace and relkind in ('r', 'p', 'S') loop
      execute format('grant select on %s to %s', thing, reader);
    end loop;
  end loop;
end $$;
