"""The CRM's domain in front of both: exactly the bundle's paths go to the API, all others to the CRM."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from werkzeug.wrappers import Response

from local import proxy
from local.cookies import session_cookie
from local.environment import TEMPLATE
from local.routes import Route, routes
from local.sam import free_port
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.given import PUBLIC_ORIGIN, SECRET
from tests.support.nginx import CONFIGURATION, NGINX, fronted

API_URL = "https://abc123.execute-api.eu-central-1.amazonaws.com"
ROUTES = routes(TEMPLATE)
# The CRM's own paths, and some that look like the bundle's.
CRM_PATHS = [
    "/",
    "/crm/api/customers",
    "/crm/api/customer/1",
    "/crm/api/customer/hosting-stats",
    "/crm/api/customer/1/hosting-stats/",
    "/crm/api/customer/1/hosting-statistics",
    "/crm/api/sync-status/history",
    "/crm/api/sync-statuses",
    "/crm/api/Sync-Status",
    "/other/crm/api/sync-status",
    "/crm/api/sync-all-hosting.html",
]
needs_nginx = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


class Answer(NamedTuple):
    """What a browser gets."""

    status: int
    headers: Any
    body: bytes


Ask = Callable[..., Answer]


@pytest.fixture
def ask(environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ask]:
    """Asks a real nginx that stands before the CRM and the API, and follows no redirect."""
    with fronted(_crm, tmp_path) as port:
        yield lambda path, method="GET", **headers: _ask(port, method, path, headers)


@needs_nginx
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_nginx_sends_every_path_of_the_template_to_the_api(route: Route, ask: Ask) -> None:
    answer = ask(_example(route.path) + "?include=miners", route.method)

    assert "apigw-requestid" in answer.headers
    assert "X-Served-By" not in answer.headers


@needs_nginx
def test_nginx_leaves_every_other_path_to_the_crm(ask: Ask) -> None:
    served = {path: ask(path).headers["X-Served-By"] for path in CRM_PATHS}

    assert served == dict.fromkeys(CRM_PATHS, "the CRM")


@needs_nginx
def test_through_nginx_the_session_and_the_same_origin_guard_work(ask: Ask, crm: Crm) -> None:
    owner = crm.account(role="mining_site_owner")
    customer = crm.linked_customer(owner, quantity=3)
    cookie = f"session={session_cookie(SECRET, owner)}"
    path = f"/crm/api/customer/{customer}/"

    stats = ask(path + "hosting-stats", Cookie=cookie)
    synced = ask(path + "sync-hosting", "POST", Cookie=cookie, Origin=PUBLIC_ORIGIN)
    strangers = ask(path + "sync-hosting", "POST", Cookie=cookie, Origin="https://elsewhere.example")
    cross_site = ask(path + "sync-hosting", "POST", Cookie=cookie, Sec_Fetch_Site="cross-site")

    assert json.loads(stats.body)["data"]["miners_count"] == 3
    assert (synced.status, strangers.status, cross_site.status) == (200, 403, 403)


@needs_nginx
def test_nginx_accepts_the_configuration_for_the_deployed_api(tmp_path: Path) -> None:
    (tmp_path / "hosting.conf").write_text(proxy.nginx("https://127.0.0.1"))
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, port=free_port(), crm="http://127.0.0.1"))

    checked = subprocess.run(
        [str(NGINX), "-t", "-c", str(configuration), "-p", str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_cloudfront_has_one_behaviour_for_each_path_and_none_for_the_crm_s() -> None:
    patterns = [behaviour["PathPattern"] for behaviour in proxy.cloudfront(API_URL)["CacheBehaviors"]]

    for route in ROUTES:
        assert len([one for one in patterns if fnmatchcase(_example(route.path), one)]) == 1
    for path in CRM_PATHS:
        assert not [one for one in patterns if fnmatchcase(path, one)]


def test_cloudfront_caches_what_is_the_same_for_everybody_alone_and_passes_on_all_but_the_host(client: Client) -> None:
    kept = {
        path
        for path in proxy.paths()
        if client.get(_served(client, path)).headers.get("Cache-Control", "").startswith("public")
    }
    configuration = proxy.cloudfront(API_URL)
    [origin] = configuration["Origins"]

    assert origin["DomainName"] == "abc123.execute-api.eu-central-1.amazonaws.com"
    for behaviour in configuration["CacheBehaviors"]:
        assert behaviour["TargetOriginId"] == origin["Id"]
        is_kept = behaviour["PathPattern"] in {re.sub(r"{\w+}", "*", path) for path in kept}
        assert behaviour["CachePolicyId"] == (
            "658327ea-f89d-4fab-a63d-7e88639e58f6" if is_kept else "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        )  # CachingOptimized, CachingDisabled
        assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
        assert "POST" in behaviour["AllowedMethods"]


def test_cloudformation_knows_every_word_of_the_behaviours(tmp_path: Path) -> None:
    configuration = proxy.cloudfront(API_URL)
    configuration["Origins"].append(
        {
            "Id": "crm",
            "DomainName": "crm-origin.example.com",
            "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"},
        }
    )
    configuration |= {
        "Enabled": True,
        "DefaultCacheBehavior": {"TargetOriginId": "crm", "ViewerProtocolPolicy": "redirect-to-https"}
        | {"CachePolicyId": proxy.CACHING_DISABLED},
    }
    distribution = {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": configuration}}
    template = tmp_path / "distribution.json"
    template.write_text(json.dumps({"Resources": {"Distribution": distribution}}))

    linted = subprocess.run(["cfn-lint", str(template)], capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout


def _served(client: Client, path: str) -> str:
    """A path of that pattern that there is: an asset that a page names, or any."""
    page = client.get("/crm/hosting").get_data(as_text=True)
    named = re.findall(r'"(/crm/hosting/assets/[^"]+)"', page)
    return str(named[0]) if "assets" in path else _example(path)


def _example(path: str) -> str:
    return re.sub(r"{\w+}", "12", path)


def _crm(environ: dict[str, Any], start_response: Any) -> Any:
    return Response("a page of the CRM", headers={"X-Served-By": "the CRM"})(environ, start_response)


def _ask(port: int, method: str, path: str, headers: dict[str, str]) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer
