"""Which language a text is in: the CRM's session says so, and where it does not, the browser."""

import time
from typing import Any

import pytest

from local.cookies import session_cookie
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.given import SECRET

STATUS = "/crm/api/sync-status"
ZH, EN = "同步记录不存在", "There is no such run"
MISSING = "/crm/api/sync-runs/1"
PANEL = "/crm/hosting"


def cookie(user: int, **session: Any) -> str:
    return f"session={session_cookie(SECRET, user, **session)}"


def error(client: Client, user: int, accepted: str = "", path: str = MISSING, **session: Any) -> str:
    """What the API says to a session that holds this, in a browser that prefers that."""
    body = client.get(path, Cookie=cookie(user, **session), accept_language=accepted).json
    assert body is not None
    return str(body["error"])


@pytest.fixture
def user(crm: Crm) -> int:
    return crm.account(role="admin")


def test_the_session_s_language_counts_and_not_the_browser_s(client: Client, user: int) -> None:
    assert error(client, user, "en-GB,en", language="zh") == ZH
    assert error(client, user, "zh-CN", language="en") == EN
    assert error(client, user, "zh-CN", language="en_US", pad="x" * 2000) == EN  # a session that Flask compresses


@pytest.mark.parametrize("language", [None, "", "fr", 1, ["zh"], {"zh": "en"}, True, "zhongwen", " "])
def test_a_session_that_names_none_of_ours_leaves_it_to_the_browser(client: Client, user: int, language: Any) -> None:
    assert error(client, user, "en", language=language) == EN
    assert error(client, user, "zh", language=language) == ZH
    assert error(client, user, "en") == EN


def test_whoever_has_no_session_that_counts_is_told_in_the_browser_s_language(client: Client, user: int) -> None:
    forged = f"session={session_cookie('somebody-else', user, language='zh')}"

    for sent in ("", forged):
        answer = client.get(MISSING, Cookie=sent, accept_language="en")
        assert answer.json == {"success": False, "error": "Not logged in, or the session has expired"}


def test_an_account_that_may_not_ask_is_told_so_in_its_session_s_language(client: Client, crm: Crm) -> None:
    guest = crm.account(role="guest")

    assert error(client, guest, "en", STATUS, language="zh") == "无权访问该资源"


def test_the_sync_button_speaks_the_session_s_language(client: Client, crm: Crm, user: int) -> None:
    crm.snapshot()
    linked, lonely = crm.linked_customer(user), crm.customer("nobody@example.com", user)
    said = {
        (customer, language): client.post(
            f"/crm/api/customer/{customer}/sync-hosting", Cookie=cookie(user, language=language), accept_language="de"
        ).json
        for customer in (linked, lonely)
        for language in ("zh", "en")
    }

    assert said == {
        (linked, "zh"): {"success": True, "message": "托管数据同步成功"},
        (linked, "en"): {"success": True, "message": "Hosting data synchronised"},
        (lonely, "zh"): {"success": False, "error": "未找到关联的托管账户或无矿机数据"},
        (lonely, "en"): {"success": False, "error": "No linked hosting account, or it has no miners"},
    }


def test_whoever_asks_for_a_language_gets_it(client: Client, user: int) -> None:
    assert error(client, user, "zh", f"{MISSING}?lang=en", language="zh") == EN
    assert error(client, user, "en", f"{MISSING}?lang=fr", language="zh") == ZH


def test_one_caller_s_language_is_not_the_next_one_s(client: Client, user: int) -> None:
    assert error(client, user, "en", language="zh") == ZH
    assert error(client, user, "en") == EN


@pytest.mark.parametrize(
    ("sent", "language"),
    [
        ({"language": "zh"}, "zh"),
        ({"language": "en"}, "en"),
        ({"language": "en", "pad": "x" * 2000}, "en"),
        ({}, "zh"),
        ({"language": ["en"]}, "zh"),
    ],
)
def test_a_page_of_the_panel_starts_in_the_session_s_language(client: Client, sent: Any, language: str) -> None:
    page = client.get(PANEL, Cookie=cookie(1, **sent), accept_language="zh")

    assert f'<html lang="{language}">' in page.get_data(as_text=True)
    assert "Cookie" in page.headers["Vary"]


@pytest.mark.parametrize("odd", ["", ".", "..", ".AAAA", "é", "W1tb" * 2000, "eyJ.x", "e30", ".eJw", "x" * 9000])
def test_a_cookie_that_is_none_leaves_the_page_to_the_browser(client: Client, odd: str) -> None:
    page = client.get(PANEL, Cookie=f"session={odd}", accept_language="en")

    assert (page.status_code, '<html lang="en">' in page.get_data(as_text=True)) == (200, True)


def test_the_cookie_has_the_name_and_the_session_the_lifetime_that_the_deployment_says(
    client: Client, user: int, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SESSION_COOKIE", "crm_login")
    environment.setenv("SESSION_HOURS", "720")
    old = session_cookie(SECRET, user, at=time.time() - 29 * 86_400)

    assert client.get(STATUS, Cookie=f"session=x; crm_login={old}").status_code == 200
    assert client.get(STATUS, Cookie=f"session={old}").status_code == 401
    older = session_cookie(SECRET, user, at=time.time() - 31 * 86_400)
    assert client.get(STATUS, Cookie=f"crm_login={older}").status_code == 401
    page = client.get(PANEL, Cookie=f"crm_login={session_cookie(SECRET, user, language='en')}")
    assert '<html lang="en">' in page.get_data(as_text=True)
