"""The bundle's roles in the database: how many connections each may open, its time-outs, its password."""

from base64 import b64encode
from dataclasses import replace

from scramp import ScramMechanism  # type: ignore[import-untyped]

from crm_services.base.errors import AppError
from crm_services.postgres.database import Row, Run, connect
from crm_services.postgres.target import DatabaseTarget

# The batch prolongs its own time-out. A function that is gone for good leaves its connection idle: 20 of them would be
# all there are. Nothing is looked up in a schema in which somebody else may create.
SETTINGS = {
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "idle_session_timeout": "15min",
    "TimeZone": "UTC",
    "search_path": "pg_catalog, pg_temp",
}


def bring_role(run: Run, owner: DatabaseTarget, role: str, password: str | None, connection_limit: int) -> list[str]:
    """Create the role, or change what is not as it should be; returns a line for each change."""
    changes = []
    if not (found := _role(run, role)):
        run(f"create role {role}")
        changes.append(f"created role {role}")
        found = _role(run, role)
    [[can_login, limit, settings]] = found
    if not can_login or limit != connection_limit:
        run(f"alter role {role} login connection limit {connection_limit}")
        changes.append(f"let role {role} open {connection_limit} connections")
    for name, value in SETTINGS.items():
        if f"{name}={value}" not in settings:
            # A list is one of quoted names: quoted as a whole it would be one schema with a comma in its name.
            quoted = ", ".join(f"'{one}'" for one in value.split(", "))
            run(f"alter role {role} set {name} = {quoted}")
            changes.append(f"set {name} of role {role} to {value}")
    if password is not None and not _has_password(replace(owner, user=role, password=password)):
        run(f"alter role {role} password '{_verifier(password)}'")
        changes.append(f"set the password of role {role}")
    return changes


def drop_role(run: Run, role: str) -> list[str]:
    """Drop the role, if it exists."""
    if not _role(run, role):
        return []
    run(f"drop role {role}")
    return [f"dropped role {role}"]


def _role(run: Run, role: str) -> list[Row]:
    return run(
        "select rolcanlogin, rolconnlimit, coalesce(rolconfig, '{}') from pg_roles where rolname = :role", role=role
    )


def _has_password(login: DatabaseTarget) -> bool:
    # No role but a superuser may look. A server that lets in whoever comes says nothing of the password.
    return _lets_in(login) and not _lets_in(replace(login, password=f"not {login.password}"))


def _lets_in(login: DatabaseTarget) -> bool:
    try:
        connect(login).close()
    except AppError:
        return False
    return True


def _verifier(password: str) -> str:
    """What PostgreSQL keeps of a password: with it in the statement, no log can carry the password itself."""
    salt, stored_key, server_key, iterations = ScramMechanism("SCRAM-SHA-256").make_auth_info(password)
    salt, stored_key, server_key = (b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${iterations}:{salt}${stored_key}:{server_key}"
