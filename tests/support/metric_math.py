"""CloudWatch's metric math, as far as the template's alarms use it."""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# A metric's value in a period; None is a missing one.
Lookup = Callable[[str], float | None]


@dataclass(frozen=True)
class Expression:
    """Arithmetic, comparisons, `IF(condition, then, else)` and `FILL(metric, number)`."""

    text: str

    def value(self, metric: Lookup, fillable: Callable[[str], bool] = lambda _: True) -> float | None:
        """The expression's value in one period; missing where an operand is."""
        return self._value(self._tree, metric, fillable)

    @cached_property
    def _tree(self) -> ast.expr:
        return ast.parse(self.text, mode="eval").body

    def _value(self, node: ast.expr, metric: Lookup, fillable: Callable[[str], bool]) -> float | None:  # noqa: PLR0911
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.Name(id=name):
                return metric(name)
            case ast.Call(func=ast.Name(id="FILL"), args=[ast.Name(id=name), ast.Constant(value=int() as filling)]):
                found = metric(name)
                return filling if found is None and fillable(name) else found
        operands = [self._value(operand, metric, fillable) for operand in _operands(node)]
        match node, operands:
            case ast.Call(), [condition, then, otherwise]:
                return None if condition is None else then if condition else otherwise
            case ast.BinOp(op=ast.Div()), [_, 0]:
                return None
            case _, [float() | int() as left, float() | int() as right]:
                return float(_operation(node)(left, right))
        return None


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp(left=left, right=right) | ast.Compare(left=left, ops=[_], comparators=[right]):
            return [left, right]
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            return [condition, then, otherwise]
    raise NotImplementedError(ast.dump(node))


def _operation(node: ast.expr) -> Callable[[float, float], float]:
    operations: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
        ast.Add: operator.add,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.GtE: operator.ge,
    }
    match node:
        case ast.BinOp(op=op) | ast.Compare(ops=[op]):
            return operations[type(op)]
    raise NotImplementedError(ast.dump(node))
