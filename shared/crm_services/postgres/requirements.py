"""What the bundle needs of a database, looked at before anything is changed in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from crm_services.base.errors import MigrationRefused
from crm_services.base.settings import MachineSource
from crm_services.postgres.connecting import Run
from crm_services.postgres.indexes import indexes
from crm_services.postgres.needs import HOSTED, INDEXED, NEEDED, OPTIONAL, TYPES, WRITTEN

OLDEST = 15

# Of each table the columns, and of which kind each is.
Needed = Mapping[str, Mapping[str, str]]

# Which tables there are of those that the bundle reads, and elsewhere than in public.
TABLES = """
select c.relname::text, c.relnamespace::regnamespace::text, c.relkind::text from pg_class c
where c.relname = any(:tables) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and c.relnamespace::regnamespace::text not in ('crm_hosting', 'pg_catalog', 'information_schema')
order by c.relnamespace <> 'public'::regnamespace, 2
"""
# A domain is what it is made of, of another domain too; what an extension makes (citext) is told by its name.
COLUMNS = """
select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
       case when b.typtype = 'e' then 'enum' when b.typname = 'citext' then 'text' else format_type(b.oid, null) end
from pg_class c join pg_attribute a on a.attrelid = c.oid cross join lateral (
  with recursive made_of as (
    select t.oid, t.typtype, t.typname, t.typbasetype from pg_type t where t.oid = a.atttypid
    union all
    select t.oid, t.typtype, t.typname, t.typbasetype from made_of m join pg_type t on t.oid = m.typbasetype
  )
  select * from made_of where typtype <> 'd'
) b
where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables) and a.attnum > 0 and not a.attisdropped
"""
KINDS = {"p": "partitioned", "v": "a view", "m": "a materialized view", "f": "a foreign table"}


@dataclass(frozen=True)
class Check:
    """A statement that finds what is wrong, and the sentence about each row of it. `:roles` are the bundle's."""

    sql: str
    sentence: str


SERVER = (
    Check(
        f"select current_setting('server_version') where current_setting('server_version_num')::integer < {OLDEST}0000",
        f"The server is PostgreSQL {{0}}; the bundle needs {OLDEST} or newer: upgrade it.",
    ),
    Check(
        "select getdatabaseencoding() where getdatabaseencoding() <> 'UTF8'",
        "The database's encoding is {0}, which cannot hold every name and address: the bundle needs UTF8. Dump the "
        "database and restore it into one that was created with encoding 'UTF8'.",
    ),
)

RIGHTS = (
    Check(
        """
        select c.oid::regclass, c.relowner::regrole, current_user from pg_class c
        where c.oid in ('public.crm_customers'::regclass, 'public.user_access'::regclass)
          and not pg_has_role(c.relowner, 'usage')
        """,
        "{0} belongs to {1}, and the migration was logged in as {2}: MigrationSecretArn (or DATABASE_URL) is to name "
        "{1}, or a member of it.",
    ),
    Check(
        """
        select c.oid::regclass, current_user from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables)
          and not has_table_privilege(c.oid, 'select')
        """,
        "{1} may not read {0}, which the bundle's views read as it: grant select on {0} to {1}.",
    ),
    Check(
        """
        select c.oid::regclass, current_user from pg_class c
        where c.oid = 'public.crm_customers'::regclass and not has_table_privilege(c.oid, 'update')
        """,
        "{1} may not update {0}, which the sync writes as it: grant update on {0} to {1}.",
    ),
    Check(
        """
        select attrelid::regclass, attname from pg_attribute
        where attrelid = 'public.crm_customers'::regclass and attname = any(:written) and attgenerated <> ''
        """,
        "{0}.{1} is a generated column, and the sync writes it: let the CRM's migration make an ordinary one of it.",
    ),
    Check(
        """
        select ev_class::regclass, rulename from pg_rewrite
        where ev_class = 'public.crm_customers'::regclass and ev_type = '2'
        """,
        "{0} has the rule {1} for updates, beside which PostgreSQL cannot say which rows were written: let the CRM's "
        "migration make a trigger of it.",
    ),
    Check(
        """
        select c.oid::regclass, current_user from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relname = any(:tables) and row_security_active(c.oid)
        """,
        "Row level security hides rows of {0} from {1}, as which the bundle's views read: alter table {0} no force row "
        "level security, if {1} owns it; else alter role {1} bypassrls.",
    ),
    Check(
        """
        select current_database(), current_user
        where to_regnamespace('crm_hosting') is null and not has_database_privilege(current_database(), 'create')
        """,
        "{1} may not create a schema in this database: grant create on database {0} to {1}.",
    ),
    Check(
        """
        select n.nspowner::regrole, current_user from pg_namespace n
        where n.nspname = 'crm_hosting' and not pg_has_role(n.nspowner, 'usage')
        """,
        "The schema crm_hosting belongs to {0}, and the migration was logged in as {1}: let it be {0}, or alter schema "
        "crm_hosting owner to {1}, with what is in it.",
    ),
    Check(
        """
        select string_agg(distinct wanted, ' and '), current_user from unnest(cast(:roles as text[])) wanted
        where wanted not in (select rolname from pg_roles)
          and not (select rolcreaterole or rolsuper from pg_roles where rolname = current_user)
        having count(*) > 0
        """,
        "There is no role {0}, and {1} may create none: alter role {1} createrole; or create it, and grant it to {1} "
        "with admin option.",
    ),
    Check(
        """
        select current_database(), string_agg(distinct wanted, ', ') from unnest(cast(:roles as text[])) wanted
        left join pg_roles r on r.rolname = wanted
        where not case when r.oid is null then has_database_privilege('public', current_database(), 'connect')
                       else has_database_privilege(r.oid, current_database(), 'connect') end
          and not has_database_privilege(current_database(), 'connect with grant option')
        having count(*) > 0
        """,
        "Not everybody may connect to this database, and the migration may let nobody: as its owner, grant connect on "
        "database {0} to {1}.",
    ),
    Check(
        """
        select i.oid::regclass from pg_class i left join pg_index x on x.indexrelid = i.oid
        where i.relnamespace = 'public'::regnamespace and i.relname = any(:indexes)
          and (x.indrelid is null
               or x.indrelid not in ('public.crm_customers'::regclass, 'public.user_access'::regclass))
        """,
        "{0} is not the bundle's, and has the name of an index of the bundle's: drop or rename it.",
    ),
    Check(
        """
        select current_user where not has_schema_privilege('public', 'create') and exists (
          select from unnest(cast(:indexes as text[])) name where to_regclass('public.' || name) is null)
        """,
        "{0} may not make an index in the schema public, where the CRM's tables are: grant create on schema public to "
        "{0}.",
    ),
    # Whoever owns the tables needs no views to see them.
    Check(
        """
        select r.rolname, c.relowner::regrole from pg_roles r, pg_class c
        where r.rolname = any(:roles) and c.oid = 'public.crm_customers'::regclass
          and pg_has_role(r.oid, c.relowner, 'member')
        """,
        "The bundle would log in as {0}, which is or may become {1}, which owns the CRM's tables: it would see past "
        "its own views. Give the secret (DatabaseSecretArn) a username of its own, such as crm_hosting.",
    ),
    # A right that everybody has, or that came with another role, would go round the views. What an extension brings is
    # not the CRM's, nor is what PostgreSQL itself has.
    Check(
        """
        select c.oid::regclass,
               case when bool_or(g.grantee = 'public') then 'public' else string_agg(g.grantee, ', ') end
        from pg_class c
        join pg_class crm on crm.oid = 'public.crm_customers'::regclass
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


def refuse_unfit(run: Run, roles: list[str], source: MachineSource) -> None:
    """Raise MigrationRefused with a sentence for each thing that the database lacks, and how to mend it.

    What is looked at later takes for granted what was looked at before.
    """
    needed = NEEDED | (HOSTED if source == "hosting_miners" else {})
    for look in (_server, _tables, _columns, partial(_rights, roles), _ids):
        if faults := look(run, needed):
            raise MigrationRefused(" ".join(["Nothing was changed.", *faults]))


def _server(run: Run, _: Needed) -> list[str]:
    return [check.sentence.format(*row) for check in SERVER for row in run(check.sql)]


def _tables(run: Run, needed: Needed) -> list[str]:
    found: dict[str, tuple[str, str]] = {}
    for name, schema, kind in run(TABLES, tables=list(needed)):
        found.setdefault(str(name), (str(schema), str(kind)))
    if not found:
        return ["There is no table of the CRM's: is it the CRM's database that DATABASE_NAME names?"]
    faults = []
    for table in needed:
        schema, kind = found.get(table, ("", ""))
        if not schema:
            faults.append(f"There is no table public.{table}, which the bundle reads.")
        elif schema != "public":
            faults.append(
                f"The CRM's table {table} is in the schema {schema}, and the bundle reads it in public: alter table "
                f"{schema}.{table} set schema public."
            )
        elif table in INDEXED and kind != "r":
            faults.append(
                f"public.{table} is {KINDS[kind]}: the bundle needs an ordinary table there, to add columns and an "
                "index that is made while the CRM goes on."
            )
    return faults


def _columns(run: Run, needed: Needed) -> list[str]:
    found = _types(run, needed)
    faults = [
        f"public.{table} has no column {column}, which the bundle reads: let the CRM's migration bring it back."
        for table, columns in needed.items()
        for column in columns
        if (table, column) not in found
    ]
    faults += [
        f"public.{table}.{column} is of type {shown}, which the bundle cannot work with: it takes "
        f"{', '.join(TYPES[kind])}."
        for (table, column), (shown, base) in found.items()
        if (kind := _kind(needed, table, column)) and base not in TYPES[kind]
    ]
    return faults


def _ids(run: Run, needed: Needed) -> list[str]:
    wide = [key for key, (_, base) in _types(run, needed).items() if base == "bigint" and _kind(needed, *key) == "id"]
    return [
        f"public.{table}.{column} goes up to {largest}, and the contract's ids are integers of 32 bits: the bundle "
        "cannot serve this CRM."
        for table, column in wide
        for (largest,) in run(f"select max({column}) from public.{table} where {column} > 2147483647")
        if largest is not None
    ]


def _types(run: Run, needed: Needed) -> dict[tuple[str, str], tuple[str, str]]:
    """The type of each column as it is shown, and the type that it is made of."""
    rows = run(COLUMNS, tables=list(needed))
    return {(str(table), str(column)): (str(shown), str(base)) for table, column, shown, base in rows}


def _kind(needed: Needed, table: str, column: str) -> str | None:
    return needed[table].get(column) or OPTIONAL.get((table, column))


def _rights(roles: list[str], run: Run, needed: Needed) -> list[str]:
    given = {"roles": roles, "tables": list(needed), "written": list(WRITTEN), "indexes": list(indexes())}
    faults = []
    for check in RIGHTS:
        asked = {name: value for name, value in given.items() if f":{name}" in check.sql}
        faults += [check.sentence.format(*row) for row in run(check.sql, **asked)]
    return faults
