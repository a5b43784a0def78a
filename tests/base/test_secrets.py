"""Secrets come from Secrets Manager: asked for seldom, renewed without a deploy, never shown."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto.secretsmanager.models import SecretsManagerBackend

from crm_services.base import settings as settings_module
from crm_services.base.errors import MissingSetting, Unavailable, UnusableSetting
from crm_services.base.secrets import login, session_secrets
from crm_services.postgres.target import DatabaseTarget, database_target, parse_database_url
from local.cookies import session_cookie
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.given import SECRET

PATH = "/crm/api/sync-status"


class Secrets:
    """Secrets Manager, how often it was asked, and a clock to move."""

    def __init__(self, environment: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self._environment = environment
        self._boto = boto3.client("secretsmanager")
        ask, now = SecretsManagerBackend.get_secret_value, time.monotonic

        def counted(*args: Any, **more: Any) -> Any:
            self.asked += 1
            return ask(*args, **more)

        environment.setattr(SecretsManagerBackend, "get_secret_value", counted)
        self.passed = 0.0
        environment.setattr("time.monotonic", lambda: now() + self.passed)

    def hold(self, setting: str, value: str) -> None:
        """Create the secret that the setting names."""
        arn = self._boto.create_secret(Name=setting, SecretString=value)["ARN"]
        self._environment.setenv(setting, arn)
        self._environment.delenv(setting.removesuffix("_ARN"), raising=False)

    def rotate(self, setting: str, value: str) -> None:
        self._boto.put_secret_value(SecretId=setting, SecretString=value)

    def lose(self, setting: str) -> None:
        self._boto.delete_secret(SecretId=setting, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def secrets(aws: pytest.MonkeyPatch) -> Secrets:
    return Secrets(aws)


@pytest.fixture
def ask(client: Client, crm: Crm) -> Callable[..., int]:
    """Ask with a session signed with that secret; returns the status."""
    user = crm.account(role="admin")
    return lambda secret: client.get(PATH, Cookie=f"session={session_cookie(secret, user)}").status_code


def test_the_secret_is_fetched_once_for_many_requests(secrets: Secrets, ask: Callable[..., int]) -> None:
    secrets.hold("SESSION_SECRET_ARN", SECRET)

    assert [ask(SECRET) for _ in range(5)] == [200] * 5
    assert secrets.asked == 1


def test_a_rotated_secret_is_picked_up_by_the_first_session_that_it_signed(
    secrets: Secrets, ask: Callable[..., int]
) -> None:
    secrets.hold("SESSION_SECRET_ARN", SECRET)
    assert ask(SECRET) == 200
    secrets.rotate("SESSION_SECRET_ARN", json.dumps(["the-new-one", SECRET]))
    secrets.passed = 61

    assert (ask("the-new-one"), ask(SECRET), secrets.asked) == (200, 200, 2)


def test_garbage_cookies_do_not_hammer_secrets_manager(secrets: Secrets, client: Client) -> None:
    secrets.hold("SESSION_SECRET_ARN", SECRET)

    for minute in range(3):
        secrets.passed = 61 * minute
        for number in range(50):
            assert client.get(PATH, Cookie=f"session=garbage{number}.x.y").status_code == 401
    assert secrets.asked == 3
    for cookie in ("", "theme=dark"):  # no session, no question
        secrets.passed += 61
        assert client.get(PATH, Cookie=cookie).status_code == 401
    assert secrets.asked == 3


def test_a_withdrawn_secret_is_refused_after_ten_minutes_though_nothing_failed(
    secrets: Secrets, ask: Callable[..., int]
) -> None:
    secrets.hold("SESSION_SECRET_ARN", json.dumps(["the-new-one", SECRET]))
    assert ask(SECRET) == 200
    secrets.rotate("SESSION_SECRET_ARN", "the-new-one")

    secrets.passed = 599
    assert ask(SECRET) == 200
    secrets.passed = 601
    assert ask(SECRET) == 401


def test_while_secrets_manager_fails_the_known_secret_goes_on_serving(
    secrets: Secrets, ask: Callable[..., int]
) -> None:
    secrets.hold("SESSION_SECRET_ARN", SECRET)
    assert ask(SECRET) == 200
    secrets.lose("SESSION_SECRET_ARN")

    for secrets.passed in (61, 601, 1300):
        assert (ask("another"), ask(SECRET)) == (401, 200)


def test_without_any_secret_the_answer_is_unavailable_and_the_log_says_which(
    secrets: Secrets, ask: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.hold("SESSION_SECRET_ARN", SECRET)
    secrets.lose("SESSION_SECRET_ARN")

    assert [ask(SECRET) for _ in range(10)] == [503] * 10
    assert secrets.asked == 1
    secrets.passed = 3
    assert (ask(SECRET), secrets.asked) == (503, 2)


def test_an_unreachable_secrets_manager_is_unavailable(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SESSION_SECRET")
    environment.setenv("SESSION_SECRET_ARN", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x")
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.setenv(name, "testing")
    environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    with pytest.raises(Unavailable) as failure:
        session_secrets()
    assert failure.value.fields == {"reason": "ConnectionRefusedError"}


def test_a_session_secret_that_is_none_is_refused_by_name_and_never_shown(secrets: Secrets) -> None:
    secrets.hold("SESSION_SECRET_ARN", SECRET)

    for value in (
        "[]",
        '[""]',
        '["  "]',
        "[1]",
        '["good", null]',
        '[["nested"]]',
        "[[]]",
        "{}",
        '{"SECRET_KEY": ""}',
        '{"SECRET_KEY": ["good", 1]}',
        '{"username": "crm", "password": "of the database"}',
        " ",
        "\n",
    ):
        secrets.rotate("SESSION_SECRET_ARN", value)
        secrets.passed += 61
        with pytest.raises(UnusableSetting, match="SESSION_SECRET_ARN") as failure:
            session_secrets(refresh=True)
        _assert_silent(failure.value, value)


@pytest.mark.parametrize(
    ("held", "keys"),
    [
        ("key\n", ["key"]),
        ("key\r\n", ["key"]),
        ("\ufeffkey ", ["key"]),
        ("key\n", ["key\n"]),  # a CRM that reads the same file and strips nothing
        ("[key", ["[key"]),
        ("{key}", ["{key}"]),
        ("[key]\n", ["[key]"]),
        ('["new", "old"]\n', ["new", "old"]),
        ('["new\\n", "old"]', ["new", "old"]),
        ('{"SECRET_KEY": "key"}', ["key"]),
        ('{"SECRET_KEY":"key\\n"}\n', ["key"]),
        ('{"key of the CRM": "key"}', ["key"]),
        ('{"SECRET_KEY": "key", "DATABASE_URL": "postgresql://"}', ["key"]),
        ('{"SECRET_KEY": "[\\"new\\", \\"old\\"]"}', ["new", "old"]),
        ('{"SECRET_KEY": ["new", "old"]}', ["new", "old"]),
        ('{"SECRET_KEY": "{key"}', ["{key"]),
        ('"key"', ['"key"']),
        ("123", ["123"]),
        ("null", ["null"]),
    ],
)
def test_a_session_secret_is_taken_however_it_was_put_there(
    secrets: Secrets, ask: Callable[..., int], held: str, keys: list[str]
) -> None:
    secrets.hold("SESSION_SECRET_ARN", held)

    assert [ask(key) for key in keys] == [200] * len(keys)
    assert (ask("another"), ask(held + "x"), ask("x" + keys[0])) == (401, 401, 401)


def test_a_database_secret_may_end_with_a_line_too(secrets: Secrets) -> None:
    secrets.hold("DATABASE_SECRET_ARN", '\ufeff{"username": "u", "password": "hunter2 ", "host": "elsewhere"}\r\n')

    assert login("DATABASE_SECRET_ARN", refresh=False) == ("u", "hunter2 ")


def test_where_no_session_verifies_the_log_asks_for_the_secret_now_and_then(
    secrets: Secrets, ask: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> int:
        return len([one for one in caplog.records if one.getMessage() == "no session verifies"])

    secrets.hold("SESSION_SECRET_ARN", "not-the-crms")
    secrets.passed = start = 100_000  # long after whoever has asked this process before
    assert [ask(SECRET) for _ in range(20)] == [401] * 20
    assert said() == 1
    secrets.passed = start + 601
    assert (ask(SECRET), ask(SECRET), said()) == (401, 401, 2)
    secrets.rotate("SESSION_SECRET_ARN", SECRET)
    secrets.passed = start + 1300
    assert (ask(SECRET), ask("a stranger's"), said()) == (200, 401, 2)
    secrets.passed = start + 1950  # nobody has got in for so long
    assert (ask("a stranger's"), said()) == (401, 3)
    assert "not-the-crms" not in caplog.text
    assert SECRET not in caplog.text


def test_a_database_secret_without_a_login_is_refused_by_name_and_never_shown(secrets: Secrets) -> None:
    secrets.hold("DATABASE_SECRET_ARN", "hunter2")
    secrets._environment.delenv("DATABASE_URL")

    for value in ("hunter2", "{hunter2", '["u", "hunter2"]', '{"password": "hunter2"}', '{"username": "u"}'):
        secrets.rotate("DATABASE_SECRET_ARN", value)
        secrets.passed += 61
        with pytest.raises(UnusableSetting, match="DATABASE_SECRET_ARN") as failure:
            database_target(refresh=True)
        _assert_silent(failure.value, "hunter2")


def _assert_silent(error: BaseException | None, value: str) -> None:
    """The value is in nothing that a traceback would print, nor in what led to it."""
    while error is not None:
        assert value not in str(error) or value == " "
        assert not hasattr(error, "doc")
        error = error.__cause__ or error.__context__


def test_a_secret_that_is_refused_answers_500_and_the_log_names_the_setting(
    secrets: Secrets, ask: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    secrets.hold("SESSION_SECRET_ARN", '[""]')

    assert ask("any") == 500
    [record] = [record for record in caplog.records if record.getMessage() == "unexpected"]
    assert "SESSION_SECRET_ARN" in record.error  # type: ignore[attr-defined]


def test_a_missing_setting_fails_by_name(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SESSION_SECRET")
    with pytest.raises(MissingSetting, match="SESSION_SECRET_ARN"):
        session_secrets()

    environment.delenv("DATABASE_URL")
    with pytest.raises(MissingSetting, match="DATABASE_SECRET_ARN"):
        database_target()

    environment.setenv("LINK_SCOPE", "everything")
    with pytest.raises(UnusableSetting, match="LINK_SCOPE"):
        settings_module.settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_PORT", "abc"),
        ("DATABASE_PORT", "0"),
        ("CONNECTION_LIMIT", "many"),
        ("RUN_RETENTION_DAYS", "1.5"),
        ("REQUEST_RUN_SECONDS", "x"),
        ("BATCH_WORKERS", "Infinity"),
        ("SESSION_HOURS", "NaN"),
        ("DATABASE_URL", "postgresql://u:hunter2#@h/db"),
        ("DATABASE_URL", "postgresql://u:p@h:hunter2/db"),
        ("DATABASE_URL", "postgresql://u:p@[hunter2/db"),
        ("DATABASE_URL", "jdbc:postgresql://h/hunter2"),
    ],
)
def test_a_setting_that_is_none_is_refused_by_name_and_never_shown(secrets: Secrets, name: str, value: str) -> None:
    secrets.hold("DATABASE_SECRET_ARN", '{"username": "u", "password": "p"}')
    secrets._environment.delenv("DATABASE_URL")
    secrets._environment.setenv("DATABASE_HOST", "h")
    secrets._environment.setenv("DATABASE_NAME", "crm")
    secrets._environment.setenv(name, value)

    with pytest.raises(UnusableSetting, match=name) as failure:
        settings_module.settings(), settings_module.connection_limit(), database_target()
    assert "hunter2" not in str(failure.value)


def test_a_password_is_not_in_the_repr_of_where_the_database_is() -> None:
    assert "hunter2" not in repr(parse_database_url("postgresql://u:hunter2@db.example.com/crm"))


def test_a_login_from_a_secret_is_used_over_verified_tls_only(secrets: Secrets) -> None:
    secrets.hold("DATABASE_SECRET_ARN", '{"username": "crm_hosting", "password": "hunter2"}')
    secrets._environment.delenv("DATABASE_URL")
    secrets._environment.setenv("DATABASE_HOST", "localhost")
    secrets._environment.setenv("DATABASE_NAME", "crm")

    assert database_target() == DatabaseTarget("crm_hosting", "hunter2", "crm", "localhost", sslmode="verify-full")
