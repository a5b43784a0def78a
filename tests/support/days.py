"""Days that pass for the history, as what it holds grows older."""

from pg8000.native import Connection

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
