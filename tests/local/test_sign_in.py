"""The link that `make run` prints."""

import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from crm_services.http.cookie import session_cookie
from crm_services.http.session import session_of
from local.environment import ROOT
from local.gateway import Gateway
from local.people import MINE_OWNER
from local.sign_in import PATH, SignIn, link
from tests.local.test_run import Run, checkout, given  # noqa: F401 (fixtures)
from tests.support.given import SECRET


@pytest.fixture
def browser(environment: pytest.MonkeyPatch) -> WsgiClient:
    return WsgiClient(SignIn(Gateway(ROOT / "template.yaml")), use_cookies=False)


def test_the_link_signs_the_account_in_and_goes_on_to_the_panel(browser: WsgiClient) -> None:
    answer = browser.get(link(MINE_OWNER))
    cookie, *attributes = answer.headers["Set-Cookie"].split("; ")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/crm/hosting")
    now = time.time()
    assert session_of(session_cookie([cookie], "session"), [SECRET], now, 60).user_id == MINE_OWNER.id
    assert "HttpOnly" in attributes


@pytest.mark.parametrize("signed", ["", "1", "MQ", "MQ.c2lnbmVkLWJ5LW5vYm9keQ"])
def test_nobody_else_can_make_a_link(browser: WsgiClient, signed: str) -> None:
    answer = browser.get(PATH + signed)

    assert (answer.status_code, "Set-Cookie" in answer.headers) == (404, False)


def test_make_run_prints_a_link_that_its_server_takes(
    checkout: Path,  # noqa: F811
    environment: pytest.MonkeyPatch,
) -> None:
    run = Run(checkout, SESSION_SECRET=SECRET)
    assert run.url, run.said
    connection = HTTPConnection(run.url.removeprefix("http://"), timeout=30)
    connection.request("GET", link(MINE_OWNER))
    answer = connection.getresponse()
    connection.close()

    assert (answer.status, answer.getheader("Location")) == (303, "/crm/hosting")
    assert run.end() == 0
    assert f"  {run.url}{link(MINE_OWNER)}" in run.said


def test_a_server_on_a_database_that_is_given_has_no_such_link(given: Run) -> None:  # noqa: F811
    assert given.ask(link(MINE_OWNER))[0] == 404
    assert PATH not in "\n".join(given.said)


def test_nothing_of_it_is_deployed() -> None:
    deployed = [ROOT / "template.yaml", *ROOT.glob("shared/**/*"), *ROOT.glob("functions/**/*")]

    for path in deployed:
        if path.is_file() and path.suffix in {".py", ".yaml", ".txt", ".sql", ".js", ".html", ".css", ".svg", ""}:
            assert PATH.encode() not in path.read_bytes(), path
            assert b"import local" not in path.read_bytes(), path
            assert b"from local" not in path.read_bytes(), path
