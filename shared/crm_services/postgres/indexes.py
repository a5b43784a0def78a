"""The bundle's indexes of the CRM's tables: what makes them, and which of them are not there to be used."""

import re
from pathlib import Path

from crm_services.postgres.transaction import Transaction

STATEMENTS = Path(__file__).with_name("sql") / "indexes.sql"
INDEX = re.compile(r"create (?:unique )?index concurrently if not exists (\w+) on [^;]+")
MISSING = """
select name from unnest(cast(:names as text[])) name
where not exists (select from pg_index i join pg_class c on c.oid = i.indexrelid
                  where c.relname = name and c.relnamespace = 'public'::regnamespace and i.indisvalid)
order by name
"""


def indexes() -> dict[str, str]:
    """The statement that makes each, by its name."""
    return {found[1]: found[0] for found in INDEX.finditer(STATEMENTS.read_text(encoding="utf-8"))}


def missing_indexes(transaction: Transaction) -> list[str]:
    """The names of those that were dropped, or whose making was cut off: without them all goes on, slower."""
    return [str(name) for (name,) in transaction.rows(MISSING, names=list(indexes()))]
