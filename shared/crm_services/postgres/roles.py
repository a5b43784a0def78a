"""The bundle's roles in the database: how many connections each may open, its time-outs, its password."""

import os
from base64 import b64encode
from dataclasses import dataclass, field, replace

from scramp import ScramException, ScramMechanism  # type: ignore[import-untyped]

from crm_services.base.errors import AppError, MigrationRefused, QueryFailed
from crm_services.base.secrets import login
from crm_services.base.settings import connection_limit
from crm_services.postgres.connecting import Run, connect
from crm_services.postgres.hearing import Row
from crm_services.postgres.quoting import identifier, literal
from crm_services.postgres.target import DatabaseTarget

ROLE = "crm_hosting"
MARKET_ROLE = "crm_hosting_market"
MARKET_CONNECTION_LIMIT = 2
# Secrets Manager's rotation with alternating users makes a second one that is a member of the first.
CLONE = "_clone"

# The batch prolongs its own time-out. A function that is gone for good leaves its connection idle: 20 of them would be
# all there are. Nothing is looked up in a schema in which somebody else may create. Compiling takes a hundred times as
# long as a statement, and where one way of reading is switched off, the planner reckons that it pays.
SETTINGS = {
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "idle_session_timeout": "15min",
    "TimeZone": "UTC",
    "search_path": "pg_catalog, pg_temp",
    "jit": "off",
}
# What a run may wait for and how long it takes is limited by what it says itself, never by the server's own limits.
LIMITS = {"lock_timeout": "0", "transaction_timeout": "0"}
LIMITED = "select name from pg_settings where name = any(:names) and reset_val <> '0'"
# What somebody has set for the role in this database goes before what is set for the role.
SET_HERE = """
select split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)
from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) one
where d.datname = current_database() and s.setrole = (select oid from pg_roles where rolname = :role)
"""
REFUSED = "28P01"
NOT_LET_IN = "28"
LONGEST_NAME = 63
RESERVED = ("public", "none")
INSUFFICIENT_PRIVILEGE = "42501"


@dataclass(frozen=True)
class Login:
    """Who one of the bundle's functions logs in as. Without a password it keeps the one that it has."""

    name: str = ROLE
    password: str | None = field(default=None, repr=False)
    connection_limit: int = 25

    @property
    def role(self) -> str:
        """The role that has the rights: the user himself, or the one whose clone he is."""
        return self.name.removesuffix(CLONE)

    @property
    def market(self) -> "Login":
        """Who appends market data, unless a secret of its own says so; nobody can log in as it without a password."""
        return Login(f"{self.role}_market", None, MARKET_CONNECTION_LIMIT)


def bundle_login() -> Login:
    """The login of the secret, or of `DATABASE_ROLE` without a password where `DATABASE_URL` says how to log in."""
    if os.environ.get("DATABASE_URL"):
        return Login(os.environ.get("DATABASE_ROLE") or ROLE, None, connection_limit())
    return Login(*login("DATABASE_SECRET_ARN", refresh=True), connection_limit())


def market_login() -> Login:
    """The same of the role that appends market data."""
    if os.environ.get("DATABASE_URL") or not os.environ.get("MARKET_SECRET_ARN"):
        return bundle_login().market
    return Login(*login("MARKET_SECRET_ARN", refresh=True), MARKET_CONNECTION_LIMIT)


def refuse_unusable(*logins: Login) -> None:
    """Raise MigrationRefused where a server takes no such name for a role, or no such password for a login."""
    for one in logins:
        if not 0 < len(one.name.encode()) <= LONGEST_NAME or one.name.startswith("pg_") or one.name in RESERVED:
            raise MigrationRefused(
                f"Nothing was changed. No role can be called {one.name!r}: the names that PostgreSQL takes have 1 to "
                f"{LONGEST_NAME} bytes, do not begin with pg_, and are neither public nor none."
            )
        try:
            _verifier(one.password or "")
        except ScramException:
            raise MigrationRefused(
                f"Nothing was changed. The password of {one.name} has characters that no login can send (a line end, "
                "other control characters, emoji): give the secret another one."
            ) from None


def refuse_anothers(run: Run, owner: DatabaseTarget, login: Login) -> None:
    """Raise MigrationRefused where the role is in use in another database of the server, with another password.

    Roles are the server's, not the database's: a second stack would take the first one's password away.
    """
    if login.password is None or _answer(owner, login) != REFUSED:
        return
    if elsewhere := [str(name) for (name,) in run(USED_ELSEWHERE, role=login.role)]:
        raise MigrationRefused(
            f"The role {login.role} has another password than the secret, and is in use in {', '.join(elsewhere)} on "
            "the same server: a role is the server's. Nothing was changed. Give this stack's secret a username of its "
            f"own (such as {login.role}_{owner.database}); or, if both stacks shall share the role, its password: "
            f"alter role {login.name} password '…'."
        )


# What another database has granted to it, or what is owned there; the right to connect to it included.
USED_ELSEWHERE = """
select distinct d.datname::text from pg_shdepend s
join pg_database d on d.oid = case when s.classid = 'pg_database'::regclass then s.objid else s.dbid end
where s.refclassid = 'pg_authid'::regclass and s.refobjid = (select oid from pg_roles where rolname = :role)
  and d.datname <> current_database()
order by 1
"""


def bring_role(run: Run, owner: DatabaseTarget, login: Login) -> list[str]:
    """Create the role, or change what is not as it should be; returns a line for each change."""
    changes = [*_bring_own(run, owner, login, login.role), *_let_connect(run, owner, login.role)]
    if login.name != login.role:
        changes += _bring_own(run, owner, login, login.name)
        if not run("select pg_has_role(:member, :role, 'member') as it", member=login.name, role=login.role)[0][0]:
            run(f"grant {identifier(login.role)} to {identifier(login.name)}")
            changes.append(f"made {login.name} a member of {login.role}")
    for (member,) in run(MEMBERS, role=login.role, name=login.name):
        changes += _bring_member(run, str(member), login.connection_limit)
    if login.password is not None and not _has_password(owner, login):
        run(f"alter role {identifier(login.name)} password '{_verifier(login.password)}'")
        changes.append(f"set the password of role {login.name}")
        if (answer := _answer(owner, login)) and answer.startswith(NOT_LET_IN):
            changes.append(f"warning: {login.name} cannot log in from here even so ({answer}): pg_hba.conf has no line "
                           "that lets it in by password, or not without TLS")  # fmt: skip
    return changes


# Whoever stands in while a password changes. What a role is set to is not passed on to its members.
MEMBERS = """
select m.rolname::text from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles r on r.oid = a.roleid
where r.rolname = :role and m.rolcanlogin and m.rolname <> :name and not m.rolcreaterole and not m.rolsuper order by 1
"""


def drop_role(run: Run, role: str) -> list[str]:
    """Drop the role and its clone, if they exist."""
    changes = []
    for name in (role + CLONE, role):
        if _role(run, name):
            for (database,) in run(GRANTED_CONNECT, role=name):
                run(f"revoke connect on database {identifier(str(database))} from {identifier(name)}")
            run(f"drop role {identifier(name)}")
            changes.append(f"dropped role {name}")
    return changes


GRANTED_CONNECT = """
select d.datname::text from pg_database d, aclexplode(d.datacl) a join pg_roles r on r.oid = a.grantee
where d.datname = current_database() and r.rolname = :role and a.privilege_type = 'CONNECT'
"""


def _bring(run: Run, role: str, limit: int) -> list[str]:
    changes = []
    if not (found := _role(run, role)):
        run(f"create role {identifier(role)}")
        changes.append(f"created role {role}")
        found = _role(run, role)
    [[can_login, has_limit, settings, has_expired]] = found
    if not can_login or has_limit != limit:
        run(f"alter role {identifier(role)} login connection limit {limit}")
        changes.append(f"let role {role} open {limit} connections")
    if has_expired:
        run(f"alter role {identifier(role)} valid until 'infinity'")
        changes.append(f"let role {role} log in again, whose password had expired")
    limited = {str(name) for (name,) in run(LIMITED, names=list(LIMITS))} | {one.partition("=")[0] for one in settings}
    wanted = SETTINGS | {name: value for name, value in LIMITS.items() if name in limited}
    for name, value in wanted.items():
        if f"{name}={value}" not in settings:
            # A list is one of quoted names: quoted as a whole it would be one schema with a comma in its name.
            quoted = ", ".join(literal(one) for one in value.split(", "))
            run(f"alter role {identifier(role)} set {name} = {quoted}")
            changes.append(f"set {name} of role {role} to {value}")
    for name, value in run(SET_HERE, role=role):
        if (SETTINGS | LIMITS).get(str(name), value) != value:
            run(f"alter role {identifier(role)} in database {_here(run)} reset {name}")
            changes.append(f"took back {name} = {value}, which was set for role {role} in this database")
    return changes


def _bring_own(run: Run, owner: DatabaseTarget, login: Login, role: str) -> list[str]:
    try:
        return _bring(run, role, login.connection_limit)
    except QueryFailed as error:
        if error.sqlstate != INSUFFICIENT_PRIVILEGE:
            raise
        raise MigrationRefused(
            f"The role {role} is there, and {owner.user} may not change it: as a superuser, or whoever made it, grant "
            f"{role} to {owner.user} with admin option, and alter role {owner.user} createrole. Then run it again."
        ) from error


def _bring_member(run: Run, member: str, limit: int) -> list[str]:
    try:
        return _bring(run, member, limit)
    except QueryFailed as error:
        if error.sqlstate != INSUFFICIENT_PRIVILEGE:
            raise
        return [f"warning: {member} logs in as a member of the bundle's role and is somebody else's to change, who is "
                f"to set {', '.join(SETTINGS)} as the bundle's role has them"]  # fmt: skip


def _let_connect(run: Run, owner: DatabaseTarget, role: str) -> list[str]:
    may = "select has_database_privilege(:role, current_database(), 'connect')"
    if run(may, role=role)[0][0]:
        return []
    run(f"grant connect on database {identifier(owner.database)} to {identifier(role)}")
    return [f"let role {role} connect to database {owner.database}"]


def _here(run: Run) -> str:
    return identifier(str(run("select current_database()::text")[0][0]))


def _role(run: Run, role: str) -> list[Row]:
    return run(
        "select rolcanlogin, rolconnlimit, coalesce(rolconfig, '{}'), coalesce(rolvaliduntil <= now(), false) "
        "from pg_roles where rolname = :role",
        role=role,
    )


def _has_password(owner: DatabaseTarget, login: Login) -> bool:
    # No role but a superuser may look. A server that lets in whoever comes says nothing of the password.
    if _answer(owner, login) is not None:
        return False
    return _answer(owner, replace(login, password=f"not {login.password}")) is not None


def _answer(owner: DatabaseTarget, login: Login) -> str | None:
    """The SQLSTATE or the name of the error with which the server refuses the login; None where it lets him in."""
    try:
        connect(replace(owner, user=login.name, password=login.password)).close()
    except QueryFailed as error:
        return error.sqlstate
    except AppError as error:
        return type(error).__name__
    return None


def _verifier(password: str) -> str:
    """What PostgreSQL keeps of a password: with it in the statement, no log can carry the password itself."""
    salt, stored_key, server_key, iterations = ScramMechanism("SCRAM-SHA-256").make_auth_info(password)
    salt, stored_key, server_key = (b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${iterations}:{salt}${stored_key}:{server_key}"
