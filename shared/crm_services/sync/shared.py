"""What a run says of its scope's links when it ends: which customers share an account, and how many are in doubt."""

from typing import NamedTuple

from crm_services.links.findings import kinds_of
from crm_services.links.matching import FEW, TENANTS
from crm_services.postgres.database import Transaction

# Of the links that the run kept for the day: which customers have an account that another one of their owner's is
# linked to as well, or one of another owner's. The latter a run over everybody alone can tell, and to who sees all.
_NOTE_SHARED = """
with several as materialized (
  select account_id from crm_hosting.fleet_now
  where account_id is not null and {own}
  group by account_id having count(*) > 1
), linked as materialized (
  select n.customer_id, count(*) over (partition by n.account_id) as customers,
         count(*) over (partition by n.account_id, n.owner_id) as of_owner
  from several join crm_hosting.fleet_now n using (account_id)
  where {own}
), shared as materialized (
  select customer_id, 'shared_account' as kind from linked where of_owner > 1
  union all
  select customer_id, 'shared_across_owners' from linked where customers > of_owner
), forgotten as (
  delete from crm_hosting.findings o
  where (o.customer_id, o.kind) not in (select customer_id, kind from shared)
    and o.kind in ({kinds}) and {own}
)
insert into crm_hosting.findings (customer_id, kind)
select customer_id, kind from shared order by customer_id, kind
on conflict do nothing
"""
_OWN = f"customer_id = any ({TENANTS})"
NOTE_SHARED = _NOTE_SHARED.format(own="true", kinds="'shared_account', 'shared_across_owners'")
NOTE_SHARED_OF_TENANT = _NOTE_SHARED.format(own=_OWN, kinds="'shared_account'")

# How many customers in scope the run leaves with such findings, kept in its record.
_COUNT_LINKS = """
update crm_hosting.runs r set ambiguous = found.ambiguous, shared = found.shared
from (
  select count(distinct f.customer_id) filter (where f.kind = 'ambiguous_email') as ambiguous,
         count(distinct f.customer_id) filter (where f.kind = any (:kinds::text[])) as shared
  from crm_hosting.findings f where {own}
) found
where r.id = :run_id::bigint
returning r.ambiguous, r.shared
"""
COUNT_LINKS = _COUNT_LINKS.format(own="exists (select from crm_hosting.customers c where c.id = f.customer_id)")
COUNT_LINKS_OF_TENANT = _COUNT_LINKS.format(own=_OWN)


class Doubts(NamedTuple):
    """Customers whose e-mail several accounts have, and those whose account another one of the scope is linked to."""

    ambiguous: int
    shared: int


def note_shared(transaction: Transaction, tenant_id: int | None) -> None:
    """Keep a finding for each customer of the tenant (None: of all) whose account is another's of them too."""
    if tenant_id is not None:
        transaction.ask(FEW)
    transaction.rows(NOTE_SHARED if tenant_id is None else NOTE_SHARED_OF_TENANT)


def count_doubts(transaction: Transaction, run_id: int, tenant_id: int | None) -> Doubts:
    """How many customers in the transaction's scope the run leaves in doubt; in its record too."""
    if tenant_id is not None:
        transaction.ask(FEW)
    count = COUNT_LINKS if tenant_id is None else COUNT_LINKS_OF_TENANT
    return Doubts(*transaction.row(count, run_id=run_id, kinds=kinds_of("shared", tenant_id)))
