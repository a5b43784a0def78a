"""Brings a database to the bundle's schema, as the owner of the CRM's tables; doing it twice changes nothing."""

from importlib.resources import files

from pg8000.native import Connection, identifier, literal

from crm_services.database import connect
from crm_services.settings import parse_database_url

ROLE_SETTINGS = {
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}
CONNECTION_LIMIT = 20


def migrate(owner_url: str, role: str = "crm_hosting", password: str | None = None) -> list[str]:
    """Create or update what the bundle needs in the database; returns a line for each step."""
    connection = connect(parse_database_url(owner_url))
    try:
        return [
            _role(connection, role, password),
            _schema(connection),
            *_indexes(connection),
        ]
    finally:
        connection.close()


def is_migrated(url: str) -> bool:
    """Whether the database has the bundle's schema."""
    connection = connect(parse_database_url(url))
    try:
        return bool(connection.run("select to_regclass('crm_hosting.runs') is not null")[0][0])
    finally:
        connection.close()


def _role(connection: Connection, role: str, password: str | None) -> str:
    exists = connection.run("select 1 from pg_roles where rolname = :role", role=role)
    if not exists:
        connection.run(f"create role {identifier(role)}")
    connection.run(f"alter role {identifier(role)} login connection limit {CONNECTION_LIMIT}")
    if password is not None:
        connection.run(f"alter role {identifier(role)} password {literal(password)}")
    for name, value in ROLE_SETTINGS.items():
        connection.run(f"alter role {identifier(role)} set {name} = {literal(value)}")
    return f"role {role}: {'kept' if exists else 'created'}"


def _schema(connection: Connection) -> str:
    connection.run("begin")
    connection.run("set local lock_timeout = '2s'")
    connection.run(_script("schema.sql"))
    connection.run("commit")
    return "schema crm_hosting: applied"


def _indexes(connection: Connection) -> list[str]:
    statements = [statement.strip() for statement in _script("indexes.sql").split(";") if "create index" in statement]
    for statement in statements:
        connection.run(statement)
    return [f"indexes: {len(statements)} in place"]


def _script(name: str) -> str:
    return (files("crm_services") / "sql" / name).read_text(encoding="utf-8")
