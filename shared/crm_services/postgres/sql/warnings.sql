-- Who may create in the schema that the CRM looks its names up in, beside its owner: PostgreSQL 14 and older let
-- everybody, and a database that was upgraded from one keeps it so.
select 'everybody may create in the schema public, and so lay a function or an operator in the CRM''s way, which then '
       'runs with its rights (the bundle looks nothing up there): revoke create on schema public from public'
from pg_namespace n, aclexplode(n.nspacl) a
where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'
union all
select format('%1$s may create in the schema public, which it never needs: revoke create on schema public from %1$I',
              a.grantee::regrole)
from pg_namespace n, aclexplode(n.nspacl) a
where n.nspname = 'public' and a.privilege_type = 'CREATE' and a.grantee in (select oid from pg_roles where rolname = any(:roles))
