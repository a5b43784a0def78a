"""A real PostgreSQL with the CRM's tables and the bundle's schema, a CRM to fill, and a client to ask with."""

import os
from collections.abc import Generator, Iterator
from itertools import count

import hypothesis
import pytest
from moto import mock_aws
from moto.server import ThreadedMotoServer
from pg8000.native import Connection

from crm_services.base import secrets as secrets_module
from crm_services.base.settings import history_time_zone, settings
from crm_services.postgres.database import database as bundle_database
from local.environment import ROOT
from local.gateway import Gateway
from local.postgres import Server, connect, create_database
from tests.support import servers
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.given import PUBLIC_ORIGIN, SECRET

_numbers = count(1)
# Folders whose tests ask PostgreSQL for nothing of their own: what they ask for is asked of each version in its room.
SAME_ON_ANY = {"base", "browser", "http", "local", "project", "sam"}


def pytest_xdist_auto_num_workers() -> int | None:
    """One worker where the server is given: roles are the whole server's, and tests change them."""
    return 1 if servers.given() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what another version of PostgreSQL could answer otherwise: it uses the suite's, or starts one of its own."""
    for item in items:
        if item.path.parent.name in SAME_ON_ANY or item.get_closest_marker("any_version"):
            continue
        starts_one = {"server", "own"} & set(vars(getattr(item, "module", None) or object))
        if starts_one or "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.sql)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every component is there, as in CI, nothing may be skipped for want of one."""
    report = yield
    # Docker cannot be had everywhere: REQUIRE_DOCKER asks for it.
    if report.skipped and os.environ.get("REQUIRE_COMPONENTS") and not item.get_closest_marker("sam"):
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_COMPONENTS is set, and this was to be skipped: {report.longreprtext}"
    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL of this test run, with a template that has the CRM's tables and the bundle's schema."""
    with servers.prepared() as running:
        yield running


@pytest.fixture
def database_name(postgres: Server) -> Iterator[str]:
    """A fresh database of this test's own."""
    name = f"test_{next(_numbers)}"
    create_database(postgres, name, template=servers.TEMPLATE)
    yield name
    bundle_database.close()
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(f"drop database {name} with (force)")


@pytest.fixture
def owner(postgres: Server, database_name: str) -> Iterator[Connection]:
    """A connection as the CRM's own role, which owns its tables."""
    with connect(postgres.url(database_name, "crm")) as connection:
        yield connection


@pytest.fixture
def crm(owner: Connection) -> Crm:
    """The CRM's data, to be filled by the test."""
    return Crm(owner)


@pytest.fixture
def environment(postgres: Server, database_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The bundle's environment on this test's database; change it before the first request."""
    for name in ("SESSION_SECRET_ARN", "DATABASE_SECRET_ARN", "DATABASE_HOST", "ALLOWED_ORIGINS", "SYNC_STATE_MACHINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", postgres.url(database_name, "crm_hosting"))
    monkeypatch.setenv("SESSION_SECRET", SECRET)
    monkeypatch.setenv("LINK_SCOPE", "any")
    monkeypatch.setenv("PUBLIC_ORIGIN", PUBLIC_ORIGIN)
    settings.cache_clear()
    history_time_zone.cache_clear()
    yield monkeypatch
    settings.cache_clear()
    history_time_zone.cache_clear()
    secrets_module._secrets.clear()


@pytest.fixture
def aws(environment: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """AWS on this machine, over HTTP, for the bundle and for boto3 alike; change the environment as you like."""
    environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():  # which forgets what the last test left there
        moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        moto.start()
        environment.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*moto.get_host_and_port()))
        yield environment
        moto.stop()


@pytest.fixture(scope="session")
def gateway() -> Gateway:
    """The local gateway with the deployed handlers: they are imported once, as in an execution environment."""
    return Gateway(ROOT / "template.yaml")


@pytest.fixture
def client(environment: pytest.MonkeyPatch, gateway: Gateway) -> Client:
    """Calls the deployed handlers over the local gateway, in process."""
    return Client(gateway, SECRET)


# Powertools reads these when a handler is imported.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "crm-hosting")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "CrmHosting")

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
