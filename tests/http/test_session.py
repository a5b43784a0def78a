"""The CRM's session cookie: what Flask signs is accepted, and nothing else is."""

import base64
import hashlib
import json
import string
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.http import parse_cookie

from crm_services.base.errors import NotAuthenticated
from crm_services.http.cookie import session_cookie
from crm_services.http.session import session_of
from tests.support.client import Client
from tests.support.crm import Crm
from tests.support.given import SECRET

NOW = 1_800_000_000
OTHER_SECRET = "somebody-else-signs-with-this"
PATH = "/crm/api/sync-status"


def flask_cookie(session: Any, secret: str = SECRET) -> str:
    """The session as Flask itself signs it, now."""
    app = Flask(__name__)
    app.secret_key = secret
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return str(signer.dumps(session))


def signed_at(moment: float, session: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The session as Flask signs it at that moment."""
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: moment)
        return flask_cookie(session)


def signed_payload(payload: bytes, secret: str = SECRET) -> str:
    """Any bytes at all under a signature that is right."""
    signer = TimestampSigner(secret, salt="cookie-session", key_derivation="hmac", digest_method=hashlib.sha1)
    return signer.sign(payload).decode("latin-1")


def user_id_of(cookie: str, secrets: list[str], now: float) -> int:
    """The account of a session of eight hours."""
    return session_of(cookie, secrets, now, 8 * 3600).user_id


def status(client: Client, cookie: str) -> int:
    """How the API answers to that Cookie header; fails where it is not the API that answers."""
    response = client.get(PATH, Cookie=cookie)
    assert response.json is not None
    assert response.json["success"] is (response.status_code == 200)
    return response.status_code


@pytest.fixture
def user(crm: Crm) -> int:
    return crm.account(role="admin")


def test_a_session_with_everything_that_flask_can_put_there_is_accepted(client: Client, user: int) -> None:
    session = {
        "user_id": user,
        "email": "Ä@example.com",
        "role": "guest",
        "_flashes": [("message", "saved"), ("error", Markup("<b>no</b>"))],
        "token": b"\x00\xff",
        "uuid": uuid4(),
        "since": datetime.now(UTC),
        "none": None,
        "nested": {" t": [1, (2, 3)], "a": {" b": "c"}},
        "pad": "x" * 2000,  # long enough to be compressed
    }

    assert flask_cookie(session).startswith(".")
    assert status(client, f"session={flask_cookie(session)}") == 200
    assert status(client, f"session={flask_cookie({'user_id': user})}") == 200


def test_no_session_is_not_logged_in(client: Client, user: int) -> None:
    good = flask_cookie({"user_id": user})

    for cookie in ("", "session", "session=", 'session=""', "; ;", f"Session={good}", f"xsession={good}", f"={good}"):
        assert status(client, cookie) == 401, cookie


def test_of_several_sessions_the_first_counts_as_in_flask(client: Client, user: int) -> None:
    good, bad = flask_cookie({"user_id": user}), flask_cookie({"user_id": user}, OTHER_SECRET)

    assert status(client, f"theme=dark; session={good}; session={bad}") == 200
    assert status(client, f"session={bad}; session={good}") == 401
    assert status(client, f"session=; session={good}") == 401


@pytest.mark.parametrize(
    "header",
    [
        "session=a.b-c_d",
        'session="a.b"',
        " session = a ",
        "a=b; session=1; session=2",
        "session; session=2",
        "session=",
    ],
)
def test_the_cookie_header_is_read_as_werkzeug_reads_it(header: str) -> None:
    assert session_cookie([one.strip() for one in header.split(";")], "session") == parse_cookie(header)["session"]


def test_a_cookie_with_a_single_flipped_bit_is_refused(client: Client, user: int) -> None:
    cookie = flask_cookie({"user_id": user})
    tampered = list(_flipped(cookie))

    assert user_id_of(cookie, [SECRET], time.time()) == user
    assert len(tampered) == 8 * (len('{"user_id":1}') + 4 + 20)  # payload, time and SHA-1
    for one in tampered:
        with pytest.raises(NotAuthenticated):
            user_id_of(one, [SECRET], time.time())
    for one in tampered[::50]:
        assert status(client, f"session={one}") == 401


def _flipped(cookie: str) -> Any:
    """The cookie with each bit flipped of each part as it decodes: payload, time and signature."""
    parts = cookie.split(".")
    for number, part in enumerate(parts):
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        for bit in range(8 * len(decoded)):
            changed = bytearray(decoded)
            changed[bit // 8] ^= 1 << bit % 8
            encoded = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
            yield ".".join([*parts[:number], encoded, *parts[number + 1 :]])


def test_a_truncated_cookie_is_refused(client: Client, user: int) -> None:
    cookie = flask_cookie({"user_id": user})

    for length in range(len(cookie)):
        with pytest.raises(NotAuthenticated):
            user_id_of(cookie[:length], [SECRET], time.time())
    assert status(client, f"session={cookie[:-1]}") == 401


def test_a_session_signed_in_any_other_way_is_refused(client: Client, user: int) -> None:
    right = (SECRET, "cookie-session", "hmac", hashlib.sha1)
    wrong = [
        (OTHER_SECRET, "cookie-session", "hmac", hashlib.sha1),
        ("", "cookie-session", "hmac", hashlib.sha1),
        (SECRET + "\n", "cookie-session", "hmac", hashlib.sha1),
        (SECRET, "itsdangerous", "hmac", hashlib.sha1),
        (SECRET, "", "hmac", hashlib.sha1),
        (SECRET, "cookie-session", "django-concat", hashlib.sha1),
        (SECRET, "cookie-session", "none", hashlib.sha1),
        (SECRET, "cookie-session", "hmac", hashlib.sha256),
        (SECRET, "cookie-session", "hmac", hashlib.md5),
    ]

    def sign(secret: str, salt: str, derivation: str, digest: Any) -> str:
        how = {"key_derivation": derivation, "digest_method": digest}
        return str(URLSafeTimedSerializer(secret, salt, signer_kwargs=how).dumps({"user_id": user}))

    assert status(client, f"session={sign(*right)}") == 200
    for how in wrong:
        assert status(client, f"session={sign(*how)}") == 401, how


@pytest.mark.parametrize(
    ("age", "is_good"),
    [(0, True), (8 * 3600, True), (8 * 3600 + 1, False), (32 * 86_400, False), (-59, True), (-60, True), (-61, False)],
)
def test_a_session_is_good_for_eight_hours_and_a_minute_of_clock_skew(
    age: int, is_good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = signed_at(NOW - age, {"user_id": 7}, monkeypatch)

    if is_good:
        assert user_id_of(cookie, [SECRET], NOW + 0.9) == 7
    else:
        with pytest.raises(NotAuthenticated):
            user_id_of(cookie, [SECRET], NOW)


def test_an_old_or_early_session_is_refused_over_http_too(
    client: Client, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()

    for age, expected in ((8 * 3600 - 30, 200), (8 * 3600 + 1, 401), (-30, 200), (-90, 401)):
        assert status(client, f"session={signed_at(now - age, {'user_id': user}, monkeypatch)}") == expected, age


def test_only_an_integer_that_can_be_an_id_is_a_user_id(client: Client, user: int) -> None:
    numbers = [True, 1.0, 0, -1, 2**31, 2**63, 10**400, float("nan")]
    for user_id in [None, "1", [1], (1,), {"id": 1}, b"1", uuid4(), *numbers]:
        assert status(client, f"session={flask_cookie({'user_id': user_id, 'role': 'owner'})}") == 401, user_id


def test_a_session_that_is_no_session_is_refused(client: Client, user: int) -> None:
    for session in ({}, {"id": user}, [], [user], user, None, "user_id", {" di": {"user_id": user}}):
        assert status(client, f"session={flask_cookie(session)}") == 401, session


def test_an_account_that_does_not_exist_is_not_logged_in(client: Client, user: int) -> None:
    assert status(client, f"session={flask_cookie({'user_id': 2**31 - 1})}") == 401


def test_a_right_signature_over_garbage_is_refused(client: Client) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 5000).rstrip(b"=")
    for payload in (b"", b"!", b".", b".AAAA", b"\xff\xfe", nested, b"." + nested, _encoded(b"{"), _encoded(b"\xff{}")):
        assert status(client, f"session={signed_payload(payload)}") == 401, payload


def test_a_session_that_unpacks_to_megabytes_is_read_only_under_a_right_signature(client: Client, user: int) -> None:
    bomb = flask_cookie({"user_id": user, "pad": "x" * 4_000_000})

    assert len(bomb) < 8192
    assert status(client, f"session={bomb}") == 200
    assert status(client, f"session={bomb[:-4]}AAAA") == 401


def test_an_overlong_cookie_is_refused(client: Client, user: int) -> None:
    letters = (string.ascii_letters + string.digits) * 1100

    assert status(client, "session=" + letters[: 64 * 1024]) == 401
    assert status(client, f"session={flask_cookie({'user_id': user, 'pad': _noise(64 * 1024)})}") == 401


@pytest.mark.parametrize("cookie", ["\ud800.x.y", "\x00.a.b", "é.é.é", "." * 5000, "a" * 8192])
def test_odd_characters_are_refused(cookie: str) -> None:
    with pytest.raises(NotAuthenticated):
        user_id_of(cookie, [SECRET], NOW)


def test_the_role_in_the_cookie_means_nothing(client: Client, crm: Crm) -> None:
    guest = crm.account(role="guest")

    answer = client.get(PATH, Cookie=f"session={flask_cookie({'user_id': guest, 'role': 'owner'})}")

    assert answer.status_code == 403


def test_each_of_several_secrets_is_accepted(client: Client, user: int, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SESSION_SECRET", json.dumps(["the newest", SECRET]))

    assert status(client, f"session={flask_cookie({'user_id': user}, 'the newest')}") == 200
    assert status(client, f"session={flask_cookie({'user_id': user}, SECRET)}") == 200
    assert status(client, f"session={flask_cookie({'user_id': user}, OTHER_SECRET)}") == 401


def _encoded(payload: bytes) -> bytes:
    return base64.urlsafe_b64encode(payload).rstrip(b"=")


def _noise(length: int) -> str:
    """Text that does not compress to less than a cookie may hold."""
    return "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(length // 64))
