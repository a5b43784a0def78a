"""The customers that a run could not sync: what is kept of them, and what is forgotten again."""

from crm_services.postgres.database import Transaction

LOCK_NOT_AVAILABLE = "55P03"

RECORD_ERRORS = """
insert into crm_hosting.run_errors (run_id, customer_id, sqlstate, constraint_name)
select :run_id::bigint, id, :sqlstate::text, :constraint::text from unnest(:customer_ids::integer[]) id
on conflict (run_id, customer_id) do update
  set sqlstate = excluded.sqlstate, constraint_name = excluded.constraint_name
"""

LOCKED_CUSTOMERS = f"""
select coalesce(array_agg(customer_id order by customer_id), '{{}}') from (
  select customer_id from crm_hosting.run_errors
  where run_id = :run_id::bigint and sqlstate = '{LOCK_NOT_AVAILABLE}' and customer_id > :after::integer
  order by customer_id limit :size::integer) locked
"""

FORGET_ERRORS = """
delete from crm_hosting.run_errors
where run_id = :run_id::bigint and customer_id = any (:customer_ids::integer[])
"""


def record(
    transaction: Transaction, run_id: int, customer_ids: list[int], sqlstate: str, constraint: str | None = None
) -> None:
    """Keep why these customers could not be synced: the last reason stands."""
    transaction.rows(RECORD_ERRORS, run_id=run_id, customer_ids=customer_ids, sqlstate=sqlstate, constraint=constraint)


def locked(transaction: Transaction, run_id: int, after: int, size: int) -> list[int]:
    """The next ids of those whose record somebody else had locked, ascending."""
    ids: list[int] = transaction.value(LOCKED_CUSTOMERS, run_id=run_id, after=after, size=size)
    return ids


def forget(transaction: Transaction, run_id: int, customer_ids: list[int]) -> None:
    """These were synced after all."""
    transaction.rows(FORGET_ERRORS, run_id=run_id, customer_ids=customer_ids)
