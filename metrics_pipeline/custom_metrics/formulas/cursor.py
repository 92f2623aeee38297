"""Where a parser stands in its tokens, and how much it has read: the limits of a formula are kept here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from metrics_pipeline.custom_metrics.formulas.errors import FormulaCode, FormulaError
from metrics_pipeline.custom_metrics.formulas.limits import NESTING, NODES
from metrics_pipeline.custom_metrics.formulas.refusals import refused_word
from metrics_pipeline.custom_metrics.formulas.terms import Term
from metrics_pipeline.custom_metrics.formulas.tokens import Token


class Cursor:
    """Steps through tokens, the last of which is an `end`."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nodes = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _took(self, symbol: str) -> bool:
        found = self._next.is_symbol(symbol)
        self._at += found
        return found

    def _took_word(self, word: str) -> bool:
        found = self._next.is_word(word)
        self._at += found
        return found

    def _need(self, symbol: str) -> Token:
        if not self._next.is_symbol(symbol):
            raise self._unexpected(f" A {symbol} is missing.")
        return self._take()

    def _need_word(self, word: str) -> None:
        if not self._took_word(word):
            raise self._unexpected(f" The word `{word}` is missing.")

    def _counted(self, term: Term) -> Term:
        self._nodes += 1
        if self._nodes > NODES:
            detail = f"A formula has at most {NODES} columns, literals, operators and functions."
            raise FormulaError("expr_too_large", detail, term.position)
        return term

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > NESTING:
            raise self._error("expr_too_deep", f"Parentheses and calls are nested at most {NESTING} deep.")
        yield
        self._depth -= 1

    def _unexpected(self, missing: str = "") -> FormulaError:
        token = self._next
        if token.kind == "word":
            refused = refused_word(token)
            if refused is not None:
                return refused
        what = "The formula ends too early." if token.kind == "end" else "The formula cannot be read from here on."
        return self._error("expr_parse_error", what + missing)

    def _error(self, code: FormulaCode, detail: str) -> FormulaError:
        return FormulaError(code, detail, self._next.position)
