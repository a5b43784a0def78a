"""How well CRM and hosting agree, in the scope of the transaction."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from crm_services.access.entry import Caller
from crm_services.base.messages import Language
from crm_services.base.settings import settings
from crm_services.health.judgement import Figures, judge
from crm_services.links.findings import ACROSS_OWNERS
from crm_services.links.matching import link_counts
from crm_services.market.newest import market
from crm_services.postgres.database import Transaction
from crm_services.postgres.indexes import missing_indexes
from crm_services.sync.runs import last_completed

FINDING_COUNTS = f"""
select f.kind, count(*)::integer
from crm_hosting.findings f join crm_hosting.customers c on c.id = f.customer_id
where :sees_all::boolean or f.kind <> '{ACROSS_OWNERS}'
group by f.kind order by f.kind
"""


def sync_status(transaction: Transaction, caller: Callable[[], Caller], language: Language) -> dict[str, Any]:
    """Counts, link rate in percent, last sync, health and its issues, as `SyncStatusSchema`."""
    total, linked, link_rate = link_counts(transaction)
    tenant_id = caller().tenant_id
    last_sync, operations, failed = last_completed(transaction, tenant_id)
    counts = transaction.rows(FINDING_COUNTS, sees_all=tenant_id is None)
    findings = {str(kind): int(count) for kind, count in counts}
    # Said to those who see every customer: the others can do nothing about the database.
    if tenant_id is None and (missing := missing_indexes(transaction)):
        findings["missing_index"] = len(missing)
    figures = Figures(
        now=datetime.now(UTC),
        total=total,
        linked=linked,
        last_sync=last_sync,
        operations=max(linked, failed) if operations is None else operations,
        failed=failed,
        market=market(transaction),
        findings=findings,
    )
    health, issues = judge(figures, settings().thresholds, language)
    return {
        "total_customers": total,
        "linked_customers": linked,
        "unlinked_customers": total - linked,
        "link_rate": float(link_rate),
        "last_sync": _utc(last_sync),
        "sync_health": health,
        "issues": issues,
    }


def _utc(moment: datetime | None) -> str | None:
    """A time as the JSON has it: ISO 8601 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
