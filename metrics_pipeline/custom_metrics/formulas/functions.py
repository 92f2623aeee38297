"""The functions of the language: what they take, and their SQL. What is not here is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metrics_pipeline.custom_metrics.formulas.datatypes import Datatype
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.terms import (
    Term,
    alike,
    as_double,
    boolean,
    mismatch,
    not_bare,
    ordered,
)

MOST_DECIMALS = 15
"""Decimals of `round`: a double has no more digits than that."""


@dataclass(frozen=True)
class Function:
    """fewest and most arguments (None: any number), and what makes a term of them at a position."""

    fewest: int
    most: int | None
    build: Callable[[str, Sequence[Term], int], Term]


def _of_number(name: str, arguments: Sequence[Term], position: int) -> Term:
    """A function that gives what is not finite, or null, for what it is not defined for: ln(0), sqrt(-1)."""
    operand = as_double(arguments[0])
    return Term(
        "number",
        f"{name}({arguments[0].text})",
        f"{name}({operand.sql})",
        position,
        finite=operand.finite and name not in ("ln", "sqrt"),
        size=operand.size + 1,
    )


def _round(name: str, arguments: Sequence[Term], position: int) -> Term:
    if len(arguments) == 1:
        return _of_number(name, arguments, position)
    operand, decimals = as_double(arguments[0]), arguments[1]
    known = decimals.literal and decimals.datatype == "integer" and abs(int(decimals.text)) <= MOST_DECIMALS
    if not known:
        needed = f"round takes a whole number of decimals from -{MOST_DECIMALS} to {MOST_DECIMALS}, written out"
        raise FormulaError("expr_type_mismatch", f"{needed}.", decimals.position)
    return Term(
        "number",
        f"round({arguments[0].text}, {decimals.text})",
        f"round({operand.sql}, {decimals.sql})",
        position,
        finite=operand.finite,
        size=operand.size + 2,
    )


def _of_text(name: str, arguments: Sequence[Term], position: int) -> Term:
    [term] = arguments
    if term.datatype != "string":
        raise mismatch(term, f"{name} takes text")
    return Term("string", f"{name}({term.text})", f"{name}({term.sql})", position, size=term.size + 1)


def _one_of(name: str, arguments: Sequence[Term], position: int) -> Term:
    """coalesce, greatest, least: all arguments are of one type, and so is the result."""
    if name != "coalesce":
        for term in arguments:
            not_bare(term)
            ordered(term)
    values = alike(arguments, f"The arguments of {name} are of one type", nulls=True)
    return Term(
        _common(values),
        f"{name}({', '.join(term.text for term in arguments)})",
        f"{name}({', '.join(value.sql for value in values)})",
        position,
        size=sum(value.size for value in values) + 1,
    )


def _nullif(name: str, arguments: Sequence[Term], position: int) -> Term:
    first, second = alike(arguments, "The arguments of nullif are of one type")
    return Term(
        first.datatype,
        f"{name}({', '.join(term.text for term in arguments)})",
        f"{name}({first.sql}, {second.sql})",
        position,
        size=2 * first.size + second.size + 2,
    )


def _if(_name: str, arguments: Sequence[Term], position: int) -> Term:
    condition, chosen, other = arguments
    return case([(condition, chosen)], other, position)


def case(branches: Sequence[tuple[Term, Term]], otherwise: Term | None, position: int) -> Term:
    """`case when condition then value ... else value end`; without an else, null."""
    for condition, _ in branches:
        boolean(condition, "A condition is true or false")
    results = [result for _, result in branches]
    last = [] if otherwise is None else [otherwise]
    values = alike([*results, *last], "The results of a case are of one type", nulls=True)
    parts = [
        (f"when {condition.text} then {result.text}", f"when {condition.sql} then {value.sql}")
        for (condition, result), value in zip(branches, values, strict=False)
    ]
    if otherwise is not None:
        parts.append((f"else {otherwise.text}", f"else {values[-1].sql}"))
    size = sum(condition.size for condition, _ in branches) + sum(value.size for value in values) + 1
    text, sql = (" ".join(column) for column in zip(*parts, strict=True))
    return Term(_common(values), f"case {text} end", f"case {sql} end", position, "case", size=size)


def _common(values: Sequence[Term]) -> Datatype | None:
    return next((value.datatype for value in values if value.datatype is not None), None)


FUNCTIONS: dict[str, Function] = {
    **{name: Function(1, 1, _of_number) for name in ("abs", "floor", "ceil", "ln", "sqrt")},
    "ceiling": Function(1, 1, lambda _name, arguments, position: _of_number("ceil", arguments, position)),
    "round": Function(1, 2, _round),
    **{name: Function(1, 1, _of_text) for name in ("lower", "upper")},
    **{name: Function(2, None, _one_of) for name in ("coalesce", "greatest", "least")},
    "nullif": Function(2, 2, _nullif),
    "if": Function(3, 3, _if),
}
