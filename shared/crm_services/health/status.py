"""How well CRM and hosting agree, in the scope of the transaction."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from crm_services.access.entry import Caller
from crm_services.base.messages import Language
from crm_services.base.settings import settings
from crm_services.health.judgement import Figures, judge
from crm_services.health.remedies import remedies
from crm_services.links.matching import link_counts
from crm_services.market.newest import market
from crm_services.postgres.database import Transaction
from crm_services.postgres.indexes import missing_indexes
from crm_services.sync.findings import finding_counts
from crm_services.sync.runs import Completed, last_completed

# To count more customers than that takes longer than a page should: what the last run over everybody counted is told.
MOST_COUNTED = 50_000


class _Counts(NamedTuple):
    total: int
    linked: int
    link_rate: Decimal
    findings: dict[str, int]
    counted_at: datetime | None = None  # None: now


def sync_status(transaction: Transaction, caller: Callable[[], Caller], language: Language) -> dict[str, Any]:
    """Counts, link rate in percent, last sync, health and its issues, as `SyncStatusSchema`."""
    tenant_id = caller().tenant_id
    of_tenant = None if tenant_id is None else _counted(transaction, tenant_id)
    last = last_completed(transaction, tenant_id)
    counts = of_tenant or (last and _left_by(last)) or _counted(transaction, None)
    failed = last.failed if last else 0
    operations = last.operations if last else 0
    findings = counts.findings
    # Said to those who see every customer: the others can do nothing about the database.
    if tenant_id is None and (missing := missing_indexes(transaction)):
        findings |= {"missing_index": len(missing)}
    figures = Figures(
        now=datetime.now(UTC),
        total=counts.total,
        linked=counts.linked,
        last_sync=last and last.ended_at,
        operations=max(counts.linked, failed) if operations is None else operations,
        failed=failed,
        market=market(transaction),
        findings=findings,
    )
    health, issues = judge(figures, settings().thresholds, language)
    said_where_any = {"remedies": remedies(issues, tenant_id, language), "counted_at": _utc(counts.counted_at)}
    return {
        "total_customers": counts.total,
        "linked_customers": counts.linked,
        "unlinked_customers": counts.total - counts.linked,
        "link_rate": float(counts.link_rate),
        "last_sync": _utc(figures.last_sync),
        "sync_health": health,
        "issues": [*issues.values()],
        "causes": [*issues],
    } | {name: value for name, value in said_where_any.items() if value}


def _left_by(run: Completed) -> _Counts | None:
    """What a run over everybody counted, where they are very many."""
    if not run.total or run.total <= MOST_COUNTED or run.findings is None:
        return None
    return _Counts(run.total, run.linked or 0, run.link_rate or Decimal(0), json.loads(run.findings), run.ended_at)


def _counted(transaction: Transaction, tenant_id: int | None) -> _Counts:
    return _Counts(*link_counts(transaction, tenant_id), finding_counts(transaction, tenant_id))


def _utc(moment: datetime | None) -> str | None:
    """A time as the JSON has it: ISO 8601 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
