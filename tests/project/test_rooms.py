"""The rooms of the layer: an import goes down or stays in its room, lazy and typing imports included."""

import ast
from pathlib import Path

import pytest

import crm_services

LAYER = Path(crm_services.__file__).parent
# Lowest first. `hosting_integration` is a file: the contract's one door.
ROOMS = [
    "base",
    "postgres",
    "market",
    "access",
    "links",
    "fleet",
    "sync",
    "history",
    "health",
    "hosting_integration",
    "http",
]
FILES = sorted(path for path in LAYER.rglob("*.py") if path.parent != LAYER or path.name != "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(LAYER).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """The rooms that a file imports from, wherever in it the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module="crm_services", names=aliases):
                names |= {f"crm_services.{alias.name}" for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
            case ast.ImportFrom():
                raise AssertionError(f"{path}: a relative import")
    return {name.split(".")[1] for name in names if name.startswith("crm_services.")}


def test_every_room_has_its_place_and_says_what_it_holds() -> None:
    found = {room_of(path) for path in FILES}

    assert found == set(ROOMS)
    for room in found - {"hosting_integration"}:
        assert ast.get_docstring(ast.parse((LAYER / room / "__init__.py").read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LAYER)))
def test_an_import_goes_down_or_stays(path: Path) -> None:
    here = ROOMS.index(room_of(path))

    assert {room for room in imported(path) if ROOMS.index(room) > here} == set()


def test_no_two_files_of_a_room_import_each_other() -> None:
    within = {
        (room_of(path), path.stem): {
            (node.module or "").rpartition(".")[2]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"crm_services.{room_of(path)}.")
        }
        for path in FILES
    }

    circles = [(room, a, b) for room, a in within for b in within[room, a] if a in within.get((room, b), set())]
    assert circles == []
