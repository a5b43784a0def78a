"""The one door for the contract: what the hosting side knows of a CRM customer, and how it is written back."""

import json
from collections.abc import Callable
from typing import Any

from crm_services.access.entry import Caller
from crm_services.base.messages import Language
from crm_services.fleet.miners import miners_page_json
from crm_services.fleet.stats import hosting_stats_json
from crm_services.links.matching import linked_account
from crm_services.postgres.database import Transaction


class CRMHostingIntegrationService:
    """The contract's six methods, within one transaction and so within one caller's scope.

    What the contract does not know has a door in its own room.
    """

    def __init__(self, transaction: Transaction, caller: Callable[[], Caller]) -> None:
        self._transaction = transaction
        self._caller = caller

    def get_linked_user_access(self, customer_id: int) -> int | None:
        """The id of the account that the customer is linked to, or None."""
        return linked_account(self._transaction, customer_id)

    def get_customer_hosting_stats(self, customer_id: int) -> dict[str, Any]:
        """The customer's fleet in figures, as `HostingStatsSchema`; zeros where it is not linked.

        Raises NotFound where there is no such customer in the caller's scope.
        """
        stats: dict[str, Any] = json.loads(hosting_stats_json(self._transaction, customer_id))
        return stats

    def get_customer_miners_list(self, customer_id: int, status: str | None = None) -> list[dict[str, Any]]:
        """The customer's miners, newest first, as `MinerDataSchema`; empty where it is not linked."""
        miners, after = [], None
        while True:
            page, after = miners_page_json(self._transaction, customer_id, status, after)
            miners += json.loads(page)
            if after is None:
                return miners

    def sync_customer_from_hosting(self, customer_id: int) -> bool:
        """Write the fleet's figures into the CRM's record; False where there is nothing hosted to write.

        Raises CustomerBusy while somebody else has the record locked, CustomerRefused where the CRM does not take it.
        """
        from crm_services.sync.customer import sync_customer  # noqa: PLC0415 (reads never import the sync)

        return sync_customer(self._transaction, customer_id)

    def sync_all_customers(self) -> dict[str, int]:
        """Bring every customer in the caller's scope up to date: total, synced, skipped, errors."""
        from crm_services.sync.requested import run_requested  # noqa: PLC0415 (reads never import the batch)

        return run_requested(self._transaction, self._caller()).result

    def get_sync_status(self, language: Language = "zh") -> dict[str, Any]:
        """How well CRM and hosting agree in the caller's scope, as `SyncStatusSchema`."""
        from crm_services.health.status import sync_status  # noqa: PLC0415 (nobody else asks for it)

        return sync_status(self._transaction, self._caller, language)
