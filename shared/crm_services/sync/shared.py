"""Which customers share their account with another one: looked for over a whole scope, at the end of its run."""

from crm_services.access.entry import SCOPE_TO
from crm_services.base.settings import settings
from crm_services.links.matching import CANDIDATE, CANDIDATES, FIRST_CANDIDATE
from crm_services.postgres.database import Transaction

# A join of everybody, which takes longer than a request may.
PREPARE = """
set local statement_timeout = '120s';
set local work_mem = '64MB';
set local jit = off;
set local plan_cache_mode = force_custom_plan
"""

NOTE_SHARED = f"""
with chosen as (
  select distinct on (c.id) c.id, {CANDIDATE} as account_id
  from crm_hosting.customers c {CANDIDATES}
  where {CANDIDATE} is not null
  order by c.id, {FIRST_CANDIDATE}
), shared as materialized (
  select id from (select id, count(*) over (partition by account_id) as customers from chosen) counted
  where customers > 1
), forgotten as (
  delete from crm_hosting.findings o
  where o.kind = 'shared_account' and o.customer_id in (select c.id from crm_hosting.customers c)
    and o.customer_id not in (select id from shared)
)
insert into crm_hosting.findings (customer_id, kind)
select id, 'shared_account' from shared
on conflict do nothing
"""


def note_shared(transaction: Transaction, tenant_id: int | None) -> None:
    """Keep a finding for each customer of the scope whose account is another's of the scope too, and for no other."""
    transaction.rows(PREPARE)
    transaction.rows(SCOPE_TO, tenant_id=tenant_id)
    transaction.rows(NOTE_SHARED, link_any=settings().link_any)
