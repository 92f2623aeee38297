"""A part of a formula that has been read: its type, how it is written out, and its SQL.

What is no finite number is null. `+ - * /` and the functions of numbers keep what is not finite as it is (infinity, or
"not a number"), and it becomes null where the value leaves arithmetic: in a comparison, a branch, a list of arguments,
a cast, a divisor, the result. That is the same as after each step, for half of the SQL.

All arithmetic is done in double precision: an integer that overflows would abort the whole query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metrics_pipeline.custom_metrics.formulas.datatypes import CAST_TEXT, CASTS, NAMES, SQL_TYPES, Datatype
from metrics_pipeline.custom_metrics.formulas.engine import quoted
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.limits import WRITTEN_OUT

NUMERIC: frozenset[Datatype] = frozenset({"integer", "number"})
ORDERED: frozenset[Datatype] = NUMERIC | {"string", "date", "timestamp"}
_LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a formula.

    Attributes:
        datatype: None for a bare null.
        text: as it is shown; sql: what is run. Both need parentheses to be an operand where `chain` is not empty.
        position: where it begins in what was written.
        chain: the operator of the outermost operation.
        finite: whether the SQL can only be null or a finite value.
        size: nodes of the SQL.
        literal: whether it is one, with its sign.
    """

    datatype: Datatype | None
    text: str
    sql: str
    position: int
    chain: str = ""
    finite: bool = True
    size: int = 1
    literal: bool = False

    def __post_init__(self) -> None:
        if self.size > WRITTEN_OUT:
            detail = "Divisors and branches are nested too deeply into one another. Make it several metrics."
            raise FormulaError("expr_too_large", detail, self.position)

    @property
    def shown(self) -> str:
        """The text as an operand."""
        return f"({self.text})" if self.chain else self.text

    @property
    def operand(self) -> str:
        """The SQL as an operand."""
        return f"({self.sql})" if self.chain else self.sql


def column(name: str, shown: str, datatype: Datatype, table: str, position: int) -> Term:
    """A column; numbers of any kind (decimals, short floats) are read as doubles."""
    sql = f"{table}.{quoted(name)}"
    if datatype == "number":
        return Term(datatype, shown, f"cast({sql} as double)", position, finite=False, size=2)
    return Term(datatype, shown, sql, position)


def number(written: str, position: int, *, negative: bool = False) -> Term:
    """A literal number; one that no column of integers can hold is no integer."""
    sign = "-" if negative else ""
    if written.isdigit() and int(written) <= _LARGEST_INTEGER:
        digits = str(int(written))
        return Term("integer", f"{sign}{digits}", _signed(sign, digits), position, literal=True)
    return Term("number", f"{sign}{written}", _signed(sign, double(float(written))), position, literal=True)


def double(value: float) -> str:
    """A number as a literal that the engine reads as that very double: without an exponent it would be a decimal."""
    written = repr(value)
    return written if "e" in written else f"{written}e0"


def _signed(sign: str, digits: str) -> str:
    return f"(-{digits})" if sign else digits


def text_literal(value: str, position: int) -> Term:
    written = "'" + value.replace("'", "''") + "'"
    return Term("string", written, written, position, literal=True)


def value_of(term: Term) -> Term:
    """The term where it leaves arithmetic: never infinite, never "not a number"."""
    if term.finite:
        return term
    sql = f"(case when isfinite({term.sql}) then {term.sql} end)"
    return replace(term, sql=sql, chain="", finite=True, size=2 * term.size + 2)


def as_double(term: Term) -> Term:
    """A number for arithmetic."""
    if term.datatype == "number":
        return term
    if term.datatype != "integer":
        raise mismatch(term, "A number is needed here")
    if term.literal:
        value = int(term.text)
        return replace(term, datatype="number", sql=_signed("-" if value < 0 else "", double(float(abs(value)))))
    return replace(term, datatype="number", sql=f"cast({term.sql} as double)", chain="", size=term.size + 1)


def arithmetic(operator: str, left: Term, right: Term) -> Term:
    """`+ - * /` in double precision; a division by zero is null."""
    first, second = as_double(left), as_double(right)
    # a + b - c is one chain; every other neighbour is shown in parentheses, for nobody has to know who binds closer
    chain = "+" if operator in "+-" else operator
    shown = left.text if left.chain == chain != "/" else left.shown
    kept = first.sql if first.chain == chain != "/" else first.operand
    if operator == "/":
        second = _divisor(second)
    return Term(
        "number",
        f"{shown} {operator} {right.shown}",
        f"{kept} {operator} {second.operand}",
        left.position,
        chain,
        finite=False,
        size=first.size + second.size + 1,
    )


def _divisor(term: Term) -> Term:
    if term.literal and float(term.text) != 0:
        return term
    if term.finite:
        return replace(term, sql=f"nullif({term.operand}, 0)", chain="", size=2 * term.size + 2)
    sql = f"(case when isfinite({term.sql}) and {term.operand} <> 0 then {term.sql} end)"
    return replace(term, sql=sql, chain="", finite=True, size=3 * term.size + 4)


def negative(term: Term, position: int) -> Term:
    if term.literal and term.datatype in NUMERIC and not term.text.startswith("-"):
        return number(term.text, position, negative=True)
    operand = as_double(term)
    shown = term.shown if not term.text.startswith("-") else f"({term.text})"
    return Term(
        "number", f"-{shown}", f"-{operand.operand}", position, "sign", finite=operand.finite, size=operand.size + 1
    )


def logic(operator: str, left: Term, right: Term) -> Term:
    """`and`, `or`, three-valued."""
    for term in (left, right):
        boolean(term, f"Both sides of {operator} are true or false")
    shown = left.text if left.chain == operator else left.shown
    kept = left.sql if left.chain == operator else left.operand
    return Term(
        "boolean",
        f"{shown} {operator} {right.shown}",
        f"{kept} {operator} {right.operand}",
        left.position,
        operator,
        size=left.size + right.size + 1,
    )


def negation(term: Term, position: int) -> Term:
    boolean(term, "What follows `not` is true or false")
    return Term("boolean", f"not {term.shown}", f"not {term.operand}", position, "not", size=term.size + 1)


def comparison(operator: str, left: Term, right: Term) -> Term:
    """`= <> < <= > >=`; texts are compared by code point."""
    first, second = alike([left, right], "The two sides of a comparison are of one type")
    if operator not in ("=", "<>"):
        ordered(first)
    return Term(
        "boolean",
        f"{left.shown} {operator} {right.shown}",
        f"{first.operand} {operator} {second.operand}",
        left.position,
        "compare",
        size=first.size + second.size + 1,
    )


def presence(term: Term, what: str, *, negated: bool) -> Term:
    """`is [not] null`, `is [not] true`, `is [not] false`."""
    value = value_of(term)
    if what == "null":
        not_bare(term)
    else:
        boolean(term, f"What `is {what}` asks about is true or false")
    test = f"is not {what}" if negated else f"is {what}"
    return Term("boolean", f"{term.shown} {test}", f"{value.operand} {test}", term.position, "is", size=value.size + 1)


def between(term: Term, low: Term, high: Term, *, negated: bool) -> Term:
    """Both bounds included."""
    value, first, last = alike([term, low, high], "A value and its bounds are of one type")
    ordered(value)
    word = "not between" if negated else "between"
    return Term(
        "boolean",
        f"{term.shown} {word} {low.shown} and {high.shown}",
        f"{value.operand} {word} {first.operand} and {last.operand}",
        term.position,
        "between",
        size=value.size + first.size + last.size + 1,
    )


def membership(term: Term, items: Sequence[Term], *, negated: bool) -> Term:
    """`in (...)`; the items are literals, and count as one."""
    value, *listed = alike([term, *items], "A value and the list it is looked for in are of one type")
    word = "not in" if negated else "in"
    return Term(
        "boolean",
        f"{term.shown} {word} ({', '.join(item.text for item in items)})",
        f"{value.operand} {word} ({', '.join(item.sql for item in listed)})",
        term.position,
        "in",
        size=value.size + 2,
    )


def cast(term: Term, target: Datatype, position: int) -> Term:
    """`try_cast`: what cannot be read as the type is null."""
    if term.datatype is not None and term.datatype not in CASTS[target]:
        detail = f"{NAMES[term.datatype].capitalize()} cannot be turned into {NAMES[target]}."
        raise FormulaError("expr_cast_not_allowed", detail, position)
    value = value_of(term)
    read = term.datatype == "string" and target in ("number", "date", "timestamp")  # text may say 'infinity'
    return Term(
        target,
        f"try_cast({term.text} as {CAST_TEXT[target]})",
        f"try_cast({value.sql} as {SQL_TYPES[target]})",
        position,
        finite=not read,
        size=value.size + 1,
    )


def alike(terms: Sequence[Term], needed: str, *, nulls: bool = False) -> list[Term]:
    """Values brought to one type: integers become numbers where one of them is a number.

    Raises:
        FormulaError: expr_type_mismatch, they have no type in common, or one is a bare null and `nulls` is not set.
    """
    if not nulls:
        for term in terms:
            not_bare(term)
    found = {term.datatype for term in terms} - {None}
    if found == NUMERIC:
        return [term if term.datatype is None else value_of(as_double(term)) for term in terms]
    if len(found) > 1:
        kinds = " and ".join(sorted(NAMES[kind] for kind in found if kind is not None))
        raise FormulaError("expr_type_mismatch", f"{needed}; here they are {kinds}.", terms[0].position)
    return [value_of(term) for term in terms]


def boolean(term: Term, needed: str) -> None:
    if term.datatype != "boolean":
        raise mismatch(term, needed)


def ordered(term: Term) -> None:
    if term.datatype not in ORDERED:
        raise mismatch(term, "Only numbers, text, dates and timestamps have an order")


def not_bare(term: Term) -> None:
    if term.datatype is None:
        detail = "Nothing equals null; ask with `is null` or `is not null`."
        raise FormulaError("expr_type_mismatch", detail, term.position)


def mismatch(term: Term, needed: str) -> FormulaError:
    found = "null" if term.datatype is None else NAMES[term.datatype]
    return FormulaError("expr_type_mismatch", f"{needed}; this is {found}.", term.position)
