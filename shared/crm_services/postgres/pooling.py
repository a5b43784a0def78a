"""Whether a pooler in transaction mode stands between: what a session sets would stay on a connection of the CRM's."""

from crm_services.base.errors import ConnectionLost, MigrationRefused
from crm_services.postgres.connecting import Run, session
from crm_services.postgres.target import DatabaseTarget

# Nothing of it outlives the transaction, and it looks nothing up where somebody else may create.
BEGIN = "begin; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"
BACKEND = "select pg_catalog.pg_backend_pid()"
LOOKS = 3
# What PgBouncer says to a transaction where it gives each statement a connection.
NO_TRANSACTIONS = "08P01"


def refuse_pooled(run: Run, owner: DatabaseTarget) -> None:
    """Raise MigrationRefused where two transactions of one session are not on one connection of the server's."""
    try:
        own = _backend(run)
    except ConnectionLost as error:
        if error.fields.get("reason") != NO_TRANSACTIONS:
            raise
        raise MigrationRefused(
            f"Nothing was changed. {owner.host} is a pooler in statement mode, which carries no transactions (or one "
            "with disable_pqexec): neither "
            "the migration nor the functions can work through it. Set its pool_mode to transaction or session for "
            "this database, and let the migration log in at the server itself."
        ) from None
    for _ in range(LOOKS):
        with session(owner) as other:
            other(BEGIN)
            others = other(BACKEND)[0][0]
            if own in (others, None) or _backend(run) != own:
                raise MigrationRefused(
                    f"Nothing was changed. {owner.host} is a pooler in transaction mode (PgBouncer, RDS Proxy), and "
                    "the migration needs a session of its own, for its lock and for indexes that bar nobody while "
                    "they are made. Let it log in at the server itself."
                )
            other("rollback")


def _backend(run: Run) -> object:
    run(BEGIN)
    pid = run(BACKEND)[0][0]
    run("commit")
    return pid
