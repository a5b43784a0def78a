"""What the server says to a question: https://www.postgresql.org/docs/current/protocol-message-formats.html

Each of these reads one answer to its end and raises Refused where the server refuses, BrokenProtocol where it says
anything that does not belong there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm_services.postgres.driver import BrokenProtocol, Column, Driver, Message, fields, row

Row = list[Any]

PARSED, BOUND, CLOSED, TAKES, COLUMNS, NO_COLUMNS = b"1", b"2", b"3", b"t", b"T", b"n"
ROW, DONE, NOTHING, REFUSED, READY = b"D", b"C", b"I", b"E", b"Z"


class Refused(Exception):
    """The server does not do what was asked; `fields` say why.

    `is_late`: it had done it. A transaction that ends with the statement may fail so; within one, nothing does.
    """

    def __init__(self, body: bytes) -> None:
        self.fields = fields(body)
        self.is_late = False


@dataclass
class Statement:
    """What a connection knows of a statement: its name (none where it is not kept), and how its columns are read."""

    name: bytes
    columns: list[Column] | None = None
    is_known: bool = False  # by the server, too


def hear_statement(driver: Driver, statement: Statement, is_new: bool, closings: int) -> tuple[list[Row], bytes]:
    """The rows of a statement, and the transaction's state; `closings` are said of portals before the end."""
    if is_new:
        _receive(driver, PARSED)
        _receive(driver, TAKES)
        statement.columns = _columns(driver, _receive(driver, COLUMNS, NO_COLUMNS))
        statement.is_known = True
    _receive(driver, BOUND)
    rows: list[Row] = []
    while (message := _receive(driver, ROW, DONE)).kind == ROW:
        rows.append(row(message.body, statement.columns))
    _tag(message, statement.columns, rows)
    try:
        for _ in range(closings):
            _receive(driver, CLOSED)
        return rows, hear_state(driver)
    except Refused as refused:
        refused.is_late = True
        raise


def hear_commands(driver: Driver) -> tuple[list[Row], list[bytes], bytes]:
    """The last rows of several commands, the tag of each that has one, and the transaction's state."""
    tags: list[bytes] = []
    columns: list[Column] | None = None
    found: list[Row] = []
    rows: list[Row] = []
    while (message := _receive(driver, COLUMNS, ROW, DONE, NOTHING, READY)).kind != READY:
        if message.kind == COLUMNS:
            columns, found = _columns(driver, message), []
        elif message.kind == ROW:
            found.append(row(message.body, columns))
        elif message.kind == DONE:
            tags.append(_tag(message, columns, found))
            columns, rows = None, rows if columns is None else found
    return rows, tags, message.body


def hear_state(driver: Driver) -> bytes:
    """The transaction's state, with which each answer ends."""
    return _receive(driver, READY).body


def _receive(driver: Driver, *kinds: bytes) -> Message:
    message = driver.receive()
    if message.kind == REFUSED:
        raise Refused(message.body)
    if message.kind not in kinds:
        raise BrokenProtocol
    return message


def _columns(driver: Driver, message: Message) -> list[Column] | None:
    return driver.columns(message.body) if message.kind == COLUMNS else None


def _tag(message: Message, columns: Sequence[Column] | None, rows: Sequence[Row]) -> bytes:
    tag, *numbers = message.body.rstrip(b"\0").split(b" ")
    if columns is not None and numbers and int(numbers[-1]) != len(rows):
        raise BrokenProtocol
    return tag
