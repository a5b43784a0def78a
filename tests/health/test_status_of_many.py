"""What sync-status counts: everything, now, or what the last run over everybody counted, and when that was."""

import pytest

from crm_services.health import status
from tests.support.client import Client, data
from tests.support.crm import Crm

PATH = "/crm/api/sync-status"


@pytest.fixture
def admin(client: Client, crm: Crm) -> int:
    """Who sees all; three customers, of whom two are linked and one has an unusable figure, are synced."""
    admin = crm.account(role="admin")
    crm.snapshot()
    crm.linked_customer()
    crm.linked_customer(electricity_cost=-1)
    crm.customer("nobody@example.com")
    data(client.post("/crm/api/sync-all-hosting", admin))
    return admin


def told(client: Client, who: int) -> tuple[int, int, str | None]:
    answer = data(client.get(PATH, who))
    return answer["total_customers"], answer["linked_customers"], answer.get("counted_at")


def test_a_customer_that_came_was_linked_or_went_since_the_last_run_counts(
    client: Client, crm: Crm, admin: int
) -> None:
    assert told(client, admin) == (3, 2, None)
    crm.linked_customer()
    assert told(client, admin) == (4, 3, None)
    crm.account("nobody@example.com")
    assert told(client, admin) == (4, 4, None)
    crm.db.run("delete from crm_customers where email = 'nobody@example.com'")
    assert told(client, admin) == (3, 3, None)


def test_of_very_many_customers_the_last_run_s_counts_are_told_with_their_time(
    client: Client, crm: Crm, admin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = data(client.get(PATH, admin))
    monkeypatch.setattr(status, "MOST_COUNTED", 2)
    later = data(client.get(PATH, admin))
    assert later.pop("counted_at") == later["last_sync"]
    assert later == now
    assert len(later["issues"]) == 1

    crm.linked_customer()
    assert told(client, admin) == (3, 2, now["last_sync"])
    data(client.post("/crm/api/sync-all-hosting", admin))
    assert told(client, admin)[:2] == (4, 3)


def test_a_tenant_and_who_has_seen_no_run_are_told_what_is_now(
    client: Client, crm: Crm, admin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "MOST_COUNTED", 0)
    owner = crm.account(role="mining_site_owner")
    crm.linked_customer(owner)
    assert told(client, owner) == (1, 1, None)
    crm.db.run("update crm_hosting.runs set findings = null")  # as an earlier version ended it
    assert told(client, admin) == (4, 3, None)
