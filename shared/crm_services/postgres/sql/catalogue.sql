-- What the bundle has in the database: an object and its definition. Compared before and after a migration.
with relations as (
  select c.oid, c.relkind, c.relacl, c.reloptions from pg_class c
  where c.relnamespace = to_regnamespace('crm_hosting') and c.relkind in ('r', 'v', 'i', 'S')
)
select 'schema ' || nspname, coalesce(nspacl::text, '') from pg_namespace where nspname = 'crm_hosting'
union all
select case relkind when 'r' then 'table ' when 'v' then 'view ' when 'i' then 'index ' else 'sequence ' end
         || oid::regclass,
       concat(case relkind when 'v' then pg_get_viewdef(oid) when 'i' then pg_get_indexdef(oid) end, reloptions,
              (select string_agg(acl::text, ' ' order by acl::text) from unnest(relacl) acl),
              (select string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl,
                                           pg_get_expr(d.adbin, d.adrelid)), ', ' order by a.attnum)
               from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
               where a.attrelid = relations.oid and a.attnum > 0 and not a.attisdropped))
from relations
union all
select 'constraint ' || conname || ' of ' || conrelid::regclass, pg_get_constraintdef(oid) from pg_constraint
where connamespace = to_regnamespace('crm_hosting')
union all
select 'function ' || oid::regprocedure, concat(pg_get_functiondef(oid),
  (select string_agg(acl::text, ' ' order by acl::text) from unnest(proacl) acl)) from pg_proc
where pronamespace = to_regnamespace('crm_hosting')
union all
select 'column ' || c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.oid in (to_regclass('public.crm_customers'), to_regclass('public.network_snapshots'))
  and a.attname like 'hosting\_%' and not a.attisdropped
