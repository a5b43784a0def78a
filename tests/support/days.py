"""Days that pass for the history, as what it holds grows older."""

from datetime import UTC, datetime, timedelta

from pg8000.native import Connection

from crm_services.access.entry import SCOPE_TO
from crm_services.postgres.database import database
from crm_services.sync import batch
from crm_services.sync.ranges import sync_one

AGES = {
    "fleet_now": ("day",),
    "fleet_days": ("until", "day"),
    "market_days": ("day",),
    "scope_days": ("day",),
    "attention": ("since",),
    "attention_messages": ("day",),
}


def days_pass(owner: Connection, days: int = 1) -> None:
    """Make everything that the history holds so many days older."""
    for table, columns in AGES.items():
        # Keys are checked row by row: out of each other's way first.
        for far in (-100_000, 100_000 - days):
            moved = ", ".join(f"{column} = {column} + {far}" for column in columns)
            owner.run(f"update crm_hosting.{table} set {moved}")


def ago(days: int) -> str:
    """The day so many days back, as the history writes it."""
    return (datetime.now(UTC).date() - timedelta(days=days)).isoformat()


def run(tenant: int | None = None) -> None:
    """Sync all that the tenant sees (None: everybody's)."""
    batch.run(database, tenant, "console")


def sync(customer: int) -> None:
    """Sync one customer."""
    with database.transaction() as transaction:
        transaction.rows(SCOPE_TO, tenant_id=None)
        sync_one(transaction, customer)
