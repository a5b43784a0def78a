"""Whose account a customer is: the one rule that every statement which links is built on."""

from decimal import Decimal

from crm_services.base.settings import settings
from crm_services.postgres.database import Transaction

# Whether account `a` is one that customer `c` may be linked to: its e-mail key is the same and, in link scope
# `tenant`, it is one of the customer's owner's.
MATCHES = """
a.email_key = c.email_key
and (:link_any::boolean or c.created_by_id is null or c.created_by_id in (a.id, a.created_by_id))
"""

# The account that customer `c` is linked to: of those that match, an active one before one that is switched off, then
# the lowest id.
LINK = f"""
left join lateral (
  select coalesce(min(a.id) filter (where a.is_active), min(a.id)) as account_id, count(*) as candidates
  from crm_hosting.accounts a where {MATCHES}
) link on true
"""

LINKED_ACCOUNT = f"""
select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
"""

# The planner takes a scope for a few customers, for whom it would start no workers; the table's size says better.
PREPARE_COUNT = "set local parallel_setup_cost = 100"

# Customers, how many of them are linked, and the rate in percent (0 without customers), in the transaction's scope.
LINK_COUNTS = f"""
select total, linked, coalesce(round(100.0 * linked / nullif(total, 0), 2), 0)
from (select count(*) as total from crm_hosting.customers) every,
     (select count(*) as linked from crm_hosting.customers c
      where exists (select from crm_hosting.accounts a where {MATCHES})) matched
"""


def linked_account(transaction: Transaction, customer_id: int) -> int | None:
    """The id of the account that the customer is linked to, or None."""
    account_id: int | None = transaction.value(LINKED_ACCOUNT, customer_id=customer_id, link_any=settings().link_any)
    return account_id


def link_counts(transaction: Transaction) -> tuple[int, int, Decimal]:
    """Of the customers in scope: how many there are, how many of them are linked, and the rate in percent."""
    transaction.rows(PREPARE_COUNT)
    total, linked, link_rate = transaction.row(LINK_COUNTS, link_any=settings().link_any)
    return total, linked, link_rate
