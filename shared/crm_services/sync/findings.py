"""How many customers there are with each finding, in the transaction's scope and as a run left them."""

from crm_services.links.findings import ACROSS_OWNERS
from crm_services.links.matching import TENANTS
from crm_services.postgres.database import Transaction

FINDING_COUNTS = """
select f.kind, count(*)::integer
from crm_hosting.findings f join crm_hosting.customers c on c.id = f.customer_id
group by f.kind order by f.kind
"""
# The same of a tenant: his customers' findings are looked up, however many others have some. (Before the grouping:
# PostgreSQL 15 and 16 would go through all of them in the order of their kinds.)
TENANT_FINDING_COUNTS = f"""
select kind, count(*)::integer
from (
  select kind from crm_hosting.findings where customer_id = any ({TENANTS}) and kind <> '{ACROSS_OWNERS}' offset 0
) his
group by kind order by kind
"""

NOTE_FINDINGS = f"""
update crm_hosting.runs
set findings = (select coalesce(jsonb_object_agg(kind, count), '{{}}') from ({FINDING_COUNTS}) counted)
where id = :run_id::bigint
"""


def finding_counts(transaction: Transaction, tenant_id: int | None) -> dict[str, int]:
    """The kinds of findings that customers of the scope, the tenant's (None: all), have, and how many have each."""
    rows = transaction.rows(FINDING_COUNTS if tenant_id is None else TENANT_FINDING_COUNTS)
    return {str(kind): int(count) for kind, count in rows}


def note_findings(transaction: Transaction, run_id: int) -> None:
    """Keep with the run how many customers in scope have each finding, as it leaves them."""
    transaction.rows(NOTE_FINDINGS, run_id=run_id)
