"""The lease on a scope's run: who has it may write, and whoever lets it go cold loses it."""

from dataclasses import dataclass
from secrets import token_hex
from typing import Literal

from crm_services.base.errors import Conflict
from crm_services.base.settings import settings
from crm_services.postgres.database import Transaction
from crm_services.sync.counts import ADDED, COUNTED, SUMS, Counts

Origin = Literal["schedule", "request", "console"]
# `running`: it goes on elsewhere. `abandoned`: nobody was at work on it any more, and another took its place.
State = Literal["completed", "partial", "running", "failed", "abandoned"]

# A start that is under way in another transaction is not waited for.
LOCK_SCOPE = """
select pg_try_advisory_xact_lock(hashtextextended('crm_hosting.runs', coalesce(:tenant_id::integer, 0)))
"""

# Of every scope, so that no run is left that only looks alive; one whose row is locked is at work.
ABANDON_DEAD_RUNS = f"""
with dead as materialized (
  select id from crm_hosting.runs
  where state = 'running' and heartbeat_at <= clock_timestamp() - make_interval(secs => :dead_after::double precision)
  for update skip locked
), ranges as (
  delete from crm_hosting.run_ranges g using dead where g.run_id = dead.id returning g.*
)
update crm_hosting.runs r
set state = 'abandoned', ended_at = clock_timestamp(), {ADDED}
from dead
cross join lateral (select {SUMS} from ranges g where g.run_id = dead.id) done
where r.id = dead.id
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

_IS_MINE = "id = :run_id::bigint and token = :token::integer and state = 'running'"

# The heartbeat. It locks the run's row, so no chunk's transaction has it: workers would wait for each other.
BEAT = f"update crm_hosting.runs set heartbeat_at = clock_timestamp() where {_IS_MINE} returning cursor"

# The fence: nobody ends the run or hands it on while a chunk's transaction has it. No row: taken over.
HOLD_RUN = f"select from crm_hosting.runs where {_IS_MINE} for key share"

# Waits until no chunk is under way; what comes after it sees what they counted.
LOCK_RUN = "select from crm_hosting.runs where id = :run_id::bigint for update"

# With the same claim twice is once.
HAND_ON_RUN = """
update crm_hosting.runs set token = :token::integer + 1, claim = :claim::text, heartbeat_at = clock_timestamp()
where id = :run_id::bigint and state = 'running'
  and (token = :token::integer or (token = :token::integer + 1 and claim = :claim::text))
returning token
"""

# Twice is once, by the same claim: the answer to the first may have been lost. Returns the run's seconds, what its
# ranges have of links, which the second time is nothing, and its counts. Where that column has yet to be made no chunk
# succeeds; but the run has an end.
END_RUN = f"""
with ranges as (
  delete from crm_hosting.run_ranges where run_id = :run_id::bigint returning *
)
update crm_hosting.runs r
set state = :state::text, failure = :failure::text, ended_at = coalesce(ended_at, clock_timestamp()),
    claim = :claim::text, {ADDED}
from (select {SUMS}, coalesce(jsonb_agg(to_jsonb(ranges) -> 'links'), '[]')::text as links from ranges) done
where id = :run_id::bigint and token = :token::integer
  and (state = 'running' or (state = :state::text and claim = :claim::text))
returning extract(epoch from ended_at - started_at)::double precision, done.links,
          {", ".join(f"r.{name}" for name in COUNTED)}
"""

STANDING = "select state, token, tenant_id from crm_hosting.runs where id = :run_id::bigint"


class TakenOver(Conflict):
    """Another worker has this run now, or it has ended."""


@dataclass(frozen=True)
class Lease:
    """A run of a scope (`tenant_id` None: every customer) and the token that is its fence."""

    run_id: int
    token: int
    tenant_id: int | None

    def beat(self, transaction: Transaction) -> int:
        """Show that the worker lives, and have the run's row to oneself for this transaction, which is to be short.

        Returns the id of the customer up to whom there are ranges; raises TakenOver where the lease is another's.
        """
        rows = transaction.rows(BEAT, run_id=self.run_id, token=self.token)
        if not rows:
            raise TakenOver
        cursor: int = rows[0][0]
        return cursor

    def hold(self, transaction: Transaction) -> None:
        """Keep the lease for this transaction, beside other workers; raises TakenOver as `beat`."""
        if not transaction.rows(HOLD_RUN, run_id=self.run_id, token=self.token):
            raise TakenOver

    def pass_on(self, transaction: Transaction, claim: str) -> "Lease":
        """The lease for whoever goes on; the present one is worth nothing any more. Raises TakenOver as `beat`."""
        transaction.rows(LOCK_RUN, run_id=self.run_id)
        rows = transaction.rows(HAND_ON_RUN, run_id=self.run_id, token=self.token, claim=claim)
        if not rows:
            raise TakenOver
        return Lease(self.run_id, rows[0][0], self.tenant_id)

    def end(
        self, transaction: Transaction, state: str, failure: str | None = None, claim: str | None = None
    ) -> tuple[float, Counts, str]:
        """End the run; how many seconds it took, its counts, and the links of its ranges as a JSON array.

        Raises TakenOver where somebody else has ended it.
        """
        transaction.rows(LOCK_RUN, run_id=self.run_id)
        given = {"run_id": self.run_id, "token": self.token, "state": state, "failure": failure, "claim": claim}
        rows = transaction.rows(END_RUN, **given)
        if not rows:
            raise TakenOver
        seconds, links, *counts = rows[0]
        return seconds, Counts(*counts), links


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


def join(transaction: Transaction, run_id: int, token: int) -> Lease:
    """A part in the work on a run that is under way; raises TakenOver where it has ended, or that is not its token."""
    rows = transaction.rows(STANDING, run_id=run_id)
    if not rows or (rows[0][0], rows[0][1]) != ("running", token):
        raise TakenOver
    return Lease(run_id, token, rows[0][2])


def state_of(transaction: Transaction, run_id: int) -> State:
    """How the run stands, or ended; raises TakenOver where it is not known any more."""
    rows = transaction.rows(STANDING, run_id=run_id)
    if not rows:
        raise TakenOver
    state: State = rows[0][0]
    return state
