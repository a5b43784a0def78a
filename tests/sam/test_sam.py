"""The built functions in real containers against a real PostgreSQL: `make test-sam`, since it takes minutes."""

import base64
import gzip
import importlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from crm_services.base.settings import settings
from crm_services.postgres.database import database as bundle_database
from local import events
from local.containers import BUILT, HOST, IMAGE, Missing, listen_addresses, options, require_docker
from local.crm import prepare
from local.environment import EVENTS, HOME, ROOT, TEMPLATE
from local.gateway import Gateway
from local.lambda_context import LambdaContext
from local.people import ADMIN
from local.postgres import Server, server
from local.routes import functions
from local.sam import SAM, api_cookie, free_port, function_name, variables
from tests.support.client import Client

pytestmark = pytest.mark.sam

MODULES = sorted(one["Properties"]["Handler"].partition(".")[0] for one in functions(TEMPLATE).values())
REQUESTS = {
    module: event
    for module in MODULES
    if "routeKey" in (event := json.loads((EVENTS / f"{module}.json").read_text(encoding="utf-8")))
}
START_SECONDS = 120
# What differs from one run of the batch to the next, or is the internet's where there is one.
OWN_TO_A_RUN = {"run_id", "recorded"}
# The database has the contract's machines, of which nobody reads how they do.
_STATUSES = {"hosting_performance": 404}


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The functions and the layer as `sam build` makes them for this machine."""
    try:
        require_docker()
    except Missing as missing:
        if os.environ.get("REQUIRE_DOCKER"):
            raise
        pytest.skip(str(missing))
    subprocess.run(["make", "--silent", "build"], cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def postgres_for_containers() -> Iterator[Server]:
    """The demo's database, on an address that containers reach."""
    with (
        TemporaryDirectory() as folder,
        server(folder, {"fsync": "off"}, listen=listen_addresses(), port=free_port()) as postgres,
    ):
        prepare(postgres, print)
        yield postgres


@pytest.fixture(scope="session")
def sam_options(built: None, postgres_for_containers: Server, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return options(variables(postgres_for_containers), tmp_path_factory.mktemp("sam"))


@pytest.fixture
def in_process(postgres_for_containers: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of the containers, for the handlers in this process."""
    _set(monkeypatch, _variables(postgres_for_containers, "HostingStatsFunction"))
    yield
    bundle_database.close()
    settings.cache_clear()


@pytest.mark.parametrize("module", MODULES)
def test_a_container_answers_an_event_as_this_process_does(
    module: str,
    in_process: None,
    sam_options: list[str],
    postgres_for_containers: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = function_name(module)
    path = EVENTS / f"{module}.json"
    _set(monkeypatch, _variables(postgres_for_containers, name))
    handler = importlib.import_module(module).handler
    # The second of two answers: what the first one changed is not changed again.
    for _ in range(2):
        here = handler(json.loads(path.read_text(encoding="utf-8")), LambdaContext(name, 900))

    command = [*SAM, "invoke", name, "--event", str(path), *sam_options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout.rstrip("\n").split("\n")[-1])
    assert "errorMessage" not in there, done.stderr
    assert _comparable(there) == _comparable(json.loads(json.dumps(here)))
    if "statusCode" in there:
        assert there["statusCode"] == _STATUSES.get(path.stem, 200)


@pytest.fixture(scope="module")
def api(sam_options: list[str]) -> Iterator[str]:
    """The URL of the template's API, served out of containers."""
    port = free_port()
    command = [*SAM, "start-api", "--port", str(port), "--warm-containers", "LAZY", *sam_options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "sam local start-api is not ready"
            time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.parametrize("module", REQUESTS)
def test_the_api_in_containers_answers_as_the_gateway_of_this_process(module: str, api: str, in_process: None) -> None:
    method, path = REQUESTS[module]["requestContext"]["http"]["method"], REQUESTS[module]["rawPath"]
    client = Client(Gateway(TEMPLATE), events.SECRET)
    for _ in range(2):
        here = client.ask(method, path, ADMIN.id)

    status, headers, body = _ask(method, api + path, api_cookie(ADMIN.id))

    assert (status, body) == (here.status_code, here.get_data())
    for name in ("Content-Type", "Cache-Control", "Vary", "X-Content-Type-Options"):
        assert headers[name] == here.headers[name]


def test_the_api_in_containers_refuses_who_has_no_session(api: str, in_process: None) -> None:
    status, _, body = _ask("GET", f"{api}/crm/api/sync-status", cookie=None)

    assert (status, json.loads(body)) == (401, {"success": False, "error": "未登录或会话已过期"})


def test_a_list_comes_compressed_out_of_a_container(sam_options: list[str], in_process: None, tmp_path: Path) -> None:
    """By invocation: `sam local start-api` leaves the names of headers as sent, AWS has them in lower case."""
    event = json.loads((EVENTS / "hosting_customers.json").read_text(encoding="utf-8"))
    plain = importlib.import_module("hosting_customers").handler(event, LambdaContext("HostingCustomersFunction"))
    event["headers"]["accept-encoding"] = "gzip"
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event))

    command = [*SAM, "invoke", "HostingCustomersFunction", "--event", str(path), *sam_options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    packed = json.loads(done.stdout.rstrip("\n").split("\n")[-1])
    assert (packed["isBase64Encoded"], packed["headers"]["Content-Encoding"]) == (True, "gzip")
    assert gzip.decompress(base64.b64decode(packed["body"])).decode() == plain["body"]


def test_no_module_of_the_layer_hides_one_of_the_runtime(built: None) -> None:
    listing = ["docker", "run", "--rm", "--entrypoint", "ls", IMAGE, "/var/runtime"]
    runtime = set(subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split())
    layer = {path.name for path in (BUILT / "SharedLayer" / "python").iterdir()}

    assert "boto3" in runtime
    assert layer & runtime <= {"__pycache__"}


def test_init_time_and_memory_of_each_function_are_recorded(
    sam_options: list[str], postgres_for_containers: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """`sam local` reports neither: its init is never more than a millisecond, its memory the limit."""
    record = {module: _probe(module, postgres_for_containers) for module in MODULES}
    bare = _probe("bare", postgres_for_containers)  # the libraries alone: benchmarks/bare.py

    HOME.mkdir(exist_ok=True)
    (HOME / "functions.json").write_text(json.dumps(record, indent=2) + "\n")
    with capsys.disabled():
        print(f"\n{'function':22}{'init ms':>9}{'first ms':>9}{'of bare':>9}{'memory MB':>11}")
        for module, figures in {"bare": bare, **record}.items():
            ratio = (figures["init_ms"] + figures["first_ms"]) / (bare["init_ms"] + bare["first_ms"])
            print(
                f"{module:22}{figures['init_ms']:9.0f}{figures['first_ms']:9.0f}{ratio:9.2f}{figures['memory_mb']:11.1f}"
            )
    assert all(figures["status"] in {_STATUSES.get(name, 200), None} for name, figures in record.items()), record


def _probe(module: str, postgres: Server) -> dict[str, Any]:
    like = "hosting_stats" if module == "bare" else module
    name = function_name(like)
    environment = variables(postgres)[name] | {
        "PYTHONPATH": "/opt/python:/var/runtime:/var/task:/local:/bare",
        "POWERTOOLS_SERVICE_NAME": "crm-hosting",
        "POWERTOOLS_METRICS_NAMESPACE": "CrmHosting",
    }
    mounts = {
        "/opt": BUILT / "SharedLayer",
        "/var/task": BUILT / name,
        "/probe.py": ROOT / "tests" / "support" / "probe.py",
        "/local": ROOT / "local",
        "/bare/bare.py": ROOT / "benchmarks" / "bare.py",
        "/event.json": EVENTS / f"{like}.json",
    }
    command = ["docker", "run", "--rm", "--add-host", f"{HOST}:host-gateway"]
    command += [word for variable, value in environment.items() for word in ("--env", f"{variable}={value}")]
    command += [word for inside, outside in mounts.items() for word in ("--volume", f"{outside}:{inside}:ro")]
    command += ["--entrypoint", "python3", IMAGE, "/probe.py", module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.rstrip("\n").split("\n")[-1])
    return figures


def _variables(postgres: Server, name: str) -> dict[str, str]:
    return {key: value.replace(HOST, "127.0.0.1") for key, value in variables(postgres)[name].items()}


def _set(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    bundle_database.close()
    settings.cache_clear()


def _comparable(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {key: _comparable(value) for key, value in answer.items() if key not in OWN_TO_A_RUN}
    return answer


def _answers(url: str) -> bool:
    try:
        _ask("GET", url, cookie=None)
    except OSError:
        return False
    return True


def _ask(method: str, url: str, cookie: str | None, headers: dict[str, str] | None = None) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(url, method=method, headers=headers or {})  # noqa: S310 (http, to ourselves)
    if cookie:
        request.add_header("Cookie", f"session={cookie}")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()
