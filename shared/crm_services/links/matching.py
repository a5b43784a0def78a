"""Whose account a customer is: the one rule that every statement which links is built on."""

from decimal import Decimal

from crm_services.base.settings import settings
from crm_services.postgres.database import Transaction

# The account that is named for customer `c`, before any e-mail counts: by somebody who confirmed it here, or else by
# the CRM itself, whose site owner opened it there, in link scope `tenant` too, whoever the customer's owner is: the CRM
# sets the column itself, to the account that it has just made, and no form lets a tenant choose another's.
# Whoever can write the column by other means can write any column of the CRM. An id that is no account's (any more)
# names nobody, and an account that somebody refused for this customer is never taken. What an owner has confirmed
# counts in link scope `tenant` only while it is an account of the customer's owner: he could have typed any address.
NAMED = """
left join crm_hosting.accounts confirmed
  on confirmed.id = c.confirmed_account_id
  and (:link_any::boolean or not c.confirmed_by_owner or c.created_by_id is null
       or c.created_by_id in (confirmed.id, confirmed.created_by_id))
left join crm_hosting.accounts named
  on named.id = c.user_account_id and (c.refused_account_ids is null or named.id <> all (c.refused_account_ids))
"""
NAMED_ID = "coalesce(confirmed.id, named.id)"
# Whether a link names an account that is gone.
NAMES_NOBODY = """
(c.confirmed_account_id is not null and confirmed.id is null
   and not exists (select from crm_hosting.accounts a where a.id = c.confirmed_account_id)
 or c.user_account_id is not null and named.id is null
    and (c.refused_account_ids is null or c.user_account_id <> all (c.refused_account_ids)))
"""

# Whether account `a` is one that customer `c`, for whom none is named, may be linked to: its e-mail key is the same
# and, in link scope `tenant`, it is one of the customer's owner's.
SAME_KEY = """
a.email_key = c.email_key and (c.refused_account_ids is null or a.id <> all (c.refused_account_ids))
"""
OWNERS = "(c.created_by_id is null or c.created_by_id in (a.id, a.created_by_id))"
MATCHES = f"{SAME_KEY} and (:link_any::boolean or {OWNERS})"

# The account that customer `c` is linked to: the one that is named, or else of those that match an active one before
# one that is switched off, then the lowest id.
LINK = f"""
{NAMED}
left join lateral (
  select coalesce({NAMED_ID}, min(a.id) filter (where a.is_active), min(a.id)) as account_id, count(a.id) as candidates
  from crm_hosting.accounts a where {NAMED_ID} is null and {MATCHES}
) link on true
"""

# The same for many: a row for each customer and candidate, of which FIRST_CANDIDATE comes first.
CANDIDATES = f"{NAMED} left join crm_hosting.accounts a on {NAMED_ID} is null and {MATCHES}"
CANDIDATE = "coalesce(confirmed.id, named.id, a.id)"
FIRST_CANDIDATE = "a.is_active desc, a.id"

LINKED_ACCOUNT = f"""
select link.account_id from crm_hosting.customers c {LINK} where c.id = :customer_id::integer
"""

# A tenant's customers, as an array: by it each of them, and what belongs to it, is looked up in an index.
TENANTS = "array(select id from crm_hosting.tenant_customers)"
# Said before a statement that has them: that they are found by their owner, however many the planner takes them for.
FEW = "select set_config('enable_seqscan', 'off', true)"
# Said before a statement about one customer: what finds its few rows is the same each time, and takes longer to plan.
ONE = "select set_config('plan_cache_mode', 'force_generic_plan', true)"
# The planner takes a scope for a few customers, for whom it would start no workers; the table's size says better.
MANY = "select set_config('enable_seqscan', 'on', true), set_config('parallel_setup_cost', '100', true)"

# Customers, how many of them are linked, and the rate in percent (0 without customers), in the transaction's scope.
# Those whose account is named, and whose e-mail would not do, are looked for only where any is named.
LINK_COUNTS = f"""
with every as materialized (
  select count(*) as total, count(coalesce(c.confirmed_account_id, c.user_account_id)) as naming
  from crm_hosting.customers c
)
select total, linked, coalesce(round(100.0 * linked / nullif(total, 0), 2), 0)
from every, lateral (
  select (select count(*) from crm_hosting.customers c
          where exists (select from crm_hosting.accounts a where {MATCHES}))
       + case when naming > 0 then
           (select count(*) from crm_hosting.customers c {NAMED}
            where coalesce(c.confirmed_account_id, c.user_account_id) is not null and {NAMED_ID} is not null
              and not exists (select from crm_hosting.accounts a where {MATCHES})) else 0 end as linked
  offset 0  -- or each mention of it counts anew
) counted
"""


# The same of a tenant, one by one; of more than so many it is not the quickest way, and its numbers mean nothing.
MOST_ONE_BY_ONE = 20_000
TENANT_LINK_COUNTS = f"""
select total, linked, coalesce(round(100.0 * linked / nullif(total, 0), 2), 0)
from (
  select count(*) as total, count(link.account_id) as linked
  from crm_hosting.customers c {LINK}
  where c.id = any (array(select id from crm_hosting.tenant_customers limit {MOST_ONE_BY_ONE + 1}))
) counted
"""


def linked_account(transaction: Transaction, customer_id: int) -> int | None:
    """The id of the account that the customer is linked to, or None."""
    account_id: int | None = transaction.value(LINKED_ACCOUNT, customer_id=customer_id, link_any=settings().link_any)
    return account_id


def link_counts(transaction: Transaction, tenant_id: int | None) -> tuple[int, int, Decimal]:
    """Of the tenant's customers (None: of all): how many there are, how many are linked, and the rate in percent.

    What follows in the transaction is planned for as many.
    """
    if tenant_id is not None:
        transaction.ask(FEW)
        total, linked, link_rate = transaction.row(TENANT_LINK_COUNTS, link_any=settings().link_any)
        if total <= MOST_ONE_BY_ONE:
            return total, linked, link_rate
    transaction.ask(MANY)
    total, linked, link_rate = transaction.row(LINK_COUNTS, link_any=settings().link_any)
    return total, linked, link_rate
