"""Language and encoding by quality values, as RFC 9110 has them."""

import base64
import zlib

import pytest

from crm_services.http.negotiation import accepts_gzip, gzipped, preferred_language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh;q=0.8, en;q=0.9", "en"),
        ("zh-Hant-TW;q=0.3,en;q=0.2", "zh"),
        ("en,zh", "zh"),  # neither is preferred
        ("en;q=0.8,zh;q=0.8", "zh"),
        ("fr", "zh"),
        ("fr, en;q=0.1", "en"),
        ("en;q=0", "zh"),
        ("en;q=0.001", "en"),
        ("en;q=0, zh;q=0", "zh"),
        ("*", "zh"),
        ("zh;q=0, *;q=0.1", "en"),
        ("en;q=0.4, *;q=0.5", "zh"),
        ("zh;q=0.4, *;q=0.5", "en"),
        ("en ; Q=1.000 , zh;q=0.999", "en"),
        ("english", "zh"),
        # What is no quality value says nothing.
        ("en;q=nan", "zh"),
        ("en;q=inf", "zh"),
        ("en;q=1.5", "zh"),
        ("en;q=-1", "zh"),
        ("en;q=0.1234", "zh"),
        ("en;q=٠٫٩", "zh"),
        ("en;q=", "zh"),
        ("en;level=1", "zh"),
        (";q=1,,;", "zh"),
        ("\x00\udcff;q=1", "zh"),
    ],
)
def test_english_is_spoken_where_its_quality_is_the_higher_one(header: str, language: str) -> None:
    assert preferred_language(header) == language


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("identity;q=0, *", True),
        ("identity, gzip;q=0.5", False),
        ("br", False),
        ("x-not-gzip", False),
    ],
)
def test_gzip_is_sent_to_who_lists_it_and_does_not_prefer_the_plain_body(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_a_compressed_body_is_the_body() -> None:
    body = '{"name": "北极星"}' * 1000

    assert zlib.decompress(base64.b64decode(gzipped(body)), wbits=31).decode() == body
    assert len(gzipped(body)) < len(body) / 10
