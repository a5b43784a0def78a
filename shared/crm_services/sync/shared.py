"""Which customers share their account with another one: looked for over a whole scope, at the end of its run."""

from crm_services.postgres.database import Transaction

# Of the links that the run kept for the day. Those of others are none of a tenant's business.
NOTE_SHARED = """
with shared as materialized (
  select customer_id
  from (select customer_id, count(*) over (partition by account_id) as customers
        from crm_hosting.fleet_now
        where account_id is not null and (:tenant_id::integer is null or owner_id = :tenant_id::integer)) linked
  where customers > 1
), forgotten as (
  delete from crm_hosting.findings o
  where o.kind = 'shared_account' and o.customer_id not in (select customer_id from shared)
    and (:tenant_id::integer is null
         or o.customer_id in (select customer_id from crm_hosting.fleet_now where owner_id = :tenant_id::integer))
)
insert into crm_hosting.findings (customer_id, kind)
select customer_id, 'shared_account' from shared order by customer_id
on conflict do nothing
"""


def note_shared(transaction: Transaction, tenant_id: int | None) -> None:
    """Keep a finding for each customer of the tenant (None: of all) whose account is another's of them too."""
    transaction.rows(NOTE_SHARED, tenant_id=tenant_id)
