"""Rows of an answer as CSV, for spreadsheets: RFC 4180 in UTF-8, which they know by its byte order mark."""

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.http.negotiation import liked

Shape = Annotated[
    Literal["json", "csv"] | None,
    Query(
        alias="format",
        description="`csv`, as with `Accept: text/csv`; the next page is in the header Link",
    ),
]
CSV = "text/csv"
BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for a formula, wide and small forms alike, and what it may skip before one. Where semicolons
# separate cells, as in half of Europe, a cell begins within a text, too.
_SIGNS = r"=+\-@\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
_SKIPPED = r"\s\x00-\x1f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
FORMULA = re.compile(
    rf"^(?=[\t\r\n]|[{_SKIPPED}]*[{_SIGNS}])"
    rf"|(?<=[;\t\r\n])(?=[{_SKIPPED}\"]*[{_SIGNS}])"
)


class _Figure(str):
    """A number in the digits that PostgreSQL wrote."""

    __slots__ = ()


def is_asked_for(given: str | None, accept: str) -> bool:
    """Whether CSV is asked for: by name, or because it is liked better than JSON."""
    if given is not None:
        return given == "csv"
    return liked(accept, CSV) > liked(accept, "application/json")


def as_csv(rows: str, columns: Iterable[str], within: str | None = None) -> str:
    """A JSON array of objects (or that member of an object) as a table.

    Figures are as they are, text so that no cell is a formula, null is nothing. A list or an object within a row is a
    cell of JSON, unless columns are of what is in the object: `before.power`.
    """
    names = list(columns)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(names)
    found = json.loads(rows, parse_int=_Figure, parse_float=_Figure)
    for row in found[within] if within else found:
        writer.writerow([_cell(_at(row, name)) for name in names])
    return BYTE_ORDER_MARK + written.getvalue()


def _at(row: dict[str, Any], name: str) -> Any:
    outer, _, inner = name.partition(".")
    found = row.get(outer)
    return found.get(inner) if inner and found is not None else found


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case _Figure():
            return value
        case bool():
            return "true" if value else "false"
        case str():
            return FORMULA.sub("'", value)
    return _json(value)


def _json(value: Any) -> str:
    """As JSON, figures in the digits that they have, and without a semicolon."""
    match value:
        case _Figure():
            return value
        case str():
            return json.dumps(value, ensure_ascii=False).replace(";", r"\u003b")
        case dict():
            return "{" + ", ".join(f"{_json(name)}: {_json(one)}" for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
