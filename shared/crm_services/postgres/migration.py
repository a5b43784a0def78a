"""Brings a database to the bundle's schema, as the owner of the CRM's tables; doing it twice changes nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files

from crm_services.base.errors import AppError, Conflict, MigrationRefused, QueryFailed
from crm_services.base.settings import CRM_TIME_ZONE, MachineSource
from crm_services.postgres.connecting import Run, session
from crm_services.postgres.indexes import indexes
from crm_services.postgres.machines import machines_view, refuse_without
from crm_services.postgres.pooling import refuse_pooled
from crm_services.postgres.quoting import identifier, literal
from crm_services.postgres.requirements import refuse_unfit
from crm_services.postgres.roles import SETTINGS, Login, bring_role, drop_role, refuse_anothers, refuse_unusable
from crm_services.postgres.sentences import in_sentences
from crm_services.postgres.target import DatabaseTarget

# The CRM goes on working. A lock that it does not yield at once is given up, so that nobody queues behind us for
# longer than this, and asked for again.
LOCK_TIMEOUT = "2s"
ATTEMPTS = 60
PAUSE_SECONDS = 2.0
LOCK_NOT_HAD = ("55P03", "40P01")  # lock_not_available, deadlock_detected
STILL_REFERENCED = "2BP01"
CANNOT_BE_REPLACED = ("42P16", "42P13")  # invalid_table_definition, invalid_function_definition
# Said before anything else: whoever may create in the schema public could have made a function or an operator there
# that fits our arguments better than PostgreSQL's own, and it would run as the owner of the CRM's tables.
SAFE_PATH = f"set search_path = {SETTINGS['search_path']}"
# Whatever the server, the database or the role says. An index of a large table takes its time, and nobody queues behind
# one that is made concurrently.
PLAIN = """
set statement_timeout = 0;
set lock_timeout = 0;
set idle_in_transaction_session_timeout = 0;
set idle_session_timeout = 0;
set default_transaction_read_only = off;
set default_transaction_isolation = 'read committed';
set quote_all_identifiers = off
"""
# Not every version has it.
PATIENT = "select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout'"

SQL = files("crm_services.postgres") / "sql"
LOCK = "hashtext('crm_hosting.migration')"
# Outdated: made by a function that 10_keys.sql has set aside, not by bytes, as the views' keys compare, or of the owner
# alone, as the first version made it.
STATE_OF_INDEX = """
select case when not indisvalid then 'invalid'
            when pg_get_indexdef(indexrelid) like '%\\_old(%'
              or pg_get_indexdef(indexrelid) like '%(created\\_by\\_id)'
              or indexprs is not null and indcollation[0] not in (0, 'pg_catalog."C"'::regcollation)
            then 'outdated' else 'valid' end
from pg_index where indexrelid = to_regclass(:name)
"""


class MigrationUnderWay(Conflict):
    """Another migration works on this database."""

    def __init__(self) -> None:
        super().__init__()
        self.args = ("Another migration works on this database. Nothing was changed: wait for its end.",)


def migrate(
    owner: DatabaseTarget,
    bundle: Login = Login(),  # noqa: B008 (it is immutable)
    market: Login | None = None,
    machine_source: MachineSource = "user_miners",
    snapshot_time_zone: str = CRM_TIME_ZONE,
) -> list[str]:
    """Create or update what the bundle needs in the database; returns a line for each change.

    Raises MigrationRefused, before anything is changed, where the database is not one that the bundle can work with.
    """
    market = market or bundle.market
    refuse_unusable(bundle, market)
    with _alone(owner) as run:
        refuse_without(run, machine_source)
        refuse_unfit(run, [bundle.name, bundle.role, market.name, market.role], machine_source)
        _refuse_unknown(run, snapshot_time_zone)
        for login in (bundle, market):
            refuse_anothers(run, owner, login)
        return [
            *bring_role(run, owner, bundle),
            *bring_role(run, owner, market),
            *_renew_keys(run),
            *_replace(run, schema(machine_source, snapshot_time_zone, bundle.role, market.role)),
            *_bring_indexes(run),
            *_take_outdated_away(run),
            *_warnings(run, bundle.role, market.role),
        ]


def detach(owner: DatabaseTarget) -> list[str]:
    """Take away what stands in the way of the CRM's own migrations; returns a line for each change.

    Figures, links, history and runs stay. Requests are answered with 503 until `migrate` has brought it all back.
    """
    with _alone(owner) as run:
        return _apply(run, _sql("detach.sql"))


def unmigrate(owner: DatabaseTarget, bundle: Login = Login(), market: Login | None = None) -> list[str]:  # noqa: B008
    """Take away all that `migrate` brought, the synchronised figures too; returns a line for each change."""
    with _alone(owner) as run:
        changes = [*_drop_indexes(run), *_apply(run, _sql("unmigrate.sql"))]
        for role in (bundle.role, (market or bundle.market).role):
            try:
                changes += drop_role(run, role)
            except QueryFailed as error:
                if error.sqlstate != STILL_REFERENCED:
                    raise
                changes.append(f"kept role {role}, to which another database of this server grants rights")
        return changes


def is_migrated(target: DatabaseTarget) -> bool:
    """Whether the database has the bundle's schema."""
    with session(target) as run:
        run(f"begin; set local {SAFE_PATH.removeprefix('set ')}")
        return bool(run("select to_regclass('crm_hosting.runs') is not null")[0][0])


@contextmanager
def _alone(owner: DatabaseTarget) -> Iterator[Run]:
    with in_sentences(owner), session(owner) as run:
        refuse_pooled(run, owner)
        for settings in (SAFE_PATH, PLAIN, PATIENT):
            run(settings)
        if not run(f"select pg_try_advisory_lock({LOCK})")[0][0]:
            raise MigrationUnderWay
        try:
            yield run
        finally:
            # The backend ends a moment after the connection, and the next migration may come at once.
            with suppress(AppError):
                run(f"select pg_advisory_unlock({LOCK})")


def _apply(run: Run, script: str) -> list[str]:
    """Run a script as one transaction that waits for no lock for long; returns what it changed."""
    for attempt in range(1, ATTEMPTS + 1):
        run("begin")
        try:
            run(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
            before = _catalogue(run)
            run(script)
            after = _catalogue(run)
            run("commit")
        except QueryFailed as error:
            run("rollback")
            if error.sqlstate not in LOCK_NOT_HAD or attempt == ATTEMPTS:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            break
    return [
        f"{'changed' if name in before and name in after else 'created' if name in after else 'dropped'} {name}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _replace(run: Run, script: str) -> list[str]:
    """Apply the schema; where a view or a function has other columns than before, which cannot be replaced, anew."""
    try:
        return _apply(run, script)
    except QueryFailed as error:
        if error.sqlstate not in CANNOT_BE_REPLACED:
            raise
    return _apply(run, _sql("detach.sql") + script)


def _renew_keys(run: Run) -> list[str]:
    # Of a database that was migrated before, ahead of what asks for them: until then the old index serves the old keys.
    if run("select to_regprocedure('crm_hosting.email_key(text)')")[0][0] is None:
        return []
    return [*_apply(run, _sql("schema/10_keys.sql")), *_bring_indexes(run, of="(crm_hosting.")]


def _bring_indexes(run: Run, of: str = "") -> list[str]:
    changes = []
    for name, statement in indexes().items():
        if of not in statement:
            continue
        state = _state_of_index(run, name)
        if state == "outdated" or _state_of_index(run, f"{name}_new"):
            name, statement = f"{name}_new", statement.replace(name, f"{name}_new")  # noqa: PLW2901
            state = _state_of_index(run, name)
        if state == "invalid":  # a migration was cut off while it made this one
            run(f"drop index concurrently public.{name}")
            changes.append(f"dropped index {name}, which was left unfinished")
        if state != "valid":
            run(statement)
            changes.append(f"created index {name}")
    return changes


def _take_outdated_away(run: Run) -> list[str]:
    changes = []
    for name in indexes():
        if _state_of_index(run, f"{name}_new"):
            changes += _drop_index(run, name)
            run(f"alter index public.{name}_new rename to {name}")
            changes.append(f"renamed index {name}_new to {name}")
    return [*changes, *_apply(run, "drop function if exists crm_hosting.email_key_old(text)")]


def _drop_indexes(run: Run) -> list[str]:
    return [line for name in indexes() for one in (name, f"{name}_new") for line in _drop_index(run, one)]


def _drop_index(run: Run, name: str) -> list[str]:
    if not _state_of_index(run, name):
        return []
    run(f"drop index concurrently public.{name}")
    return [f"dropped index {name}"]


def _state_of_index(run: Run, name: str) -> str | None:
    rows = run(STATE_OF_INDEX, name=f"public.{name}")
    return str(rows[0][0]) if rows else None


def _warnings(run: Run, *roles: str) -> list[str]:
    """What is no fault of the bundle's, and its operator should know."""
    return [f"warning: {text}" for (text,) in run(_sql("warnings.sql"), roles=list(roles))]


def _catalogue(run: Run) -> dict[str, str]:
    return {str(name): str(definition) for name, definition in run(_sql("catalogue.sql"))}


def schema(machine_source: MachineSource, snapshot_time_zone: str, role: str, market_role: str) -> str:
    """All that the bundle has in the database, in the order of the files' names; idempotent.

    The roles stand in the files as psql's variables do. The zone is a setting of the transaction: the SQL writes it
    into the view, where the planner knows it.
    """
    parts = {part.name: part.read_text(encoding="utf-8") for part in (SQL / "schema").iterdir()}
    parts["54_machines.sql"] = machines_view(machine_source)
    script = "\n".join(parts[name] for name in sorted(parts))
    for name, value in (("role", role), ("market_role", market_role)):
        script = script.replace(f':"{name}"', identifier(value)).replace(f":'{name}'", literal(value))
    return f"set local crm_hosting.snapshot_time_zone = {literal(snapshot_time_zone)};\n{script}"


def _refuse_unknown(run: Run, zone: str) -> None:
    if not run('select from pg_timezone_names where lower(name collate "C") = lower(:zone collate "C")', zone=zone):
        raise MigrationRefused(
            f"SnapshotTimeZone (SNAPSHOT_TIME_ZONE) is {zone!r}, a time zone that PostgreSQL does not know. Nothing "
            "was changed: set it to a name of the tz database, as America/New_York or UTC."
        )


def _sql(name: str) -> str:
    return (SQL / name).read_text(encoding="utf-8")
