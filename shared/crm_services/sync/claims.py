"""The ranges of a run: cut off its customers as they are wanted, and claimed by a lock that a dead worker lets go."""

from dataclasses import dataclass

from crm_services.access.customers import next_customers
from crm_services.postgres.database import Transaction
from crm_services.sync.chunks import BEFORE_ALL
from crm_services.sync.counts import Counts
from crm_services.sync.failures import LOCK_NOT_AVAILABLE

# The number of the range that comes last: the customers that were locked, once more.
ONCE_MORE = 0

CUT = """
with moved as (
  update crm_hosting.runs set cursor = :upto::integer where id = :run_id::bigint
)
insert into crm_hosting.run_ranges (run_id, number, cursor, upto)
select :run_id::bigint, coalesce(max(number), 0) + 1, :after::integer, :upto::integer
from crm_hosting.run_ranges where run_id = :run_id::bigint
returning number
"""

# When all else is done, and one time only.
CUT_ONCE_MORE = f"""
insert into crm_hosting.run_ranges (run_id, number, cursor, upto)
select :run_id::bigint, {ONCE_MORE}, {BEFORE_ALL}, max(e.customer_id)
from crm_hosting.run_errors e
where e.run_id = :run_id::bigint and e.sqlstate = '{LOCK_NOT_AVAILABLE}'
  and not exists (select from crm_hosting.run_ranges g where g.run_id = :run_id::bigint and g.cursor < g.upto)
having count(*) > 0
on conflict do nothing
returning number
"""

_CLAIM = """
select number, cursor, upto from crm_hosting.run_ranges
where run_id = :run_id::bigint and cursor < upto {which}
order by number limit 1
for update skip locked
"""
CLAIM_THIS = _CLAIM.format(which="and number = :number::integer")
CLAIM_ANY = _CLAIM.format(which="")

HAS_OPEN = """
select exists (select from crm_hosting.run_ranges where run_id = :run_id::bigint and cursor < upto)
"""

MOVE = f"""
update crm_hosting.run_ranges
set cursor = :upto::integer, links = links || :links::jsonb,
    {", ".join(f"{name} = {name} + :{name}::integer" for name in vars(Counts()))}
where run_id = :run_id::bigint and number = :number::integer
"""


@dataclass(frozen=True)
class Claim:
    """A range that is this transaction's: of its customers those with `cursor < id <= upto` are left."""

    run_id: int
    number: int
    cursor: int
    upto: int

    def move(self, transaction: Transaction, upto: int, counts: Counts, links: str = "[]") -> None:
        """Note what became of the customers up to that id, in the transaction that did the work.

        `links` are the linked of them by owner, as a range's sync tells them.
        """
        transaction.rows(MOVE, run_id=self.run_id, number=self.number, upto=upto, links=links, **vars(counts))


def cut(transaction: Transaction, run_id: int, after: int, size: int) -> int | None:
    """Make the run's next customers a range, or at its end those that were locked; its number, None where none is left.

    The transaction has to keep the run to itself, and the scope to be set.
    """
    count, upto, _ = next_customers(transaction, after, size)
    if count:
        number: int = transaction.value(CUT, run_id=run_id, after=after, upto=upto)
        return number
    once_more: int | None = transaction.value(CUT_ONCE_MORE, run_id=run_id)
    return once_more


def claim(transaction: Transaction, run_id: int, number: int | None) -> Claim | None:
    """The range of that number (None: any) for this transaction; None where it is another's, or done."""
    which = {} if number is None else {"number": number}
    rows = transaction.rows(CLAIM_ANY if number is None else CLAIM_THIS, run_id=run_id, **which)
    return Claim(run_id, *rows[0]) if rows else None


def has_open(transaction: Transaction, run_id: int) -> bool:
    """Whether a range of the run is not done."""
    return bool(transaction.value(HAS_OPEN, run_id=run_id))
