"""Brings a database to the bundle's schema, as the owner of the CRM's tables; doing it twice changes nothing."""

from importlib.resources import files

from pg8000.native import Connection, literal

from crm_services.database import connect
from crm_services.settings import DatabaseTarget, parse_database_url

ROLE = "crm_hosting"
MARKET_ROLE = "crm_hosting_market"
MARKET_CONNECTION_LIMIT = 2
ROLE_SETTINGS = {
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}


def migrate(
    owner: DatabaseTarget,
    password: str | None = None,
    connection_limit: int = 20,
    market_password: str | None = None,
) -> list[str]:
    """Create or update what the bundle needs in the database; returns a line for each step."""
    connection = connect(owner)
    try:
        return [
            _role(connection, ROLE, password, connection_limit),
            _role(connection, MARKET_ROLE, market_password, MARKET_CONNECTION_LIMIT),
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


def _role(connection: Connection, role: str, password: str | None, connection_limit: int) -> str:
    exists = connection.run("select 1 from pg_roles where rolname = :role", role=role)
    if not exists:
        connection.run(f"create role {role}")
    connection.run(f"alter role {role} login connection limit {connection_limit}")
    if password is not None:
        connection.run(f"alter role {role} password {literal(password)}")
    for name, value in ROLE_SETTINGS.items():
        connection.run(f"alter role {role} set {name} = {literal(value)}")
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
