"""The pages of decisions: each on the index, with the five headings; and what they and CONTRIBUTING name exists."""

import re
from pathlib import Path

import pytest

from local.environment import ROOT

FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
HEADINGS = ["Context", "Decision", "Why", "What it costs", "When to think again"]
# A path is written from the root, or from the layer.
ROOTS = (ROOT, ROOT / "shared" / "crm_services", ROOT / "functions" / "panel_files")


def test_the_index_has_every_page_once() -> None:
    linked = re.findall(r"\]\(([\w-]+\.md)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))

    assert sorted(linked) == [page.name for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_five_headings(page: Path) -> None:
    assert re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|sql|md|yaml|toml|js)|(?:[\w-]+/)+)`", text))
    targets = set(re.findall(r"(?:`make |^make )([a-z-]+)", text, re.MULTILINE))
    links = set(re.findall(r"\]\(([^):]+)\)", text))

    assert {path for path in paths if not any((root / path).exists() for root in ROOTS)} == set()
    assert {link for link in links if not (page.parent / link).exists()} == set()
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
