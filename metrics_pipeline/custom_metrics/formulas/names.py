"""Columns as formulas name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from metrics_pipeline.custom_metrics.formulas.datatypes import Datatype
from metrics_pipeline.custom_metrics.formulas.engine import Engine, quoted
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.terms import Term, column
from metrics_pipeline.custom_metrics.formulas.tokens import Token

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# An error names a few columns, not a whole data set.
MOST_NAMED = 20


class Names:
    """The columns of a data set. As in SQL, small and capital letters are the same."""

    def __init__(self, columns: Mapping[str, Datatype], table: str, engine: Engine) -> None:
        self._columns = columns
        self._folded = {name.lower(): name for name in columns}
        self._table = quoted(table) if not _PLAIN.fullmatch(table) or table.lower() in engine.reserved else table
        self._reserved = engine.reserved

    def has(self, word: str) -> bool:
        return word in self._folded

    def column(self, token: Token) -> tuple[str, Term]:
        """A column and its term.

        Raises:
            FormulaError: there is none of that name, or it is a word of SQL and stands without quotes.
        """
        name = token.value if token.value in self._columns else self._folded.get(token.value.lower())
        if name is None:
            raise self._unknown(token)
        if token.kind == "word" and not self._is_plain(name):
            detail = f"{name} is a word of SQL; as a column it is written in double quotes."
            raise FormulaError("expr_parse_error", detail, token.position)
        return name, column(name, self._shown(name), self._columns[name], self._table, token.position)

    def _is_plain(self, name: str) -> bool:
        return _PLAIN.fullmatch(name) is not None and name.lower() not in self._reserved

    def _shown(self, name: str) -> str:
        return name if self._is_plain(name) else quoted(name)

    def _unknown(self, token: Token) -> FormulaError:
        if token.kind == "word" and token.value in self._reserved:
            return FormulaError("expr_parse_error", "A value is missing before this word.", token.position)
        close = get_close_matches(token.value.lower(), self._folded, n=3)
        known = [self._folded[name] for name in close] or sorted(self._columns)[:MOST_NAMED]
        hint = "Did you mean " if close else "Columns are "
        names = ", ".join(self._shown(name) for name in known) or "none"
        detail = f"There is no such column. {hint}{names}{'?' if close else '.'}"
        return FormulaError("expr_unknown_column", detail, token.position)
