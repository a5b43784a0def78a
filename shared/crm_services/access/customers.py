"""The customers in the transaction's scope: the next of them by id, and those that somebody searches for."""

from crm_services.postgres.database import Transaction

LAST_OF_ALL = 2**31 - 1

NEXT_CUSTOMERS = """
select customers, upto, ids from crm_hosting.next_customers(:after::integer, :size::integer, :last::integer)
"""

NEXT_FOUND = "select crm_hosting.next_found(:search::text, :after::integer, :size::integer) order by 1"


def next_customers(
    transaction: Transaction, after: int, size: int, last: int = LAST_OF_ALL
) -> tuple[int, int, list[int] | None]:
    """Of the customers after that id, up to `last`, the next so many: their number, the last one's id, a tenant's ids.

    The ids are None where everybody's are in sight: then all are meant that have an id up to the last one's.
    """
    count, upto, ids = transaction.row(NEXT_CUSTOMERS, after=after, size=size, last=last)
    return count, upto, ids


def next_found(transaction: Transaction, search: str, after: int, size: int) -> list[int]:
    """Of the customers after that id the next so many that have it in name, company or e-mail address: their ids."""
    return [id_ for (id_,) in transaction.rows(NEXT_FOUND, search=search, after=after, size=size)]


def searched(words: str) -> str:
    """The condition that these words, an expression of SQL, contain what is searched for, if anything is.

    Case is folded: ASCII's by itself first, as to a Turkish server I and i are two letters. (40_scope.sql, which has
    an index to suit, folds alike.)
    """
    return f"""
(:search::text is null or strpos(
  lower(lower(({words}) collate "C") collate "default"),
  lower(lower(:search::text collate "C") collate "default")) > 0)
"""
