"""TLS as libpq means it, at a real PostgreSQL whose certificate, protocol and rules change."""

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest

from crm_services.base import tls
from crm_services.base.errors import AppError, QueryFailed, Unavailable, UnusableSetting
from crm_services.http.api import logger
from crm_services.postgres.connecting import session
from crm_services.postgres.target import database_target, parse_database_url
from local import cluster
from local.postgres import Server, connect, server
from tests.support.authorities import Authority, Credentials
from tests.support.client import Client
from tests.support.crm import Crm

# PyPI's newest is built without TLS; this one has it.
WITH_TLS = "15"
HOST = "localhost"
IN_THE_CLEAR, UNDER_TLS = False, True


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


# How a server's address is written in its certificate, and in a URL; of the second kind where the kernel knows it.
ADDRESSES = [("127.0.0.1", "127.0.0.1"), *([("::1", "[::1]")] if _has_ipv6() else [])]


@dataclass
class Secured:
    """A PostgreSQL that listens to TCP, and lets whoever comes that way in under TLS alone."""

    server: Server
    folder: Path

    def show(self, credentials: Credentials) -> None:
        """From now on these are its certificate and key."""
        for name, pem in (("server.crt", credentials.chain), ("server.key", credentials.key)):
            path = self.folder / "data" / name
            path.write_bytes(pem)
            path.chmod(0o600)
            if user := cluster.unprivileged():
                os.chown(path, user["user"], user["group"])
        self.set("ssl", "on")

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        with connect(self.server.url("postgres", "postgres")) as admin:
            admin.run(f"alter system set {name} = '{value}'")
            admin.run("select pg_reload_conf()")
        while True:
            with connect(self.server.url("postgres", "postgres")) as admin:
                if admin.run("select setting from pg_settings where name = :name", name=name) == [[value]]:
                    return

    def rule(self, kind: str) -> None:
        """Let in by TCP as pg_hba.conf has it: `hostssl`, `hostnossl` or `host`."""
        rules = f"local all all trust\n{kind} all all 127.0.0.1/32 trust\n{kind} all all ::1/128 trust\n"
        (self.folder / "data" / "pg_hba.conf").write_text(rules)
        with connect(self.server.url("postgres", "postgres")) as admin:
            admin.run("select pg_reload_conf()")
            admin.run("select pg_sleep(0.1)")

    def url(self, query: str = "", host: str = HOST) -> str:
        return f"postgresql://postgres@{host}:{self.server.port}/postgres?{query}"


@pytest.fixture(scope="module")
def running() -> Iterator[Secured]:
    with pytest.MonkeyPatch.context() as environment, TemporaryDirectory() as folder, socket.socket() as free:
        environment.setenv("POSTGRES", WITH_TLS)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        with server(folder, {"fsync": "off"}, listen=",".join(address for address, _ in ADDRESSES), port=port) as one:
            yield Secured(one, Path(folder))


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def secured(running: Secured, authority: Authority) -> Secured:
    """The server as it is right: of the authority, for its host."""
    running.set("ssl_max_protocol_version", "")
    running.set("ssl_min_protocol_version", "TLSv1.2")
    running.show(authority.server(HOST))
    running.rule("hostssl")
    return running


@pytest.fixture
def known(authority: Authority, tmp_path: Path) -> str:
    """What a URL says to believe that authority."""
    path = tmp_path / "authority.pem"
    path.write_bytes(authority.pem)
    return f"&sslrootcert={quote(str(path))}"


def reached(url: str) -> bool:
    """Whether the connection that is had by this URL is under TLS."""
    with session(parse_database_url(url)) as run:
        return bool(run("select ssl from pg_stat_ssl where pid = pg_backend_pid()")[0][0])


def refused(url: str) -> object:
    """Why there is none, for the log."""
    with pytest.raises(AppError) as failure:
        reached(url)
    error = failure.value
    return error.sqlstate if isinstance(error, QueryFailed) else error.fields["reason"]


@pytest.mark.parametrize("mode", ["allow", "prefer", "require", "verify-ca", "verify-full"])
def test_a_server_that_insists_on_tls_is_spoken_to_at_loopback_too(secured: Secured, known: str, mode: str) -> None:
    assert reached(secured.url(f"sslmode={mode}{known}")) == UNDER_TLS


@pytest.mark.parametrize(("address", "host"), ADDRESSES)
def test_a_certificate_may_be_for_an_address_of_either_kind(
    secured: Secured, authority: Authority, known: str, address: str, host: str
) -> None:
    assert refused(secured.url(f"sslmode=verify-full{known}", host)) == "TLS: the certificate is another host's"

    secured.show(authority.server(address))

    assert reached(secured.url(f"sslmode=verify-full{known}", host)) == UNDER_TLS


@pytest.mark.parametrize("query", ["", "sslmode=disable"])
def test_loopback_goes_without_where_nobody_says_otherwise(secured: Secured, query: str) -> None:
    assert refused(secured.url(query)) == "28000"

    secured.rule("host")

    assert reached(secured.url(query)) == IN_THE_CLEAR


@pytest.mark.parametrize(
    ("mode", "is_under_tls"), [("disable", False), ("allow", False), ("prefer", True), ("require", True)]
)
def test_who_leaves_it_to_the_server_gets_what_libpq_would(secured: Secured, mode: str, is_under_tls: bool) -> None:
    secured.rule("host")

    assert reached(secured.url(f"sslmode={mode}")) == is_under_tls


def test_who_prefers_tls_goes_without_where_it_is_refused(secured: Secured) -> None:
    secured.rule("hostnossl")

    assert reached(secured.url("sslmode=prefer")) == IN_THE_CLEAR
    assert refused(secured.url("sslmode=require")) == "28000"


def test_a_server_without_tls_is_for_those_who_do_not_ask_for_it(secured: Secured, known: str) -> None:
    secured.rule("host")
    secured.set("ssl", "off")

    for mode in ("allow", "prefer", "disable"):
        assert reached(secured.url(f"sslmode={mode}")) == IN_THE_CLEAR
    for mode in ("require", "verify-ca", "verify-full"):
        assert refused(secured.url(f"sslmode={mode}{known}")) == "TLS: the server has it switched off"


def test_an_intermediate_authority_is_followed_to_the_one_that_is_believed(
    secured: Secured, authority: Authority, known: str
) -> None:
    secured.show(Authority(above=authority).server(HOST))

    assert reached(secured.url(f"sslmode=verify-full{known}")) == UNDER_TLS


FLAWS = {
    "another host": ("TLS: the certificate is another host's", {"verify-full"}),
    "expired": ("TLS: the certificate has expired", {"require", "verify-ca", "verify-full"}),
    "not yet": ("TLS: the certificate is not valid yet", {"require", "verify-ca", "verify-full"}),
    "unknown": ("TLS: the certificate is of an unknown authority", {"require", "verify-ca", "verify-full"}),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_of_the_certificate_is_named_to_those_who_verify(
    secured: Secured, authority: Authority, known: str, flaw: str
) -> None:
    reason, verifying = FLAWS[flaw]
    match flaw:
        case "another host":
            secured.show(authority.server("db.example.com"))
        case "expired":
            secured.show(authority.server(HOST, days=1))
        case "not yet":
            secured.show(authority.server(HOST, first_day=2))
        case "unknown":
            secured.show(Authority().server(HOST))

    for mode in ("prefer", "require", "verify-ca", "verify-full"):
        url = secured.url(f"sslmode={mode}{known}")
        if mode in verifying:
            assert refused(url) == reason, mode
        else:
            assert reached(url) == UNDER_TLS, mode


def test_who_requires_tls_without_saying_whom_to_believe_believes_anybody(secured: Secured) -> None:
    assert reached(secured.url("sslmode=require")) == UNDER_TLS


def test_without_a_file_the_deployers_authorities_count_and_without_those_the_systems(
    secured: Secured, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = secured.url("sslmode=verify-full")
    assert refused(url) == "TLS: the certificate is of an unknown authority"

    (tmp_path / "mine.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mine.pem"))
    _forget()
    assert reached(url) == reached(secured.url("sslrootcert=system")) == UNDER_TLS

    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setattr(tls, "CERTIFICATES", tmp_path)
    _forget()
    assert reached(url) == UNDER_TLS
    assert refused(secured.url("sslrootcert=system")) == "TLS: the certificate is of an unknown authority"
    _forget()


def test_a_server_that_speaks_an_old_protocol_alone_is_refused_by_that_name(secured: Secured, known: str) -> None:
    secured.set("ssl_min_protocol_version", "TLSv1")
    secured.set("ssl_max_protocol_version", "TLSv1.1")

    assert refused(secured.url(f"sslmode=verify-full{known}")) == "TLS: the server speaks an old protocol only"


def test_a_tunnels_end_is_reached_though_the_certificate_is_for_the_name_behind_it(
    secured: Secured, authority: Authority, known: str
) -> None:
    secured.show(authority.server("db.example.com"))

    assert reached(secured.url(f"hostaddr=127.0.0.1&sslmode=verify-full{known}", "db.example.com")) == UNDER_TLS


@pytest.mark.parametrize("query", ["sslmode=verify-everything", "sslmode=require&sslrootcert=system"])
def test_a_url_that_says_nothing_libpq_would_take_is_refused(query: str) -> None:
    with pytest.raises(UnusableSetting, match="sslmode"):
        parse_database_url(f"postgresql://crm@localhost/crm?{query}")


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_credentials_from_a_secret_go_to_nobody_who_was_not_verified(aws: pytest.MonkeyPatch, mode: str) -> None:
    aws.delenv("DATABASE_URL")
    aws.setenv("DATABASE_SSLMODE", mode)
    aws.setenv("DATABASE_HOST", HOST)
    aws.setenv("DATABASE_NAME", "crm")

    with pytest.raises(UnusableSetting, match="DATABASE_SSLMODE is not verify-full or verify-ca"):
        database_target()


def test_a_request_that_finds_the_wrong_server_says_why_in_its_line(
    secured: Secured, client: Client, crm: Crm, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("DATABASE_URL", secured.url("sslmode=verify-full"))

    answer = client.get("/crm/api/sync-status", crm.account())

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert logger.get_current_keys()["reason"] == "TLS: the certificate is of an unknown authority"


def test_what_is_no_postgresql_is_said_to_be_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://crm@localhost:{listener.getsockname()[1]}/crm?sslmode=verify-full&hostaddr=127.0.0.1"

        def speak_http() -> None:
            connection, _ = listener.accept()
            connection.recv(8)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=speak_http)
        thread.start()
        with pytest.raises(Unavailable) as failure:
            reached(url)
        thread.join()

    assert failure.value.fields["reason"] == "TLS: not a PostgreSQL that knows of it"


def _forget() -> None:
    tls.tls_context.cache_clear()
    tls.database_tls_context.cache_clear()
