"""The lease on a scope's run: who has it may write, and whoever lets it go cold loses it."""

from dataclasses import dataclass
from secrets import token_hex
from typing import Literal

from crm_services.base.errors import Conflict
from crm_services.base.settings import settings
from crm_services.postgres.database import Transaction

Origin = Literal["schedule", "request", "console"]
# `running`: it was handed over and goes on elsewhere.
State = Literal["completed", "partial", "running", "failed"]

# A start that is under way in another transaction is not waited for.
LOCK_SCOPE = """
select pg_try_advisory_xact_lock(hashtextextended('crm_hosting.runs', coalesce(:tenant_id::integer, 0)))
"""

# Of every scope, so that no run is left that only looks alive; one whose row is locked is at work.
ABANDON_DEAD_RUNS = """
update crm_hosting.runs set state = 'abandoned', ended_at = clock_timestamp()
where id in (
  select id from crm_hosting.runs
  where state = 'running' and heartbeat_at <= clock_timestamp() - make_interval(secs => :dead_after::double precision)
  for update skip locked)
"""

# No row where the scope has a living run. (`on conflict` would wait for a worker that is in the midst of a chunk.)
START_RUN = """
insert into crm_hosting.runs (tenant_id, origin, started_by, claim)
select :tenant_id::integer, :origin::text, :started_by::integer, :claim::text
where not exists (
  select from crm_hosting.runs where state = 'running' and coalesce(tenant_id, 0) = coalesce(:tenant_id::integer, 0))
returning id, token
"""

# The run that was started with this claim, and whose answer was lost.
CLAIMED_RUN = """
select id, token from crm_hosting.runs where claim = :claim::text and state = 'running'
"""

# The fence and the heartbeat in one: it locks the run's row for the rest of the transaction. No row: taken over.
HOLD_RUN = """
update crm_hosting.runs set heartbeat_at = clock_timestamp()
where id = :run_id::bigint and token = :token::integer and state = 'running'
returning cursor
"""

# With the same claim twice is once.
HAND_ON_RUN = """
update crm_hosting.runs set token = :token::integer + 1, claim = :claim::text, heartbeat_at = clock_timestamp()
where id = :run_id::bigint and state = 'running'
  and (token = :token::integer or (token = :token::integer + 1 and claim = :claim::text))
returning token, tenant_id
"""

# Twice is once: the answer to the first may have been lost. Returns how many seconds the run took.
END_RUN = """
update crm_hosting.runs
set state = :state::text, failure = :failure::text, ended_at = coalesce(ended_at, clock_timestamp())
where id = :run_id::bigint and token = :token::integer and state in ('running', :state::text)
returning extract(epoch from ended_at - started_at)::double precision
"""


class TakenOver(Conflict):
    """Another worker has this run now, or it has ended."""


@dataclass(frozen=True)
class Lease:
    """A run of a scope (`tenant_id` None: every customer) and the token that is its fence."""

    run_id: int
    token: int
    tenant_id: int | None

    def hold(self, transaction: Transaction) -> int:
        """Keep the lease for this transaction, and show that the worker lives.

        Returns the id of the customer up to whom the run is done; raises TakenOver where the lease is another's.
        """
        rows = transaction.rows(HOLD_RUN, run_id=self.run_id, token=self.token)
        if not rows:
            raise TakenOver
        cursor: int = rows[0][0]
        return cursor

    def pass_on(self, transaction: Transaction, claim: str) -> "Lease":
        """The lease for whoever goes on; the present one is worth nothing any more."""
        return resume(transaction, self.run_id, self.token, claim)

    def end(self, transaction: Transaction, state: str, failure: str | None = None) -> float:
        """End the run; how many seconds it took. Raises TakenOver as `hold`."""
        rows = transaction.rows(END_RUN, run_id=self.run_id, token=self.token, state=state, failure=failure)
        if not rows:
            raise TakenOver
        seconds: float = rows[0][0]
        return seconds


def new_claim() -> str:
    """What whoever takes a lease names himself, to know it again where the answer was lost."""
    return token_hex(8)


def take(
    transaction: Transaction, tenant_id: int | None, origin: Origin, started_by: int | None, claim: str | None = None
) -> Lease:
    """Start a run of the scope; raises Conflict, without waiting, while another one of it is alive.

    Asked again with the same claim it is the same run.
    """
    if not transaction.value(LOCK_SCOPE, tenant_id=tenant_id):
        raise Conflict
    transaction.rows(ABANDON_DEAD_RUNS, dead_after=settings().run_dead_after_seconds)
    rows = transaction.rows(
        START_RUN, tenant_id=tenant_id, origin=origin, started_by=started_by, claim=claim
    ) or transaction.rows(CLAIMED_RUN, claim=claim)
    if not rows:
        raise Conflict
    return Lease(rows[0][0], rows[0][1], tenant_id)


def resume(transaction: Transaction, run_id: int, token: int, claim: str | None = None) -> Lease:
    """Go on with a run that was handed over with this token: whoever comes first with it, once."""
    rows = transaction.rows(HAND_ON_RUN, run_id=run_id, token=token, claim=claim)
    if not rows:
        raise TakenOver
    return Lease(run_id, rows[0][0], rows[0][1])
