"""The page to read and try the endpoints, and the document that it shows: small, whole, and nothing else may run."""

import base64
import gzip
import hashlib
import re
import zlib

import pytest

from local.environment import ROOT
from local.routes import routes
from tests.project.test_privileges import WITHOUT_DATA
from tests.support.client import Client, path_of

LARGEST_BYTES = 100_000
DOCS, DOCUMENT = "/crm/api/hosting/docs", "/crm/api/hosting/openapi.json"
OPEN = [path_of(route, 1) for route in routes(ROOT / "template.yaml") if route.function in WITHOUT_DATA]


def test_the_page_s_policy_lets_its_own_script_and_style_alone_run(client: Client) -> None:
    answer = client.get(DOCS)
    page = answer.get_data(as_text=True)
    policy = dict(one.strip().split(" ", 1) for one in answer.headers["Content-Security-Policy"].split(";"))

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert policy["script-src"] == " ".join(hashes(page, "script"))
    assert policy["style-src"] == " ".join(hashes(page, "style"))
    assert (policy["default-src"], policy["connect-src"], policy["img-src"]) == ("'none'", "'self'", "data:")
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "'none'")
    assert len(hashes(page, "script")) == len(hashes(page, "style")) == 1


def test_the_page_loads_nothing_but_the_document_beside_it(client: Client) -> None:
    page = client.get(DOCS).get_data(as_text=True)
    markup = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)

    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", markup) == ["data:,"]
    assert "://" not in page
    assert re.findall(r'fetch\("([^"]*)"', page) == ["openapi.json"]


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "gzip;q=0", "br", "*", "deflate"])
def test_nothing_that_a_stranger_can_fetch_is_large(client: Client, encoding: str) -> None:
    page = client.get("/crm/hosting").get_data(as_text=True)
    base = re.findall(r'"(/crm/hosting/assets/\w+)/', page)[0]
    assets = [f"{base}/{file.name}" for file in (ROOT / "functions" / "panel_files").iterdir()]

    for path in [*OPEN, *assets, f"{DOCS}?{'x' * 2000}=1"]:
        assert len(client.get(path, accept_encoding=encoding).get_data()) <= LARGEST_BYTES, path
    assert len(client.get(DOCS).get_data()) < 30_000


def test_what_is_the_same_for_everybody_is_compressed_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = {path: client.get(path, accept_encoding="gzip").get_data() for path in OPEN}

    def fail(*_: int) -> None:
        raise AssertionError("it was compressed anew")

    monkeypatch.setattr(zlib, "compressobj", fail)
    for path, body in bodies.items():
        answer = client.get(path, accept_encoding="gzip")
        assert answer.get_data() == body
        if answer.status_code == 200:
            assert gzip.decompress(body) == client.get(path).get_data()


def hashes(page: str, element: str) -> list[str]:
    """What a policy calls the element's contents."""
    contents = re.findall(rf"<{element}>(.*?)</{element}>", page, flags=re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in contents]
