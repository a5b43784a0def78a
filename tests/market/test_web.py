"""The HTTP client for strangers' answers, against real servers: patience, redirects, certificates."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from crm_services.market.web import Patience, Source, Unusable
from tests.support.strangers import HASTE, PATIENCE, Stranger, answer, drip, head, listening, one_after_another, silence


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """A server that is asked for `/figure`."""
    with listening() as server:
        server.answers["/figure"] = answer("1")
        yield server


TOO_MANY = "429 Too Many Requests"
# The same for every worker of a parallel run, which has to find tests of the same names.
PAST = "Sat, 01 Nov 2025 12:00:00 GMT"
FUTURE = "Thu, 01 Nov 2125 12:00:00 GMT"


@pytest.mark.parametrize("retry_after", ["0", "1", PAST, "soon", "-1", ""])
def test_who_is_told_to_come_back_soon_does(stranger: Stranger, retry_after: str) -> None:
    stranger.answers["/figure"] = one_after_another(answer("", TOO_MANY, Retry_After=retry_after), answer("2"))

    assert Source(stranger.url, PATIENCE).get("/figure") == b"2"


@pytest.mark.parametrize("retry_after", ["3600", FUTURE, "9" * 500])
def test_who_is_told_to_come_back_later_does_not_wait(stranger: Stranger, retry_after: str) -> None:
    stranger.answers["/figure"] = one_after_another(answer("", TOO_MANY, Retry_After=retry_after), answer("2"))

    with pytest.raises(Unusable, match="status 429"):
        Source(stranger.url, PATIENCE).get("/figure")

    assert stranger.asked == ["/figure"]


def test_the_patience_with_a_source_ends_however_many_attempts_are_left(stranger: Stranger) -> None:
    stranger.answers["/figure"] = silence
    source = Source(stranger.url, Patience(in_all=0.5, attempt=0.2, attempts=1000, pause=0.001))

    for _ in range(2):
        with pytest.raises(Unusable, match=r"too slow|no time left"):
            source.get("/figure")

    assert len(stranger.asked) < 10


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(stranger: Stranger, status: str) -> None:
    with listening() as elsewhere:
        elsewhere.answers["/figure"] = answer("1")
        stranger.answers["/figure"] = answer("", status, Location=f"{elsewhere.url}/figure")

        with pytest.raises(Unusable, match=f"status {status[:3]}"):
            Source(stranger.url, PATIENCE).get("/figure")

        assert elsewhere.asked == []


@pytest.mark.parametrize("scheme", ["http", "ftp", "file"])
def test_an_address_of_another_machine_has_to_be_https(scheme: str) -> None:
    with pytest.raises(Unusable, match="not https"):
        Source(f"{scheme}://mempool.example.com/api", PATIENCE).get("/figure")


@pytest.mark.parametrize(
    ("name", "is_trusted", "outcome"),
    [
        ("127.0.0.1", True, None),
        ("127.0.0.1", False, "certificate not trusted"),
        ("mempool.example.com", True, "certificate not trusted"),
    ],
    ids=["the machine's own authority", "an unknown authority", "another's name"],
)
def test_the_certificate_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_trusted: bool, outcome: str | None
) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (ours if is_trusted else theirs).issue_cert(name).configure_cert(tls)
    with listening(tls) as server:
        server.answers["/figure"] = answer("1")
        source = Source(server.url, PATIENCE)
        if outcome is None:
            assert source.get("/figure") == b"1"
        else:
            with pytest.raises(Unusable, match=outcome):
                source.get("/figure")
            assert server.asked == []


@pytest.mark.parametrize("drop", [b"", b" "], ids=["silent", "dripping"])
def test_a_slow_body_over_tls_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drop: bytes) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with listening(tls) as server:
        server.answers["/figure"] = drip(head(Content_Length="9000"), drop) if drop else silence

        with pytest.raises(Unusable, match="too slow"):
            Source(server.url, replace(HASTE, attempts=1)).get("/figure")
