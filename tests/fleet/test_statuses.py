"""The words that the CRM writes for a machine's status, and what they count as."""

import pytest

from local import crm_rows
from tests.support.client import Client, data
from tests.support.crm import Crm


def statuses(client: Client, crm: Crm, words: list[str]) -> tuple[dict[str, int], dict[str, list[str]], set[str]]:
    """By status: the machines in the figures, the names in the list of each; and what the batch found."""
    admin, account = crm.account(role="admin"), crm.account("words@example.com")
    for word in words:
        crm.miners(account, 10, custom_name=f"[{word}]", status=word)
    path = f"/crm/api/customer/{crm.customer('words@example.com')}"
    by_status = data(client.get(f"{path}/hosting-stats", admin))["by_status"]
    listed = {
        status: [one["name"] for one in reversed(data(client.get(f"{path}/hosting-miners?status={status}", admin)))]
        for status in by_status
    }
    data(client.post("/crm/api/sync-all-hosting", admin))
    return by_status, listed, {kind for (kind,) in crm.db.run("select kind from crm_hosting.findings")}


def test_the_autosaves_words_count_as_what_they_mean(client: Client, crm: Crm) -> None:
    by_status, listed, findings = statuses(client, crm, ["online", "manual", "error", "offline", "maintenance"])

    assert by_status == {"active": 20, "offline": 20, "maintenance": 10, "sold": 0}
    assert listed["active"] == ["[online]", "[manual]"]
    assert listed["offline"] == ["[error]", "[offline]"]
    assert findings == set()


def test_the_hosting_modules_words_do_too(client: Client, crm: Crm) -> None:
    by_status, _, findings = statuses(client, crm, list(crm_rows.HOSTED_STATUSES))

    assert by_status == {"active": 20, "offline": 40, "maintenance": 10, "sold": 0}
    assert findings == set()


@pytest.mark.parametrize("word", [" Online", "MANUAL\t", "\u200bonline\u2003", "mAnUaL\ufeff", "active\u0085"])
def test_a_word_is_compared_without_what_nobody_sees_and_in_any_case(client: Client, crm: Crm, word: str) -> None:
    by_status, listed, findings = statuses(client, crm, [word])

    assert (by_status["active"], listed["active"], findings) == (10, [f"[{word}]"], set())


@pytest.mark.parametrize("word", ["", "on line", "manually", "ONLİNE", "running", "0"])
def test_a_word_that_nobody_knows_is_offline_and_found(client: Client, crm: Crm, word: str) -> None:
    by_status, _, findings = statuses(client, crm, [word])

    assert (by_status["offline"], findings) == (10, {"unknown_status"})
