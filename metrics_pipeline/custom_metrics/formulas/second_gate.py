"""The last look at a statement, with DuckDB's own parser: nothing in it but what the compiler can have put there."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from metrics_pipeline.custom_metrics.formulas.datatypes import SQL_TYPES
from metrics_pipeline.custom_metrics.formulas.engine import engine
from metrics_pipeline.custom_metrics.formulas.errors import FormulaError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALLOWED: Mapping[str, frozenset[str]] = {
    # kinds of expressions; no SUBQUERY, LAMBDA, WINDOW, COLLATE, POSITIONAL_REFERENCE
    "class": _words("""
        CASE CAST COLUMN_REF COMPARISON CONJUNCTION BETWEEN CONSTANT FUNCTION OPERATOR PARAMETER STAR TYPE
    """),
    # of expressions, relations, queries and clauses; no ARRAY_EXTRACT, TABLE_FUNCTION, SHOW_REF, RECURSIVE_CTE_NODE
    "type": _words("""
        CASE_EXPR OPERATOR_CAST COLUMN_REF FUNCTION STAR TYPE VALUE_CONSTANT VALUE_PARAMETER
        COMPARE_EQUAL COMPARE_NOTEQUAL COMPARE_LESSTHAN COMPARE_LESSTHANOREQUALTO COMPARE_GREATERTHAN
        COMPARE_GREATERTHANOREQUALTO COMPARE_BETWEEN COMPARE_NOT_BETWEEN COMPARE_IN COMPARE_NOT_IN
        COMPARE_DISTINCT_FROM COMPARE_NOT_DISTINCT_FROM CONJUNCTION_AND CONJUNCTION_OR
        OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_NULLIF
        SELECT_NODE SET_OPERATION_NODE BASE_TABLE SUBQUERY JOIN EMPTY
        ORDER_MODIFIER LIMIT_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING
    """),
    "function_name": _words("""
        + - * / abs floor ceil ln sqrt round lower upper coalesce nullif greatest least isfinite
        count count_star sum fsum avg min max bool_and bool_or approx_count_distinct quantile_cont quantile_disc
        contains starts_with date_trunc timezone significant json_object
    """),
    "type_name": frozenset(SQL_TYPES.values()) | {"timestamp with time zone", "timestamp", "hugeint", "integer"},
}
"""Every name that a statement may have in these places. What the compiler learns to write is added here."""

# They lead to other schemas, to files and to what is no plain relation: always empty.
_EMPTY = ("schema", "catalog", "schema_name", "catalog_name", "sample", "at_clause", "export_state")
# Without parentheses they look like columns, and are the clock or the session where no column has the name.
_FUNCTIONS_LIKE_COLUMNS = _words("""
    current_date current_time current_timestamp localtime localtimestamp get_current_timestamp
    current_user session_user user current_role current_schema current_catalog current_database
""")
_MATCHED_IN_SMALL_LETTERS = frozenset({"type_name", "function_name"})


def check_statement(sql: str, tables: Collection[str]) -> None:
    """See that a statement is one query of known parts over known relations.

    tables: the relations it may read; those it defines with `with` are known.

    Raises:
        FormulaError: expr_engine_disagrees.
    """
    read = json.loads(engine().tree(sql))
    statements = read.get("statements", ())
    if read["error"] or len(statements) != 1:
        raise _disagreement("it is no single query")
    nodes = list(_nodes(statements[0]))
    known = {table.lower() for table in tables} | {name.lower() for node in nodes for name in _defined(node)}
    for node in nodes:
        _check(node, known)


def _check(node: Mapping[str, object], known: Collection[str]) -> None:
    for key, allowed in ALLOWED.items():
        found = node.get(key)
        if found is None:
            continue
        name = str(found).lower() if key in _MATCHED_IN_SMALL_LETTERS else str(found)
        if name not in allowed:
            raise _disagreement(f"it has the {key.replace('_', ' ')} {name[:40]} in it")
    for key in _EMPTY:
        if node.get(key):
            raise _disagreement(f"it names a {key.replace('_', ' ')}")
    if "table_name" in node and str(node["table_name"]).lower() not in known:
        raise _disagreement("it reads another relation")
    named = node.get("column_names")
    if isinstance(named, list) and len(named) == 1 and str(named[0]).lower() in _FUNCTIONS_LIKE_COLUMNS:
        raise _disagreement(f"it names {named[0]} without a relation")
    if node.get("type") == "STAR" and node.get("columns"):
        raise _disagreement("it takes columns by a pattern")
    if node.get("type") == "TYPE" and node.get("children"):
        raise _disagreement("it has a nested type in it")


def _defined(node: Mapping[str, object]) -> Iterator[str]:
    """The names that a query gives to parts of itself."""
    named = node.get("cte_map")
    if isinstance(named, dict):
        yield from (str(entry["key"]) for entry in named["map"])


def _nodes(root: object) -> Iterator[Mapping[str, object]]:
    """Every object of the tree, without recursion."""
    waiting = [root]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _disagreement(why: str) -> FormulaError:
    detail = f"The engine does not read the finished query as it was meant: {why}. Write the formula in a simpler way."
    return FormulaError("expr_engine_disagrees", detail)
