"""Rows of an answer as CSV, for spreadsheets: RFC 4180 in UTF-8, which they know by its byte order mark."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from crm_services.http.negotiation import weights

Shape = Annotated[
    Literal["json", "csv"] | None,
    Query(
        alias="format",
        description="`csv`, as with `Accept: text/csv`; the next page is in the header Link",
    ),
]
CSV = "text/csv"
BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for a formula, or skips before it finds one; the wide ones are taken for the others.
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


class _Figure(str):
    """A number in the digits that PostgreSQL wrote."""

    __slots__ = ()


def is_asked_for(given: str | None, accept: str) -> bool:
    """Whether CSV is asked for: by name, or because it is liked better than JSON."""
    if given is not None:
        return given == "csv"
    liked = weights(accept)
    others = max((liked.get(kind, 0) for kind in ("application/json", "application/*", "*/*")), default=0)
    return liked.get(CSV, 0) > others


def as_csv(rows: str, columns: Iterable[str], within: str | None = None) -> str:
    """A JSON array of objects (or that member of an object) as a table.

    Figures are as they are, text so that no cell is a formula, null is nothing. A list or an object within a row is a
    cell of JSON.
    """
    names = list(columns)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(names)
    found = json.loads(rows, parse_int=_Figure, parse_float=_Figure)
    for row in found[within] if within else found:
        writer.writerow([_cell(row.get(name)) for name in names])
    return BYTE_ORDER_MARK + written.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case _Figure():
            return value
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if value.startswith(FORMULA) else value
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case _Figure():
            return json.loads(value)
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
    return value
