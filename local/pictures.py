"""`make pictures`: the panel's pictures in docs/images, taken of the demo that `make run` serves."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from local.environment import ROOT
from local.people import FIRST_CUSTOMER

IMAGES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
READY = re.compile(r"answers at (http://\S+)\. .*mine owner .*?: (\S+)=(\S+)\n.*admin .*?: \2=(\S+)\n", re.DOTALL)


def as_it_is(_page: Page) -> None:
    """Nothing to do before the picture."""


def of_a_run_that_failed(page: Page) -> None:
    """Choose the newest run in which a customer failed."""
    page.locator(".failing a").first.click()
    page.locator("#run .ranked").wait_for()
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")


class Picture(NamedTuple):
    """A page, how it is looked at, and what is done there first."""

    name: str
    path: str
    language: str = "en"
    theme: str = "light"
    width: int = 1280
    height: int = 800
    prepare: Callable[[Page], None] = as_it_is
    is_of_admin: bool = False


PICTURES = [
    Picture("overview", "/crm/hosting", height=940),
    Picture("customer", f"/crm/hosting/customer/{FIRST_CUSTOMER}", "zh", "dark", height=1010),
    Picture("links", "/crm/hosting/links"),
    Picture("runs", "/crm/hosting/runs", prepare=of_a_run_that_failed, is_of_admin=True),
    Picture("phone", f"/crm/hosting/customer/{FIRST_CUSTOMER}", width=390, height=800),
]


def main() -> None:
    """Serve the demo, take the pictures, and stop it."""
    with _demo() as (origin, name, owner, admin), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for picture in PICTURES:
            target = IMAGES / f"panel-{picture.name}.png"
            cookie = {"name": name, "value": admin if picture.is_of_admin else owner, "url": origin}
            _take(browser, origin, cookie, picture, target)
            print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} KB")
        browser.close()


def _take(browser: Browser, origin: str, cookie: Any, picture: Picture, target: Path) -> None:
    locale = {"en": "en-US", "zh": "zh-CN"}[picture.language]
    size: Any = {"width": picture.width, "height": picture.height}
    context = browser.new_context(locale=locale, viewport=size, timezone_id="UTC")
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(f"{origin}{picture.path}?lang={picture.language}&theme={picture.theme}")
    page.locator("main[aria-busy=false]").wait_for()
    picture.prepare(page)
    page.screenshot(path=target, animations="disabled", caret="hide")
    context.close()


@contextmanager
def _demo() -> Iterator[tuple[str, ...]]:
    """Where `make run` answers, the cookie's name, and its value for the mine owner and the admin."""
    command, said = [sys.executable, "-m", "local.run"], ""
    environment = os.environ | {"PORT": "0"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                said += line
                if found := READY.search(said):
                    yield found.groups()
                    return
            sys.exit("The demo did not start.")
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
