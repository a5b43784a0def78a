"""What a role that may do nothing but create in the schema public can lay in everybody's way: functions and operators
that fit some arguments better than PostgreSQL's own do. Each raises when it is called."""

import re
from itertools import product
from pathlib import Path

from pg8000.native import Connection

from local.environment import ROOT

SPRUNG = "XMINE"
TYPES = (
    "smallint", "integer", "bigint", "numeric", "real", "double precision", "text", "varchar", "name", '"char"', "oid",
    "regclass", "regtype", "regnamespace", "regprocedure", "timestamp", "timestamptz", "date", "interval", "boolean",
    "integer[]", "bigint[]", "text[]", "varchar[]", "name[]", "numeric[]", "json", "jsonb", "aclitem[]",
)  # fmt: skip
PREDICATES = ("=", "<>", "<", ">", "<=", ">=", "~~", "~", "@>")
OPERATORS = dict.fromkeys(PREDICATES, "boolean") | {
    "+": "numeric", "-": "numeric", "*": "numeric", "/": "numeric", "%": "numeric", "^": "numeric", "||": "text",
    "->": "jsonb", "->>": "text",
}  # fmt: skip
STANDS_FOR_MANY = {
    "anyarray": "integer[]", "anycompatiblearray": "integer[]", "anyelement": "integer", "anycompatible": "integer",
    "anynonarray": "integer", '"any"': "text", "anyenum": "text",
}  # fmt: skip
BODY = f"language plpgsql as $$ begin raise exception 'sprung' using errcode = '{SPRUNG}'; end $$"
# With both arguments' types exact, nothing of PostgreSQL's own is preferred to it.
TAKEN = "select oprname, oprleft::regtype::text, oprright::regtype::text from pg_operator"
FUNCTIONS = """
select distinct p.proname, array(select a::regtype::text from unnest(p.proargtypes) with ordinality u (a, n) order by n)
from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind in ('f', 'a') and p.pronargs between 1 and 3
  and p.proname = any(:names)
"""


def lay(attacker: Connection) -> int:
    """Lay a mine wherever there is room for one; returns how many."""
    statements = [*_operators(attacker), *_functions(attacker)]
    laid = 0
    for start in range(0, len(statements), 200):
        attacker.run("do $do$ begin\n" + "\n".join(statements[start : start + 200]) + "\nend $do$")
        laid += len(statements[start : start + 200])
    return laid


def _operators(attacker: Connection) -> list[str]:
    names = {name: attacker.run("select cast(:name as regtype)::text", name=name)[0][0] for name in TYPES}
    taken = {tuple(row) for row in attacker.run(TAKEN)}
    statements = []
    for result in sorted(set(OPERATORS.values())):
        for left, right in product(TYPES, TYPES):
            statements.append(f"create function public.mine_{result}({left}, {right}) returns {result} {BODY};")
    for (operator, result), left, right in product(OPERATORS.items(), TYPES, TYPES):
        if (operator, names[left], names[right]) not in taken:
            statements.append(
                f"create operator public.{operator} "
                f"(leftarg = {left}, rightarg = {right}, function = public.mine_{result});"
            )
    return statements


def _functions(attacker: Connection) -> list[str]:
    known: dict[str, set[tuple[str, ...]]] = {}
    for name, types in attacker.run(FUNCTIONS, names=sorted(_called())):
        known.setdefault(str(name), set()).add(tuple(types))
    names = {name: attacker.run("select cast(:name as regtype)::text", name=name)[0][0] for name in TYPES}
    mines: set[tuple[str, tuple[str, ...]]] = set()
    for name, signatures in known.items():
        for signature in signatures:
            for position, other in product(range(len(signature)), TYPES):
                types = tuple(other if at == position else _concrete(one) for at, one in enumerate(signature))
                if tuple(names.get(one, one) for one in types) not in signatures:
                    mines.add((name, types))
    return [
        f"create or replace function public.{name}({', '.join(types)}) returns integer {BODY};"
        for name, types in sorted(mines)
    ]


def _concrete(name: str) -> str:
    """A type that a caller has, for one that stands for many."""
    return STANDS_FOR_MANY.get(name, name)


def _called() -> set[str]:
    """Whatever is written like a function's call anywhere in the layer."""
    files = [path for path in Path(ROOT / "shared").rglob("*") if path.suffix in {".sql", ".py"}]
    return set().union(*(re.findall(r"(\w+)\s*\(", path.read_text(encoding="utf-8")) for path in files))
