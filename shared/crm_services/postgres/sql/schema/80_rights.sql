-- What the bundle's roles may do, column by column: they have no right on any table of the CRM.

grant usage on schema crm_hosting to :"role";
revoke all on all tables in schema crm_hosting from :"role";
grant execute on function crm_hosting.is_usable, crm_hosting.usable, crm_hosting.whole, crm_hosting.is_unlikely, crm_hosting.trimmed, crm_hosting.has_text, crm_hosting.watts(integer),
  crm_hosting.watts(double precision),
  crm_hosting.meaning, crm_hosting.known_status, crm_hosting.counted_status, crm_hosting.btc_per_terahash_day,
  crm_hosting.as_stored to :"role";
revoke all on function crm_hosting.enter, crm_hosting.scope_to, crm_hosting.next_customers, crm_hosting.next_found,
  crm_hosting.next_by_profit,
  crm_hosting.write_figures, crm_hosting.write_rows, crm_hosting.set_link, crm_hosting.newest_completed_run, crm_hosting.forget_these_runs,
  crm_hosting.forget_old_runs, crm_hosting.forget_surplus_runs from public;
grant execute on function crm_hosting.enter, crm_hosting.scope_to, crm_hosting.next_customers, crm_hosting.next_found,
  crm_hosting.next_by_profit,
  crm_hosting.write_figures, crm_hosting.set_link, crm_hosting.forget_old_runs, crm_hosting.forget_surplus_runs
  to :"role";
grant select on crm_hosting.customers, crm_hosting.tenant_customers, crm_hosting.accounts, crm_hosting.miners,
  crm_hosting.machine_days, crm_hosting.sources,
  crm_hosting.models, crm_hosting.market, crm_hosting.link_history to :"role";
grant select, insert, update on crm_hosting.runs to :"role";
grant select, insert, update, delete on crm_hosting.run_ranges, crm_hosting.run_errors, crm_hosting.findings,
  crm_hosting.fleet_now, crm_hosting.fleet_days, crm_hosting.market_days, crm_hosting.scope_days,
  crm_hosting.attention, crm_hosting.attention_messages to :"role";

grant usage on schema crm_hosting to :"market_role";
revoke all on all tables in schema crm_hosting from :"market_role";
revoke all on function crm_hosting.record_snapshot from public;
grant execute on function crm_hosting.record_snapshot, crm_hosting.btc_per_terahash_day to :"market_role";
grant select on crm_hosting.market to :"market_role";

-- What came by default privileges, or was granted to a role that the bundle had before. By a function of the owner's
-- rights or a view whoever may use it would see what he may not; reading the tables is nobody's secret.
do $$
declare
  thing record;
begin
  for thing in
    select case a.grantee when 0 then 'public' else a.grantee::regrole::text end as grantee, 'function ' || f.oid::regprocedure as name,
           'all' as what
    from pg_proc f, aclexplode(f.proacl) a
    where f.pronamespace = 'crm_hosting'::regnamespace and a.grantee <> f.proowner
      and not (a.grantee = 0 and f.proname in  -- the indexes'
                 ('email_key', 'email_key_old', 'bared', 'unicode_key', 'mailbox', 'name_key'))
      and a.grantee not in (select oid from pg_roles where rolname in (:'role', :'market_role'))
    union
    select case a.grantee when 0 then 'public' else a.grantee::regrole::text end, 'table ' || c.oid::regclass,
           case when c.relkind = 'v' then 'all' else 'insert, update, delete, truncate, references, trigger' end
    from pg_class c, aclexplode(c.relacl) a
    where c.relnamespace = 'crm_hosting'::regnamespace and c.relkind in ('r', 'v') and a.grantee <> c.relowner
      and (c.relkind = 'v' or a.privilege_type <> 'SELECT')
      and a.grantee not in (select oid from pg_roles where rolname in (:'role', :'market_role'))
  loop
    execute format('revoke %s on %s from %s', thing.what, thing.name, thing.grantee);
  end loop;
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
