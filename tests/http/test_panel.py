"""The panel's pages and assets, as API Gateway gets them."""

import gzip
import re
import subprocess
import sys

import pytest

import panel
from crm_services.base.errors import UnusableSetting
from crm_services.base.settings import settings
from local.environment import ROOT
from tests.support.client import Client

FILES = ROOT / "functions" / "panel_files"
PAGES = ["/crm/hosting", "/crm/hosting/customer/1", "/crm/hosting/links", "/crm/hosting/runs"]
LARGEST = 120 * 1024


def _assets(html: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/crm/hosting/assets/[^"]+)"', html)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_allows_its_own_origin_alone_and_nothing_inline(client: Client, path: str) -> None:
    answer = client.get(path)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))

    assert answer.status_code == 200
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert (policy["trusted-types"], policy["require-trusted-types-for"]) == ("'none'", "'script'")
    allowed = {name: source for name, source in policy.items() if source not in {"'none'", "'self'", "'script'"}}
    assert allowed == {}
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_who_may_frame_the_panel_is_the_deployers_to_say(client: Client, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FRAME_ANCESTORS", "'self' https://crm.example.com")

    assert client.get(PAGES[0]).headers["Content-Security-Policy"].endswith("'self' https://crm.example.com")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_assets_that_exist_and_can_be_kept_for_good(client: Client, path: str) -> None:
    html = client.get(path).get_data(as_text=True)

    assert len(_assets(html)) == 4
    for asset in _assets(html):
        answer = client.get(asset)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_every_module_that_a_script_imports_is_served(client: Client) -> None:
    page = client.get(PAGES[0]).get_data(as_text=True)
    base = _assets(page)[0].rpartition("/")[0]
    imported = {name for file in FILES.glob("*.js") for name in re.findall(r'from "\./(\S+)"', file.read_text())}

    assert imported
    for name in imported:
        answer = client.get(f"{base}/{name}")
        assert (answer.status_code, answer.content_type) == (200, "text/javascript; charset=utf-8")


def test_an_asset_of_another_version_is_shown_but_not_kept_and_nothing_else_is_served(client: Client) -> None:
    assert client.get("/crm/hosting/assets/older/panel.css").headers["Cache-Control"] == "private, no-store"
    for name in ("panel.py", "customer.html", "..%2Fpanel.py", "%2Fetc%2Fpasswd", "none.js"):
        assert client.get(f"/crm/hosting/assets/older/{name}").status_code == 404, name


def test_what_is_sent_is_compressed_where_the_browser_takes_it(client: Client) -> None:
    plain = client.get(PAGES[0])
    packed = client.get(PAGES[0], accept_encoding="br, gzip")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize(("accepted", "language"), [("", "zh"), ("en-GB,en;q=0.9", "en"), ("zh-CN,en;q=0.5", "zh")])
def test_a_page_starts_in_the_language_of_the_browser(client: Client, accepted: str, language: str) -> None:
    html = client.get(PAGES[0], accept_language=accepted).get_data(as_text=True)

    assert f'<html lang="{language}">' in html


def test_a_page_costs_no_database_and_no_framework() -> None:
    heavy = "print([name for name in sys.modules if name in {'pg8000', 'pydantic', 'aws_lambda_powertools', 'boto3'}])"
    command = [sys.executable, "-c", f"import panel, sys; {heavy}"]
    environment = {"PYTHONPATH": f"{FILES.parent.parent / 'shared'}:{FILES.parent}"}

    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_page_for_signing_in_is_the_deployers_to_say(client: Client, environment: pytest.MonkeyPatch) -> None:
    assert 'data-sign-in="/"' in client.get(PAGES[0]).get_data(as_text=True)
    environment.setenv("SIGN_IN_URL", "/login?a=1&next={page}")
    settings.cache_clear()

    assert 'data-sign-in="/login?a=1&amp;next={page}"' in client.get(PAGES[0]).get_data(as_text=True)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//other.example/", "/\\other.example/", "http://crm", "login"])
def test_a_page_for_signing_in_is_the_crms_own_or_an_https_address(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("SIGN_IN_URL", url)
    settings.cache_clear()

    with pytest.raises(UnusableSetting, match="SIGN_IN_URL"):
        settings()


def test_all_that_is_sent_is_small() -> None:
    assert sum(map(len, panel.FILES.values())) < LARGEST


def test_a_script_is_sent_as_it_is_committed_but_for_comments_and_blanks(client: Client) -> None:
    base = _assets(client.get(PAGES[0]).get_data(as_text=True))[0].rpartition("/")[0]
    for file in FILES.glob("*.js"):
        committed = re.sub(r"(^| +)//.*|^/\*(?:.|\n)*?\*/", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        sent = client.get(f"{base}/{file.name}").get_data(as_text=True)

        assert re.sub(r"\s", "", sent) == re.sub(r"\s", "", committed), file
        lines = [line for line in committed.splitlines() if line.count('"') % 2 == 0]  # but for a pattern with a quote
        assert all(text in sent for line in lines for text in re.findall(r'"[^"]*"|`[^`]*`', line)), file
        assert len(sent) < len(committed)


def test_no_file_names_another_host_or_sets_html() -> None:
    for file in FILES.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/", "")  # the names of XML
        assert not re.search(r"https?://|//\w+\.\w|@import|innerHTML|outerHTML|insertAdjacentHTML|\beval\b", text), file
        assert not re.search(r"<script>|<style|\sstyle=|\son\w+=\"", text), file


def test_every_word_is_there_in_both_languages() -> None:
    sources = {file.name: file.read_text(encoding="utf-8") for file in FILES.iterdir()}
    texts = "".join(sources.pop(name) for name in [*sources] if name.startswith("texts"))
    named = dict(re.findall(r'^  (\w+): \[\s*((?:"[^"]*",?\s*)+)\],', texts, re.MULTILINE))
    everything = "\n".join(sources.values())

    assert all(len(re.findall(r'"[^"]*"', both)) == 2 for both in named.values())
    used = set(re.findall(r'data-t(?:-\w+)?="(\w+)"', everything)) | set(re.findall(r'\bt\("(\w+)"', everything))
    assert used <= set(named)
    assert "{" not in "".join(re.sub(r"\{\w+\}", "", both) for both in named.values())
