"""How DuckDB's parser reads an expression, without what it notes beside: places, aliases, spellings of one thing."""

from __future__ import annotations

import json
from typing import Any

import duckdb

SPELLINGS = {
    "int": "bigint",
    "integer": "bigint",
    "bool": "boolean",
    "float": "double",
    "real": "double",
    "ceiling": "ceil",
}
NOTES = {"alias", "query_location", "query_location_length", "try_cast", "qualified_name", "is_operator"}


def reading(connection: duckdb.DuckDBPyConnection, expression: str) -> object:
    """Comparable with `==`.

    Raises:
        ValueError: DuckDB cannot read it.
    """
    [row] = connection.execute("select json_serialize_sql($1::varchar)", [f"select {expression}"]).fetchall()
    read = json.loads(row[0])
    if read["error"]:
        raise ValueError(read["error_message"])
    [statement] = read["statements"]
    [selected] = statement["node"]["select_list"]
    return _plain(selected)


def _plain(node: Any) -> object:
    if isinstance(node, list):
        return [_plain(part) for part in node]
    if not isinstance(node, dict):
        return node
    if node.get("function_name") == "if":
        condition, chosen, other = (argument["expression"] for argument in node["arguments"])
        checks = [{"when_expr": condition, "then_expr": chosen}]
        return _plain({"class": "CASE", "type": "CASE_EXPR", "case_checks": checks, "else_expr": other})
    if node.get("kind") == "INTEGER":
        return int(node["text"])
    return {key: _named(key, value) for key, value in node.items() if key not in NOTES}


def _named(key: str, value: Any) -> object:
    if key in ("type_name", "function_name"):
        name = str(value).lower()
        return SPELLINGS.get(name, name)
    return [str(part).lower() for part in value] if key == "column_names" else _plain(value)
