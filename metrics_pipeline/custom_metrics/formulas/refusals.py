"""What people write that the language does not have, by the name they know it by. The grammar refuses it anyway."""

from __future__ import annotations

from collections.abc import Collection

from metrics_pipeline.custom_metrics.formulas.errors import FormulaError
from metrics_pipeline.custom_metrics.formulas.tokens import Token

WORDS: dict[str, str] = {
    **dict.fromkeys(
        ("select", "from", "with", "values", "union", "intersect", "except", "exists", "any", "all", "some", "table"),
        "A sub-query",
    ),
    **dict.fromkeys(("over", "window", "partition", "qualify"), "A window function"),
    **dict.fromkeys(("like", "ilike", "similar", "glob", "escape", "regexp", "rlike"), "Matching a pattern"),
    **dict.fromkeys(("filter", "within", "group", "having", "order", "limit", "where"), "A clause of a query"),
    "distinct": "distinct",
    "interval": "An interval",
    "collate": "collate",
    "at": "A time zone",
    "lambda": "A lambda",
    "array": "A list",
    "struct": "A nested value",
    "map": "A nested value",
    "row": "A nested value",
    "columns": "A set of columns",
    "isnull": "isnull (write `is null`)",
    "notnull": "notnull (write `is not null`)",
    "div": "Integer division",
    "mod": "The remainder of a division",
    "xor": "xor",
    **dict.fromkeys(
        ("insert", "update", "delete", "drop", "create", "alter", "attach", "copy", "set", "pragma", "install", "load"),
        "A statement",
    ),
    **dict.fromkeys(
        ("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "today"),
        "The present time",
    ),
    **dict.fromkeys(("current_user", "session_user", "user", "current_schema"), "A setting of the database"),
}


def refused_word(token: Token) -> FormulaError | None:
    """The error of a word that names something the language leaves out."""
    what = WORDS.get(token.value)
    if what is None:
        return None
    return FormulaError("expr_node_not_allowed", f"{what} is not part of the formula language.", token.position)


def refused_call(token: Token, aggregates: Collection[str]) -> FormulaError:
    """The error of a call of what is no function of the language."""
    if token.value in aggregates:
        hint = "; for the larger or smaller of values, use greatest or least" if token.value in ("min", "max") else ""
        detail = f"A formula has no aggregates: it is about one row, and `agg` says how rows become one number{hint}."
        return FormulaError("expr_aggregate_not_allowed", detail, token.position)
    refused = refused_word(token)
    if refused is not None:
        return refused
    detail = f"There is no function {token.value[:40]}; docs/formulas.md lists those there are."
    return FormulaError("expr_function_not_allowed", detail, token.position)
