"""What a formula is refused with."""

from __future__ import annotations

from typing import Literal

from metrics_pipeline.errors import UserError

FormulaCode = Literal[
    "expr_too_long",
    "expr_too_deep",
    "expr_too_large",
    "expr_bad_character",
    "expr_parse_error",
    "expr_not_single",
    "expr_node_not_allowed",
    "expr_function_not_allowed",
    "expr_aggregate_not_allowed",
    "expr_unknown_column",
    "expr_qualified_column",
    "expr_cast_not_allowed",
    "expr_literal_too_long",
    "expr_type_mismatch",
    "expr_engine_disagrees",
    "import_formula_unsupported",
]


class FormulaError(UserError):
    """A formula that cannot be used.

    Attributes:
        code: the kind of error, for programs.
        detail: one sentence that says what to do. It never repeats a text literal of the formula.
        position: offset in the formula of what is wrong, in characters from 0; None where no single place is.
    """

    def __init__(self, code: FormulaCode, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.code: FormulaCode = code
        self.detail = detail
        self.position = position
