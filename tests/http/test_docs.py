"""The page to read and try the endpoints: whole in itself, and nothing else may run in it."""

import base64
import hashlib
import re

from tests.support.client import Client


def test_the_page_s_policy_lets_its_own_scripts_and_style_alone_run(client: Client) -> None:
    answer = client.get("/crm/api/hosting/docs")
    page = answer.get_data(as_text=True)
    policy = dict(one.strip().split(" ", 1) for one in answer.headers["Content-Security-Policy"].split(";"))

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert policy["script-src"] == " ".join(hashes(page, "script"))
    assert policy["style-src"] == " ".join(hashes(page, "style"))
    assert (policy["default-src"], policy["connect-src"], policy["img-src"]) == ("'none'", "'self'", "data:")
    assert len(hashes(page, "script")) == 2


def test_the_page_loads_nothing(client: Client) -> None:
    page = client.get("/crm/api/hosting/docs").get_data(as_text=True)
    markup = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)

    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", markup) == ["data:,"]
    assert "://" not in markup
    # What it asks for lies beside it, and it asks nobody whether that is valid.
    assert 'url: "openapi.json"' in page
    assert "validatorUrl: null" in page


def test_the_page_travels_compressed(client: Client) -> None:
    assert len(client.get("/crm/api/hosting/docs", accept_encoding="gzip").get_data()) < 600_000


def hashes(page: str, element: str) -> list[str]:
    """What a policy calls the element's contents."""
    contents = re.findall(rf"<{element}>(.*?)</{element}>", page, flags=re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in contents]
