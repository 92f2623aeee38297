"""A user's formula, checked and made into SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metrics_pipeline.custom_metrics.formulas.datatypes import NAMES, Datatype
from metrics_pipeline.custom_metrics.formulas.engine import Engine, engine
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.parser import Parser
from metrics_pipeline.custom_metrics.formulas.terms import value_of
from metrics_pipeline.custom_metrics.formulas.tokens import tokens_of

__all__ = ["Datatype", "Formula", "parse_formula", "require"]

# What the engine may call a value of a type; a small literal is an INTEGER to it.
ENGINE_TYPES: dict[Datatype, frozenset[str]] = {
    "string": frozenset({"varchar"}),
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer", "bigint"}),
    "number": frozenset({"double"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"timestamp with time zone"}),
}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that may be run.

    Attributes:
        text: normalised, with explicit parentheses: what is shown to people. Read again, it is the same formula.
        sql: for DuckDB, over a relation of the name that was asked for; never aborts a query, and its numbers are
            finite or null. Instants are read in UTC, so the connection's time zone is UTC.
        columns: those it names, as the data set spells them.
    """

    text: str
    sql: str
    datatype: Datatype
    columns: frozenset[str]


def parse_formula(text: str, columns: Mapping[str, Datatype], *, table: str = "t") -> Formula:
    """Read a formula over columns of one data set, or over aliases of other metrics.

    Raises:
        FormulaError: it is no formula of the language, its types do not fit, or DuckDB reads it in another way.
    """
    judge = engine()
    formula = _read(text, columns, table, judge)
    try:
        # what is shown, and may be stored, has to be this very formula
        again = _read(formula.text, columns, table, judge)
    except FormulaError as error:
        detail = f"Written out with all its parentheses the formula is too large. {error.detail}"
        raise FormulaError(error.code, detail) from None
    if again != formula:
        raise AssertionError("a normalised formula was read as another one")
    used: dict[str, Datatype] = {name: columns[name] for name in formula.columns}
    if judge.datatype_of(formula.sql, used, table) not in ENGINE_TYPES[formula.datatype]:
        detail = "The engine gives this formula another type. Write casts where types change."
        raise FormulaError("expr_engine_disagrees", detail)
    return formula


def _read(text: str, columns: Mapping[str, Datatype], table: str, judge: Engine) -> Formula:
    parser = Parser(tokens_of(text), columns, table, judge)
    term = parser.whole()
    if term.datatype is None:
        raise FormulaError("expr_type_mismatch", "This formula is always null.", term.position)
    return Formula(term.text, value_of(term).sql, term.datatype, frozenset(parser.used))


def require(formula: Formula, *datatypes: Datatype) -> None:
    """See that a formula is of one of the types; an integer is a number too.

    Raises:
        FormulaError: expr_type_mismatch.
    """
    accepted = {*datatypes, "integer"} if "number" in datatypes else set(datatypes)
    if formula.datatype not in accepted:
        needed = " or ".join(NAMES[datatype] for datatype in datatypes)
        detail = f"The formula gives {NAMES[formula.datatype]}, and {needed} is needed."
        raise FormulaError("expr_type_mismatch", detail)
