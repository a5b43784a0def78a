"""What a person asks of the batch: a run or a preview of one, at a pace that costs nobody else."""

from collections.abc import Callable
from typing import Any

from crm_services.access.entry import Caller
from crm_services.base.errors import TooSoon
from crm_services.base.settings import settings
from crm_services.postgres.database import Database, Transaction, database
from crm_services.sync import handover
from crm_services.sync.batch import Outcome, TimeLimit, run
from crm_services.sync.patience import always
from crm_services.sync.preview import preview_batch
from crm_services.sync.scopes import newest, of_scope

# Looking whether anything has changed takes about as long as a run: where that is longer than this, nobody looks.
QUICK_SECONDS = 1.0

# The tenant's last run: how many seconds ago it began, and how many it took. No row where there was none, or it runs.
LAST_RUN = f"""
select extract(epoch from clock_timestamp() - r.started_at)::double precision,
       extract(epoch from r.ended_at - r.started_at)::double precision
from (
  select n.* from crm_hosting.runs n where {of_scope("n", ":tenant_id::integer")} order by {newest("n")} limit 1) r
where r.ended_at is not null
"""


def run_requested(transaction: Transaction, caller: Caller, has_time: Callable[[], bool] = always) -> Outcome:
    """Run the batch over the caller's scope; what is left when the time is up goes to the state machine for it.

    Each chunk is a transaction of its own, so the caller's ends here. Raises TooSoon within a tenant's pause between
    two runs, unless something has changed since the last one, and Conflict while another run of the scope is alive.
    """
    last = [] if caller.tenant_id is None else transaction.rows(LAST_RUN, tenant_id=caller.tenant_id)
    transaction.commit()
    for ago, seconds in last:
        pause = settings().run_pause_seconds - ago
        if pause > 0 and not (seconds < QUICK_SECONDS and _has_changed(database, caller)):
            raise TooSoon(seconds=max(1, round(pause)))
    limit = TimeLimit(has_time, handover.to_state_machine(settings().sync_state_machine, settings().batch_functions))
    return run(database, caller.tenant_id, "request", caller.user_id, limit)


def preview_requested(
    transaction: Transaction, caller: Caller, has_time: Callable[[], bool], after: int | None = None
) -> tuple[dict[str, Any], int | None]:
    """`preview_batch` over the caller's scope; its chunks have transactions of their own, so the caller's ends here."""
    transaction.commit()
    return preview_batch(database, caller.tenant_id, has_time, after)


def _has_changed(database: Database, caller: Caller) -> bool:
    counts, _ = preview_batch(database, caller.tenant_id, always)
    return bool(counts["changed"])
