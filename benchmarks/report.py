"""A table that a person reads and a file that a program does: what, ours, peers, ratio."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as aligned text; columns come in the order of the first row, but for what is for programs alone."""
    columns = [name for name, value in rows[0].items() if not isinstance(value, dict)]
    cells = [columns, *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def save(name: str, rows: Sequence[dict[str, Any]], **facts: Any) -> Path:
    """Write the rows as JSON, with the date and the kind of machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"date": datetime.now(UTC).date().isoformat(), "machine": machine(), **facts, "rows": rows}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def machine() -> str:
    """What kind of machine this is."""
    return f"{os.cpu_count()} x {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
