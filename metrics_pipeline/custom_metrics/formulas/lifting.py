"""An aggregate call, as other tools write metrics, taken apart into what a definition has fields for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from metrics_pipeline.custom_metrics.formulas.engine import engine
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.refusals import WORDS
from metrics_pipeline.custom_metrics.formulas.tokens import Token, tokens_of

Agg = Literal["count", "sum", "average", "min", "max", "count_distinct", "percentile", "sum_boolean", "median"]

CALLS: dict[str, Agg] = {
    "count": "count",
    "sum": "sum",
    "avg": "average",
    "average": "average",
    "min": "min",
    "max": "max",
    "median": "median",
    "percentile": "percentile",
    "percentile_cont": "percentile",
    "count_distinct": "count_distinct",
    "distinct_count": "count_distinct",
    "sum_boolean": "sum_boolean",
}
"""The aggregates that have a field for them."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """One aggregate: what of (expr, None for rows), and for a percentile which (0 to 1).

    The expression is the user's own text and has not been checked: parse_formula does that.
    """

    agg: Agg
    expr: str | None
    percentile: float | None


def lift(text: str) -> Lifted | tuple[Lifted, Lifted]:
    """An aggregate call, or two of them divided: (numerator, denominator).

    Raises:
        FormulaError: import_formula_unsupported names the kind of thing that has no field; and what the text
            itself is refused for (expr_too_long, expr_bad_character, expr_parse_error and others).
    """
    return _Lifting(text).whole()


class _Lifting:
    def __init__(self, text: str) -> None:
        self._text = text
        self._aggregates = engine().aggregates
        self._tokens = tokens_of(text)

    def whole(self) -> Lifted | tuple[Lifted, Lifted]:
        tokens = self._bare(self._tokens[:-1])
        divisions = [index for index, token in _outside(tokens) if token.is_symbol("/")]
        if not divisions:
            return self._call(tokens)
        if len(divisions) > 1:
            raise _unsupported("more than one division", tokens[divisions[1]].position)
        numerator = self._call(self._bare(tokens[: divisions[0]]))
        return numerator, self._call(self._divisor(self._bare(tokens[divisions[0] + 1 :])))

    def _divisor(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """What stands in `nullif(..., 0)`: a ratio is guarded anyway."""
        if len(tokens) < 2 or not tokens[0].is_word("nullif") or self._closing(tokens) != len(tokens) - 1:
            return tokens
        inside = tokens[2:-1]
        zero = len(inside) > 2 and inside[-2].is_symbol(",") and inside[-1].kind == "number"
        if not zero or float(inside[-1].value) != 0:
            raise _unsupported("nullif with something else than 0", tokens[0].position)
        return self._bare(inside[:-2])

    def _call(self, tokens: Sequence[Token]) -> Lifted:
        if not tokens:
            raise FormulaError("expr_parse_error", "An aggregate is missing here.", self._tokens[-1].position)
        name = tokens[0]
        if name.kind != "word" or len(tokens) < 2 or not tokens[1].is_symbol("("):
            raise _unsupported(_kind_of(name), name.position)
        end = self._closing(tokens)
        agg = CALLS.get(name.value)
        if agg is None:
            kind = "aggregate" if name.value in self._aggregates else "function"
            raise _unsupported(f"the {kind} {name.value[:40]}", name.position)
        inside, rest = tokens[2:end], tokens[end + 1 :]
        if name.value == "percentile_cont":
            return self._within_group(name, inside, rest)
        if rest:
            raise _unsupported(_kind_of(rest[0]), rest[0].position)
        return self._aggregate(name, agg, inside)

    def _aggregate(self, name: Token, agg: Agg, inside: Sequence[Token]) -> Lifted:
        if agg == "count" and len(inside) == 1 and inside[0].is_symbol("*"):
            return Lifted("count", None, None)
        if agg == "percentile":
            if len(inside) < 3 or not inside[-2].is_symbol(","):
                detail = "A percentile names which: PERCENTILE(x, 0.95)."
                raise FormulaError("import_formula_unsupported", detail, name.position)
            return Lifted(agg, self._expression(inside[:-2], name), _share(inside[-1]))
        if inside and inside[0].is_word("distinct"):
            if agg != "count":
                raise _unsupported(f"distinct in {name.value}", inside[0].position)
            return Lifted("count_distinct", self._expression(inside[1:], name), None)
        return Lifted(agg, self._expression(inside, name), None)

    def _within_group(self, name: Token, inside: Sequence[Token], rest: Sequence[Token]) -> Lifted:
        """`percentile_cont(0.95) within group (order by x)`."""
        words = [token.value for token in (*rest[:3], *rest[3:5])]
        shape = words == ["within", "group", "(", "order", "by"] and rest[-1].is_symbol(")")
        if len(inside) != 1 or not shape or self._closing(rest, 2) != len(rest) - 1:
            detail = "percentile_cont is written PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY x)."
            raise FormulaError("import_formula_unsupported", detail, name.position)
        ordered = rest[5:-1]
        if ordered and ordered[-1].is_word("desc"):
            raise _unsupported("a descending order", ordered[-1].position)
        if ordered and ordered[-1].is_word("asc"):
            ordered = ordered[:-1]
        return Lifted("percentile", self._expression(ordered, name), _share(inside[0]))

    def _expression(self, tokens: Sequence[Token], call: Token) -> str:
        """The text of what is aggregated, which has no aggregate, list of arguments or clause in it."""
        if not tokens:
            raise FormulaError("expr_parse_error", f"{call.value} is of nothing.", call.position)
        for index, token in enumerate(tokens):
            called = index + 1 < len(tokens) and tokens[index + 1].is_symbol("(")
            if token.kind == "word" and called and token.value in self._aggregates | CALLS.keys():
                raise _unsupported("an aggregate inside an aggregate", token.position)
            if token.kind == "word" and token.value in WORDS and (called or index == 0 or token.value in _CLAUSES):
                raise _unsupported(_kind_of(token), token.position)
        for _, token in _outside(tokens):
            if token.is_symbol(","):
                raise _unsupported(f"a second argument of {call.value}", token.position)
        last = tokens[-1]
        following = next(t.position for t in self._tokens if t.position > last.position)
        return self._text[tokens[0].position : following].strip()

    def _bare(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """Without the parentheses around all of it."""
        while len(tokens) > 1 and tokens[0].is_symbol("(") and self._closing(tokens, 0) == len(tokens) - 1:
            tokens = tokens[1:-1]
        return tokens

    def _closing(self, tokens: Sequence[Token], opening: int = 1) -> int:
        """The index of the parenthesis that closes the one at an index."""
        depth = 0
        for index in range(opening, len(tokens)):
            depth += tokens[index].is_symbol("(") - tokens[index].is_symbol(")")
            if depth == 0:
                return index
        raise FormulaError("expr_parse_error", "A parenthesis is never closed.", tokens[0].position)


_CLAUSES = frozenset({"select", "over", "filter", "within", "order", "where"})


def _outside(tokens: Sequence[Token]) -> list[tuple[int, Token]]:
    """The tokens that stand in no parentheses, with their indexes."""
    depth, found = 0, []
    for index, token in enumerate(tokens):
        depth -= token.is_symbol(")")
        if depth == 0:
            found.append((index, token))
        depth += token.is_symbol("(")
    return found


def _share(token: Token) -> float:
    share = float(token.value) if token.kind == "number" else -1.0
    if not 0 <= share <= 1:
        detail = "Which percentile is a number from 0 to 1, such as 0.95."
        raise FormulaError("import_formula_unsupported", detail, token.position)
    return share


def _kind_of(token: Token) -> str:
    """What a token begins, for the error."""
    if token.kind == "word":
        if token.value == "filter":
            return "a filter clause (a definition has `filter` for it)"
        if token.value in WORDS:
            kind = WORDS[token.value]
            return kind[0].lower() + kind[1:]
        return "case" if token.value == "case" else "a column outside an aggregate"
    if token.kind == "symbol":
        return f"arithmetic around an aggregate ({token.value})" if token.value in "+-*/" else "a parenthesis"
    return {"number": "a number", "string": "text", "quoted": "a column"}[token.kind] + " outside an aggregate"


def _unsupported(what: str, position: int) -> FormulaError:
    detail = (
        f"Only one aggregate, or one divided by another, can be imported; here is {what}. Make it a derived metric."
    )
    return FormulaError("import_formula_unsupported", detail, position)
