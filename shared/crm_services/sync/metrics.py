"""What a run tells CloudWatch: one line in the embedded metric format, on stdout."""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from crm_services.sync.counts import Counts
from crm_services.sync.lease import State
from crm_services.sync.shared import Doubts

NAMESPACE = "CrmHosting"


def publish_run(  # noqa: PLR0913, PLR0917 (each is a thing that a run has to say)
    run_id: int,
    tenant_id: int | None,
    state: State,
    counts: Counts | None,
    seconds: float,
    doubts: Doubts | None = None,
    needing_attention: int | None = None,
) -> None:
    """Publish a run that has ended, in whatever state; counts are None where the database no longer tells them.

    A tenant's run has the dimension `scope`, which makes it another metric to CloudWatch: the alarms watch the runs
    over every customer alone, and these alone know how many customers need attention. A rate without a denominator is
    left out: none is better than one that is made up.
    """
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    if tenant_id is not None:
        metrics.add_dimension("scope", "tenant")
    metrics.add_metric("BatchSyncCompleted", MetricUnit.Count, int(state == "completed"))
    metrics.add_metric("SyncDuration", MetricUnit.Seconds, round(seconds, 3))
    if counts:
        metrics.add_metric("CustomersTotal", MetricUnit.Count, counts.total)
        metrics.add_metric("CustomersLinked", MetricUnit.Count, counts.linked)
        metrics.add_metric("CustomersSynced", MetricUnit.Count, counts.synced)
        metrics.add_metric("CustomersSkipped", MetricUnit.Count, counts.skipped)
        metrics.add_metric("LinksLost", MetricUnit.Count, counts.lost)
        metrics.add_metric("SyncErrors", MetricUnit.Count, counts.errors)
    # Of a run that stopped halfway they would be the rates of the oldest customers.
    if counts and state == "completed":
        if counts.total:
            metrics.add_metric("LinkRate", MetricUnit.Percent, 100 * counts.linked / counts.total)
        if operations := counts.synced + counts.errors:
            metrics.add_metric("SyncErrorRate", MetricUnit.Percent, 100 * counts.errors / operations)
    if doubts is not None:
        metrics.add_metric("LinksAmbiguous", MetricUnit.Count, doubts.ambiguous)
        metrics.add_metric("LinksShared", MetricUnit.Count, doubts.shared)
    if needing_attention is not None:
        metrics.add_metric("CustomersNeedingAttention", MetricUnit.Count, needing_attention)
    metrics.add_metadata("run_id", run_id)
    metrics.add_metadata("state", state)
    metrics.flush_metrics()
