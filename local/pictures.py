"""`make pictures`: the panel's pictures in docs/images, taken of the demo that `make run` serves."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

from local.environment import ROOT
from local.people import FIRST_CUSTOMER

IMAGES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
READY = re.compile(r"(http://\S+)(/local/sign-in/\S+)")


class Picture(NamedTuple):
    """A page, and how it is looked at."""

    name: str
    path: str
    language: str = "en"
    theme: str = "light"
    width: int = 1280
    height: int = 800
    clicked: str = ""  # first, and then something has come of it
    shown: str = ""


PICTURES = [
    Picture("overview", "/crm/hosting", height=940),
    Picture("customer", f"/crm/hosting/customer/{FIRST_CUSTOMER}", "zh", "dark", height=1010),
    Picture("links", "/crm/hosting/links"),
    Picture("runs", "/crm/hosting/runs", clicked="#sync", shown="#sync-result p"),
    Picture("phone", f"/crm/hosting/customer/{FIRST_CUSTOMER}", width=390, height=800),
]


def main() -> None:
    """Serve the demo, take the pictures, and stop it."""
    with _demo() as (origin, sign_in), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for picture in PICTURES:
            target = IMAGES / f"panel-{picture.name}.png"
            _take(browser, origin, sign_in, picture, target)
            print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} KB")
        browser.close()


def _take(browser: Browser, origin: str, sign_in: str, picture: Picture, target: Path) -> None:
    locale = {"en": "en-US", "zh": "zh-CN"}[picture.language]
    size = {"width": picture.width, "height": picture.height}
    context = browser.new_context(locale=locale, viewport=size, timezone_id="UTC")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(origin + sign_in)
    page.goto(f"{origin}{picture.path}?lang={picture.language}&theme={picture.theme}")
    page.locator("main[aria-busy=false]").wait_for()
    if picture.clicked:
        page.click(picture.clicked)
        page.locator(picture.shown).first.wait_for()
    page.mouse.move(0, 0)
    page.screenshot(path=target, animations="disabled", caret="hide")
    context.close()


@contextmanager
def _demo() -> Iterator[tuple[str, str]]:
    environment = os.environ | {"PORT": "0"}
    command = [sys.executable, "-m", "local.run"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                if found := READY.search(line):
                    # The server answers once it has said so; what it says from then on is not read, but is not much.
                    yield found[1], found[2]
                    return
            sys.exit("The demo did not start.")
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
