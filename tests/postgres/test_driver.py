"""What postgres/driver.py relies on of pg8000 that pg8000 does not promise."""

import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from pg8000 import core, native

from crm_services.postgres.connecting import connect as connect_bundle
from crm_services.postgres.driver import LONGEST, BrokenProtocol, Driver, Stream, fields, parsed, row
from crm_services.postgres.target import parse_database_url
from local.environment import ROOT
from local.postgres import Server


def test_the_version_is_one_that_was_looked_at() -> None:
    [bound] = [
        one
        for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        if one.startswith("pg8000")
    ]

    assert bound == "pg8000>=1.31.6,<1.32"
    assert version("pg8000").startswith("1.31.")
    assert Path(inspect.getfile(core)).name == "core.py"


def test_the_driver_reads_and_writes_by_the_stream_that_is_put_in_its_place(postgres: Server) -> None:
    connection = connect_bundle(parse_database_url(postgres.url("postgres", "postgres")))
    driver = connection._driver
    assert isinstance(driver, Driver)

    assert isinstance(driver._sock, Stream)
    assert "_sock" not in vars(driver)
    assert driver._usock is driver.stream._socket
    connection.close()
    assert driver._usock.fileno() == -1
    assert driver._sock is None


def test_the_driver_describes_columns_by_their_types_and_reads_them(postgres: Server) -> None:
    connection = connect_bundle(parse_database_url(postgres.url("postgres", "postgres")))

    sql = "select :n::integer, :t::text, null::text, true, array[1, 2], 1.50::numeric, :ids::integer[]"
    question = connection.ask(sql, {"n": 7, "t": "é✓", "ids": [3, 4]}, 5)

    [found] = connection.rows(question)
    assert found[:5] == [7, "é✓", None, True, [1, 2]]
    assert (str(found[5]), found[6]) == ("1.50", [3, 4])
    connection.close()


@pytest.mark.parametrize("name", ["handle_ROW_DESCRIPTION", "close", "run"])
def test_the_driver_has_what_is_overridden_or_called(name: str) -> None:
    assert callable(getattr(native.Connection, name))


def test_parameters_are_named_in_their_order() -> None:
    statement, values = parsed("select :b, :a, :b, 'x:y', a::text")

    assert statement == "select $1, $2, $1, 'x:y', a::text"
    assert values({"a": 1, "b": 2}) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"\0\2\0\0\0\1a",  # of two columns, one
        b"\0\1\0\0\0\1ab",  # with more behind it
        b"\0\1\0\0\0\5a",  # cut
    ],
)
def test_a_row_of_another_shape_is_none(body: bytes) -> None:
    with pytest.raises(BrokenProtocol):
        row(body, [str])
    assert row(b"\0\1\0\0\0\1a", [str]) == ["a"]


def test_a_refusals_fields_are_read_whatever_their_encoding() -> None:
    assert fields(b"SERROR\0C22P02\0M\xff\xfe\0\0") == {"S": "ERROR", "C": "22P02", "M": "��"}
    assert LONGEST > 6_000_000
