-- Takes away whatever holds on to the CRM's columns: views, and functions but for those that an index, a default or a
-- trigger of a table needs. Tables, columns and indexes stay, and with them figures, links, history and runs.
do $$
declare
  views text := (
    select string_agg(c.oid::regclass::text, ', ') from pg_class c
    where c.relnamespace = to_regnamespace('crm_hosting') and c.relkind in ('v', 'm'));
  functions text := (
    with recursive needed as (
      select d.refobjid as oid from pg_depend d
      where d.refclassid = 'pg_proc'::regclass and d.classid not in ('pg_proc'::regclass, 'pg_rewrite'::regclass)
      union
      select d.refobjid from needed n join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = n.oid
      where d.refclassid = 'pg_proc'::regclass
    )
    select string_agg(p.oid::regprocedure::text, ', ') from pg_proc p
    where p.pronamespace = to_regnamespace('crm_hosting') and p.oid not in (select oid from needed));
begin
  if views is not null then
    execute 'drop view ' || views;
  end if;
  if functions is not null then
    execute 'drop function ' || functions;
  end if;
end $$;
