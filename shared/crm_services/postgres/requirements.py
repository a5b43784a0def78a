"""What the bundle needs of a database, looked at before anything is changed in it."""

from crm_services.base.errors import MigrationRefused
from crm_services.postgres.database import Run

# A statement that finds what is wrong, and the sentence about each row of it. `:roles` are the bundle's.
CHECKS = (
    # Whoever owns the tables needs no views to see them.
    (
        """
        select r.rolname, c.relowner::regrole from pg_roles r, pg_class c
        where r.rolname = any(:roles) and c.oid = to_regclass('public.crm_customers')
          and pg_has_role(r.oid, c.relowner, 'member')
        """,
        "The bundle would log in as {0}, which is or may become {1}, which owns the CRM's tables: it would see past "
        "its own views. Give the secret (DatabaseSecretArn) a username of its own, such as crm_hosting.",
    ),
    # A right that everybody has, or that came with another role, would go round the views. What an extension brings is
    # not the CRM's, nor is what PostgreSQL itself has.
    (
        """
        select c.oid::regclass,
               case when bool_or(g.grantee = 'public') then 'public' else string_agg(g.grantee, ', ') end
        from pg_class c
        join pg_class crm on crm.oid = to_regclass('public.crm_customers')
        join pg_roles o on o.oid = crm.relowner
        join (select 'public' as grantee union all select rolname from pg_roles where rolname = any(:roles)) g
          on has_table_privilege(g.grantee, c.oid, 'select, insert, update, delete, truncate')
          or has_any_column_privilege(g.grantee, c.oid, 'select, insert, update')
        where c.relkind in ('r', 'p', 'f', 'm')
          and (c.relnamespace = crm.relnamespace or c.relowner = crm.relowner and not o.rolsuper)
          and c.relnamespace::regnamespace::text not in ('crm_hosting', 'pg_catalog', 'information_schema')
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
                          and d.deptype = 'e')
        group by c.oid order by 1
        """,
        "{0} may be read or written by {1}, and so by the bundle, round its views: revoke all on {0} from {1}; and "
        "grant it to the CRM's roles by name.",
    ),
)


def refuse_unfit(run: Run, roles: list[str]) -> None:
    """Raise MigrationRefused with a sentence for each thing that the database lacks, and how to mend it."""
    faults = [sentence.format(*row) for sql, sentence in CHECKS for row in run(sql, roles=roles)]
    if faults:
        raise MigrationRefused(" ".join(["Nothing was changed.", *faults]))
