"""`make run`'s server with a database of its own, and Debian's chromium to look at it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pg8000.native import Connection
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, sync_playwright

from crm_services.postgres.target import parse_database_url
from local import demo, past
from local.cookies import session_cookie
from local.environment import ROOT
from local.people import MINE_OWNER
from local.postgres import Server, connect, create_database
from tests.browser import people
from tests.support.given import SECRET

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
# As root it has no sandbox; nothing is to be fetched but from the server.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What of the page has moved without anybody's doing: a browser's own measure, 0 for a page that stands still.
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: "layout-shift", buffered: true });
"""
SCREENSHOTS = ROOT / ".screenshots"
DATABASE = "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=f"{CHROMIUM} is not installed (apt-get install chromium)"))


@pytest.fixture(scope="session")
def database_url(postgres: Server) -> str:
    """The demo's data and the customers that only tests need, all of them synced once."""
    create_database(postgres, DATABASE, template="template_crm")
    demo.load(postgres.url(DATABASE, "crm"))
    with connect(postgres.url(DATABASE, "crm")) as owner:
        people.add(owner)
    url = postgres.url(DATABASE, "crm_hosting")
    sync(url)
    past.invent(postgres.url(DATABASE, "crm"))
    sync(url)
    return url


def sync(database_url: str) -> None:
    """Run the daily batch on that database."""
    command = [sys.executable, "-m", "local.sync"]
    subprocess.run(command, cwd=ROOT, env=_environment(database_url), check=True, capture_output=True)


@pytest.fixture(scope="session")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `make run`'s server, on that database."""
    with serving(database_url, tmp_path_factory.mktemp("server") / "log") as address:
        yield address


@contextmanager
def serving(database_url: str, log: Path) -> Iterator[str]:
    """The address of a server on that database, which writes that log."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.run"],
            cwd=ROOT,
            env=_environment(database_url),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    while not (answers := re.search(r"answers at (http\S+?)\.? ", log.read_text(encoding="utf-8"))):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        time.sleep(0.1)
    yield answers[1]
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="session")
def database(postgres: Server, database_url: str) -> Iterator[Connection]:
    """A connection to that database as the CRM's own role."""
    with connect(postgres.url(parse_database_url(database_url).database, "crm")) as owner:
        yield owner


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody with a browser: opens pages, and notes what the browser complained of and whom it asked."""

    browser: Browser
    server: str
    contexts: list[BrowserContext]
    complaints: list[str]
    hosts: set[str]

    def open(
        self,
        path: str,
        user: int | None = MINE_OWNER.id,
        *,
        language: str = "en-US",
        width: int = 1280,
        wait: bool = True,
        **context: Any,
    ) -> Page:
        """The page, as that account and in that language, once it has settled."""
        as_usual = {"viewport": {"width": width, "height": 900}, "timezone_id": "UTC"}
        opened = self.browser.new_context(locale=language, **(as_usual | context))
        self.contexts.append(opened)
        if user is not None:
            opened.add_cookies([{"name": "session", "value": session_cookie(SECRET, user), "url": self.server}])
        page = opened.new_page()
        page.add_init_script(SHIFTS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._refuse)
        page.on("request", lambda request: self.hosts.add(request.url.partition("/crm/")[0]))
        page.goto(self.server + path)
        if wait:
            settled(page)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        # Without the hosting module there is no performance, which the page learns by a 404.
        if message.type == "error" and "/hosting-performance" not in message.location["url"]:
            self.complaints.append(message.text)

    def _refuse(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def get(self, page: Page, path: str) -> Any:
        """The `data` that the API answers to whoever is logged in on that page."""
        answer = page.request.get(self.server + path).json()
        assert answer["success"], answer
        return answer["data"]


@pytest.fixture
def visitor(chromium: Browser, server: str) -> Iterator[Visitor]:
    """A visitor who tolerates no error in the console and no request to another host."""
    somebody = Visitor(chromium, server, [], [], set())
    yield somebody
    for context in somebody.contexts:
        with suppress(Exception):
            context.close()
    assert somebody.complaints == []
    assert somebody.hosts <= {server}


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Keep a picture of the page, named for the test; CI keeps them as artefacts."""

    def take(page: Page, name: str, *, full_page: bool = True) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page, animations="disabled")

    return take


def settled(page: Page) -> None:
    """Wait until the page shows all of its figures, or says why it cannot."""
    page.locator("main[aria-busy=false]").wait_for()


def shifted(page: Page) -> float:
    """How much of the page, once it has settled, moved without anybody's doing."""
    settled(page)
    page.wait_for_timeout(50)  # the browser tells of it a frame later
    moved: float = page.evaluate("window.shifted")
    return moved


def _environment(database_url: str) -> dict[str, str]:
    given = {"DATABASE_URL": database_url, "SESSION_SECRET": SECRET, "PORT": "0", "PYTHONPATH": "shared:functions"}
    return os.environ | given
