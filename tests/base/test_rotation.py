"""Both secrets change while functions of every age go on working, by the very steps of SECURITY.md."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from pg8000.native import Connection

from crm_services.base import secrets as secrets_module
from crm_services.base.errors import AppError, NotAuthenticated
from crm_services.http.statuses import status_of
from crm_services.http.verification import Verification
from crm_services.postgres.database import Database
from crm_services.postgres.roles import SETTINGS
from local.environment import ROOT
from local.postgres import Server, connect
from local.servers import PROGRAMS
from tests.support.servers import own

# A refused server hangs up; the driver then fails to say goodbye, and its buffer says so once more when it is freed.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

# The statements of the document, in its order.
SQL = [
    re.sub(r"^ +", "", block, flags=re.MULTILINE)
    for block in re.findall(r"```sql\n(.*?)```", (ROOT / "SECURITY.md").read_text(), re.DOTALL)
]


class Clock:
    """The time of all functions, which a test moves on."""

    def __init__(self, environment: pytest.MonkeyPatch) -> None:
        self.minutes = 0.0
        now = time.monotonic
        environment.setattr(time, "monotonic", lambda: now() + 60 * self.minutes)


class Function:
    """An execution environment: its own connection and its own memory of the secrets."""

    def __init__(self, environment: pytest.MonkeyPatch, every: int = 1) -> None:
        self.every = every
        self._environment = environment
        self._database = Database()
        self._secrets: dict[str, Any] = {}

    def logged_in_as(self) -> str:
        """Read something from the database, as a request does."""
        self._environment.setattr(secrets_module, "_secrets", self._secrets)
        with self._database.transaction() as transaction:
            transaction.rows("select count(*) from crm_hosting.customers")
            return str(transaction.value("select session_user"))

    def user_of(self, cookie: str, now: float) -> int:
        """Verify a session, as a request does."""
        self._environment.setattr(secrets_module, "_secrets", self._secrets)
        event = {"cookies": [f"session={cookie}"], "requestContext": {"timeEpoch": now * 1000}}
        return Verification().session(event).user_id

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A server of this module's own, since it changes who is let in."""
    with own() as running:
        yield running


@pytest.fixture
def secret(aws: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """Change the secret that a setting names."""
    for name in ("DATABASE_URL", "SESSION_SECRET"):
        aws.delenv(name)
    manager = boto3.client("secretsmanager")
    for setting in ("DATABASE_SECRET_ARN", "SESSION_SECRET_ARN"):
        aws.setenv(setting, manager.create_secret(Name=setting)["ARN"])

    def put(setting: str, value: str | list[str] | dict[str, str]) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        manager.put_secret_value(SecretId=setting, SecretString=text)

    return put


@pytest.fixture
def strict(postgres: Server, database_name: str, environment: pytest.MonkeyPatch) -> Iterator[Connection]:
    """This test's database asks for passwords; a connection as a superuser."""
    with connect(postgres.url("postgres", "postgres")) as admin:
        [[hba]] = admin.run("select pg_read_file(current_setting('hba_file'))")
        [[path]] = admin.run("select current_setting('hba_file')")

        def rules(text: str) -> None:
            Path(path).write_text(text)
            admin.run("select pg_reload_conf()")

        rules(f"local {database_name} crm_hosting,crm_hosting_standby scram-sha-256\n{hba}")
        environment.setenv("DATABASE_HOST", postgres.socket_directory)
        environment.setenv("DATABASE_PORT", str(postgres.port))
        environment.setenv("DATABASE_NAME", database_name)
        yield admin
        rules(hba)
        admin.run("alter role crm_hosting password null")
        admin.run("drop role if exists crm_hosting_standby")


@pytest.fixture
def psql(postgres: Server, database_name: str) -> Callable[[str], None]:
    """Run SQL of the document as the owner of the CRM's tables."""
    command = [str(PROGRAMS / "psql"), postgres.url(database_name)]
    passwords = ["-v", "standby=standby-password", "-v", "new=new-password", "-v", "ON_ERROR_STOP=1"]

    def run(sql: str) -> None:
        subprocess.run([*command, *passwords], input=sql, text=True, check=True, capture_output=True)

    return run


def test_the_database_password_changes_and_no_function_notices(
    environment: pytest.MonkeyPatch, secret: Callable[..., None], strict: Connection, psql: Callable[[str], None]
) -> None:
    create_standby, change_password, drop_standby = SQL
    clock = Clock(environment)
    strict.run("alter role crm_hosting password 'old-password'")
    secret("DATABASE_SECRET_ARN", {"username": "crm_hosting", "password": "old-password"})
    functions = [Function(environment, every) for every in (1, 3, 7, 9, 11, 13, 19, 29)]
    seen: dict[int, set[str]] = {}

    for minute in range(60):
        clock.minutes = minute
        if minute == 5:
            psql(create_standby)
            secret("DATABASE_SECRET_ARN", {"username": "crm_hosting_standby", "password": "standby-password"})
        if minute == 25:
            psql(change_password)
            secret("DATABASE_SECRET_ARN", {"username": "crm_hosting", "password": "new-password"})
        if minute == 45:
            psql(drop_standby)
        cold = Function(environment)
        asked = [cold, *(function for function in functions if minute % function.every == 0)]
        seen[minute] = {function.logged_in_as() for function in asked}
        cold.close()

    assert seen[0] == seen[4] == {"crm_hosting"}
    assert seen[24] == {"crm_hosting_standby"}
    assert seen[6] == seen[26] == {"crm_hosting", "crm_hosting_standby"}
    assert seen[45] == seen[57] == {"crm_hosting"}
    for function in functions:
        function.close()


def test_the_login_that_stands_in_is_as_bounded_as_the_other(
    strict: Connection, secret: Callable[..., None], psql: Callable[[str], None]
) -> None:
    psql(SQL[0])

    facts = strict.run("select rolconfig, rolconnlimit, rolinherit, rolsuper, rolcreaterole from pg_roles "
                       "where rolname in ('crm_hosting', 'crm_hosting_standby')")  # fmt: skip

    assert facts[0] == facts[1]
    assert len(facts[0][0]) == len(SETTINGS)


def test_a_password_that_simply_changes_is_an_outage_until_the_secret_is_asked_for_again(
    environment: pytest.MonkeyPatch, secret: Callable[..., None], strict: Connection
) -> None:
    clock = Clock(environment)
    strict.run("alter role crm_hosting password 'old-password'")
    secret("DATABASE_SECRET_ARN", {"username": "crm_hosting", "password": "old-password"})
    function, connected = Function(environment), Function(environment)
    connected.logged_in_as()
    strict.run("alter role crm_hosting password 'new-password'")

    with pytest.raises(AppError) as failure:
        function.logged_in_as()
    assert (status_of(failure.value), failure.value.fields) == (503, {"reason": "28P01"})
    assert connected.logged_in_as() == "crm_hosting"
    secret("DATABASE_SECRET_ARN", {"username": "crm_hosting", "password": "new-password"})
    with pytest.raises(AppError):
        function.logged_in_as()
    clock.minutes = 1.1
    assert function.logged_in_as() == "crm_hosting"
    for one in (function, connected):
        one.close()


def test_the_session_key_changes_and_no_session_is_lost(
    environment: pytest.MonkeyPatch, secret: Callable[..., None]
) -> None:
    start = time.time()
    clock = Clock(environment)
    crm = Flask("crm")
    crm.secret_key = "the old key"
    secret("SESSION_SECRET_ARN", "the old key")
    functions = [Function(environment, every) for every in (1, 3, 7, 13, 29)]
    environment.setattr(time, "time", lambda: start + 60 * clock.minutes)
    cookies: dict[int, str] = {}

    for minute in [*range(40), *range(40, 490, 10), *range(490, 520)]:
        clock.minutes = minute
        if minute == 5:
            secret("SESSION_SECRET_ARN", ["the new key", "the old key"])
        if minute == 15:
            crm.secret_key, crm.config["SECRET_KEY_FALLBACKS"] = "the new key", ["the old key"]
        if minute == 15 + 8 * 60:
            secret("SESSION_SECRET_ARN", ["the new key"])
        signer = SecureCookieSessionInterface().get_signing_serializer(crm)
        assert signer is not None
        cookies[minute] = str(signer.dumps({"user_id": 7}))
        living = [cookie for signed, cookie in cookies.items() if signed >= minute - 8 * 60]
        for function in [Function(environment), *(one for one in functions if minute % one.every == 0)]:
            for cookie in (living[0], living[len(living) // 2], living[-1]):
                assert function.user_of(cookie, start + 60 * minute) == 7, minute

    # And the old key is worth nothing now.
    crm.secret_key = "the old key"
    signer = SecureCookieSessionInterface().get_signing_serializer(crm)
    assert signer is not None
    for function in functions:
        with pytest.raises(NotAuthenticated):
            function.user_of(str(signer.dumps({"user_id": 7})), start + 60 * clock.minutes)
