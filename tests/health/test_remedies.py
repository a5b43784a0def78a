"""What sync-status says to do about a cause that no list of customers leads to."""

import re
from typing import get_args

import pytest
from pg8000.native import Connection

from crm_services.base.messages import TEXTS
from crm_services.fleet.customers import Finding
from crm_services.health.remedies import REMEDIES
from local.environment import ROOT
from tests.support.client import Client, data
from tests.support.crm import Crm

PATH = "/crm/api/sync-status"
# The causes that have a list of their own: of links in a state, of customers with a finding, of a run's failures.
LISTED = {"link_rate_low", "ambiguous_email", "link_lost", "account_gone", "shared_account", "shared_across_owners",
          *get_args(Finding), "error_rate_high", "customers_failed"}  # fmt: skip


def test_without_a_market_and_a_run_an_owner_hears_what_he_can_do_and_who_sees_all_where_to_look(
    client: Client, crm: Crm
) -> None:
    owner, admin = crm.account(role="mining_site_owner"), crm.account(role="admin")
    crm.linked_customer(owner)

    told = {who: data(client.get(PATH, who, accept_language="en")) for who in (owner, admin)}

    for status in told.values():
        assert status["causes"] == [*status["remedies"]] == ["never_synced", "market_missing"]
    assert all("administrator" in sentence for sentence in told[owner]["remedies"].values())
    assert "SyncAgeAlarm" in told[admin]["remedies"]["never_synced"]
    assert "MarketSecretArn" in told[admin]["remedies"]["market_missing"]
    chinese = data(client.get(PATH, admin))["remedies"]
    assert [*chinese] == [*told[admin]["remedies"]]
    assert all(re.search("[一-龥]", sentence) for sentence in chinese.values())


@pytest.mark.parametrize("role", ["admin", "mining_site_owner"])
def test_implausible_market_data_come_with_what_to_do(client: Client, crm: Crm, role: str) -> None:
    who = crm.account(role=role)
    crm.snapshot(network_difficulty=1e-6, price=1e9)

    status = data(client.get(PATH, who, accept_language="en"))

    assert {"usd_implausible", "btc_implausible"} <= set(status["remedies"]) <= set(status["causes"])


def test_a_missing_index_leads_to_the_migration(client: Client, crm: Crm, owner: Connection) -> None:
    owner.run("drop index crm_hosting_customer_owner")

    assert "docs/deploy.md" in data(client.get(PATH, crm.account(role="admin")))["remedies"]["missing_index"]


def test_where_all_is_well_nothing_is_said(client: Client, crm: Crm) -> None:
    admin = crm.account(role="admin")
    crm.snapshot()
    crm.linked_customer()
    client.post("/crm/api/sync-all-hosting", admin)

    assert "remedies" not in data(client.get(PATH, admin))


def test_every_cause_has_a_list_or_a_remedy_and_what_a_remedy_names_is_there() -> None:
    names = [*TEXTS]
    causes = names[names.index("link_rate_low") : names.index("missing_index") + 1]
    told = [TEXTS[f"{remedy}_{who}"] for remedy in set(REMEDIES.values()) for who in ("all", "owner")
            if (remedy, who) != ("migrate", "owner")]  # fmt: skip

    assert set(causes) == LISTED | set(REMEDIES)
    for both in told:
        for file in re.findall(r"docs/\w+\.md", "".join(both)):
            assert (ROOT / file).exists()
    assert "## SyncAgeAlarm" in (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert "## 5. Migrate" in (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
