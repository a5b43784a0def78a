"""The one door to the domain: what the hosting side knows of a CRM customer, and how it is written back."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crm_services import queries
from crm_services.access import Caller
from crm_services.database import Transaction
from crm_services.errors import AccessDenied, BadParameter, CustomerBusy, CustomerRefused, NotFound, QueryFailed
from crm_services.health import Figures, judge
from crm_services.messages import Language
from crm_services.settings import settings

if TYPE_CHECKING:
    from crm_services.batch import Outcome

MINERS_LIMIT = 10_000
INCLUDED_MINERS = 200
# Lambda refuses an answer of over 6 MB, the envelope and what escaping the body adds included.
PAGE_BYTES = 5_000_000


class CRMHostingIntegrationService:
    """The contract's six methods, within one transaction and so within one caller's scope.

    Figures come out of PostgreSQL as JSON text; the methods that end in `_json` hand it on as it is, for HTTP.
    """

    def __init__(self, transaction: Transaction, caller: Callable[[], Caller]) -> None:
        self._transaction = transaction
        self._caller = caller

    def get_linked_user_access(self, customer_id: int) -> int | None:
        """The id of the account that the customer is linked to by e-mail, or None."""
        linked: int | None = self._transaction.value(
            queries.LINKED_ACCOUNT, customer_id=customer_id, link_any=settings().link_any
        )
        return linked

    def get_customer_hosting_stats(self, customer_id: int) -> dict[str, Any]:
        """The customer's fleet in figures, as `HostingStatsSchema`; zeros where it is not linked.

        Raises NotFound where there is no such customer in the caller's scope.
        """
        stats: dict[str, Any] = json.loads(self.hosting_stats_json(customer_id))
        return stats

    def hosting_stats_json(self, customer_id: int, include_miners: bool = False) -> str:
        """`get_customer_hosting_stats` as JSON text, if asked for with the first of its miners."""
        stats: str | None = self._transaction.value(
            queries.STATS, customer_id=customer_id, link_any=settings().link_any
        )
        if stats is None:
            raise NotFound("customer_not_found")
        if include_miners:
            miners, following = self.miners_page_json(customer_id, limit=INCLUDED_MINERS)
            return f'{stats[:-1]}, "miners": {miners}, "miners_next": {json.dumps(following)}}}'
        return stats

    def get_customer_miners_list(self, customer_id: int, status: str | None = None) -> list[dict[str, Any]]:
        """The customer's miners, newest first, as `MinerDataSchema`; empty where it is not linked."""
        miners, after = [], None
        while True:
            page, after = self.miners_page_json(customer_id, status, after)
            miners += json.loads(page)
            if after is None:
                return miners

    def miners_page_json(
        self,
        customer_id: int,
        status: str | None = None,
        after: int | None = None,
        limit: int = MINERS_LIMIT,
    ) -> tuple[str, int | None]:
        """One page of the miners as a JSON array, and the id to go on after (None at the end).

        Raises BadParameter where `after` is not the id of one of the customer's miners.
        """
        page, following, is_known = self._transaction.row(
            queries.MINERS,
            customer_id=customer_id,
            link_any=settings().link_any,
            status=status,
            after=after,
            limit=limit,
        )
        if not is_known:
            raise BadParameter(name="after")
        if (size := _size_in_an_answer(page)) > PAGE_BYTES:  # very long names
            return self.miners_page_json(customer_id, status, after, limit * PAGE_BYTES // size)
        return page, following

    def customers_page_json(
        self, customer_id: int | None, search: str | None, after: str | None, limit: int
    ) -> tuple[str, str | None]:
        """One page of the customers in scope as a JSON array, most profit first, and what to go on after."""
        profit, _, last_id = (after or ":").partition(":")
        page, next_profit, next_id = self._transaction.row(
            queries.CUSTOMERS,
            customer_id=customer_id,
            search=search,
            after_profit=profit or None,
            after_id=last_id or None,
            limit=limit,
            link_any=settings().link_any,
        )
        return page, None if next_id is None else f"{'' if next_profit is None else next_profit}:{next_id}"

    def sync_customer_from_hosting(self, customer_id: int) -> bool:
        """Write the fleet's figures into the CRM's record; False where there is nothing hosted to write.

        Raises CustomerBusy while somebody else has the record locked, CustomerRefused where the CRM does not take it.
        """
        from crm_services import sync  # noqa: PLC0415 (reads never import the sync)

        with _refused_by_the_crm():
            done = sync.sync_one(self._transaction, customer_id)
        if done.locked:
            raise CustomerBusy
        return bool(done.due)

    def preview_customer_sync(self, customer_id: int) -> dict[str, Any] | None:
        """What the sync would change, field by field, before and after; None where there is nothing hosted to write."""
        from crm_services import sync  # noqa: PLC0415 (reads never import the sync)

        with _refused_by_the_crm():
            preview = sync.preview_one(self._transaction, customer_id)
        if not preview.due:
            return None
        changed: list[dict[str, Any]] = json.loads(preview.changes)
        return changed[0]["changes"] if changed else {}

    def sync_all_customers(self) -> dict[str, int]:
        """Bring every customer in the caller's scope up to date: total, synced, skipped, errors."""
        return self.run_batch().result

    def run_batch(self, has_time: Callable[[], bool] = lambda: True) -> "Outcome":
        """Run the batch over the caller's scope; what is left when the time is up goes to the function for it.

        Each chunk is a transaction of its own, so the caller's ends here.
        """
        from crm_services import batch, handover  # noqa: PLC0415 (reads never import the batch)

        self._transaction.commit()
        limit = batch.TimeLimit(has_time, handover.to_function(settings().sync_function))
        caller = self._caller()
        return batch.run(self._transaction.database, caller.tenant_id, "request", caller.user_id, limit)

    def preview_batch(self, has_time: Callable[[], bool] = lambda: True) -> dict[str, Any]:
        """What a batch over the caller's scope would change: its counts, and the first hundred changes."""
        from crm_services.preview import preview_batch  # noqa: PLC0415 (reads never import the batch)

        self._transaction.commit()
        return preview_batch(self._transaction.database, self._caller().tenant_id, has_time)

    def runs_page_json(self, before: int | None, limit: int) -> tuple[str, int | None]:
        """One page of the runs in the caller's scope as a JSON array, newest first, and what to go on before."""
        page, following = self._transaction.row(
            queries.RUNS,
            tenant_id=self._caller().tenant_id,
            before=before,
            limit=limit,
            dead_after=settings().run_dead_after_seconds,
        )
        return page, following

    def run_json(self, run_id: int, after: int | None, limit: int) -> tuple[str, int | None]:
        """A run with one page of the customers that it could not sync, as JSON text, and what to go on after.

        Raises NotFound where there is no such run, AccessDenied where it is another tenant's.
        """
        caller = self._caller()  # before anything is read that the transaction's scope does not hide
        rows = self._transaction.rows(
            queries.RUN, run_id=run_id, after=after, limit=limit, dead_after=settings().run_dead_after_seconds
        )
        if not rows:
            raise NotFound("run_not_found")
        [(tenant_id, run, following)] = rows
        if caller.tenant_id not in {None, tenant_id}:
            raise AccessDenied
        return run, following

    def get_sync_status(self, language: Language = "zh") -> dict[str, Any]:
        """How well CRM and hosting agree in the caller's scope: counts, link rate in percent, health and its issues."""
        self._transaction.rows(queries.PREPARE_COUNT)
        total, linked, link_rate = self._transaction.row(queries.LINK_COUNTS, link_any=settings().link_any)
        runs = self._transaction.rows(queries.LAST_COMPLETED_RUN, tenant_id=self._caller().tenant_id)
        last_sync, operations, failed = runs[0] if runs else (None, 0, 0)
        figures = Figures(
            now=datetime.now(UTC),
            total=total,
            linked=linked,
            last_sync=last_sync,
            operations=max(linked, failed) if operations is None else operations,
            failed=failed,
            market_as_of=self._transaction.value(queries.MARKET_TIME),
            findings={str(kind): int(count) for kind, count in self._transaction.rows(queries.FINDING_COUNTS)},
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


def _size_in_an_answer(body: str) -> int:
    """The bytes of a body in Lambda's answer, which holds it as a string of JSON."""
    if len(body) * 4 <= PAGE_BYTES:  # no character takes more
        return 0
    return len(json.dumps(body, ensure_ascii=False).encode())


@contextmanager
def _refused_by_the_crm() -> Iterator[None]:
    try:
        yield
    except QueryFailed as error:
        if error.is_fault_of_a_row:
            raise CustomerRefused from error
        raise
