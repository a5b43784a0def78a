"""The table as a picture: a bar for each contender, on a logarithmic scale, as SVG."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.report import machine

PATH = Path(__file__).parent.parent / "docs" / "images" / "requests.svg"
CONTENDERS = {"floor ms": "#9aa5b1", "ours ms": "#0b7a75", "CRM's way ms": "#d1495b"}
LEFT, WIDTH, BAR, GAP, TOP = 325, 815, 13, 16, 48
SHORTEST = 0.1  # ms


def draw(rows: Sequence[dict[str, Any]]) -> Path:
    """Write the picture of these rows."""
    most = max(row[name] for row in rows for name in CONTENDERS)
    scale = (WIDTH - LEFT - 80) / math.log10(most / SHORTEST)
    parts, y = [], TOP
    for row in rows:
        parts.append(f'<text x="{LEFT - 8}" y="{y + 24}" text-anchor="end">{row["what"]}</text>')
        for name, color in CONTENDERS.items():
            length = max(2.0, scale * math.log10(row[name] / SHORTEST))
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{color}"/>')
            parts.append(f'<text x="{LEFT + length + 5:.1f}" y="{y + 10}" class="n">{_ms(row[name])}</text>')
            y += BAR
        y += GAP
    legend, x = "", LEFT
    for name, color in CONTENDERS.items():
        legend += f'<rect x="{x}" y="14" width="11" height="11" fill="{color}"/>'
        legend += f'<text x="{x + 16}" y="24">{name.removesuffix(" ms")}</text>'
        x += 110
    today = datetime.now(UTC).date().isoformat()
    parts.append(f'<text x="{LEFT}" y="{y + 4}" class="n">{today}, {machine()}; logarithmic, less is better</text>')
    style = "text{font:12px system-ui,sans-serif;fill:#222}.n{font-size:10.5px;fill:#555}"
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 20}" width="{WIDTH}" height="{y + 20}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>{legend}{"".join(parts)}</svg>\n',
        encoding="utf-8",
    )
    return PATH


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"
