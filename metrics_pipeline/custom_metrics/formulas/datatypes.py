"""The types of columns and formulas, and the DuckDB types they stand for."""

from __future__ import annotations

from typing import Literal

Datatype = Literal["string", "boolean", "integer", "number", "date", "timestamp"]

SQL_TYPES: dict[Datatype, str] = {
    "string": "varchar",
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double",
    "date": "date",
    "timestamp": "timestamptz",
}
"""What a column of a type is bound as, and what a cast to it produces."""

CAST_NAMES: dict[str, Datatype] = {
    **dict.fromkeys(("varchar", "text", "string"), "string"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("integer", "int", "bigint"), "integer"),
    **dict.fromkeys(("double", "float", "real"), "number"),
    "date": "date",
    **dict.fromkeys(("timestamp", "timestamptz"), "timestamp"),
}
"""The types that may be written in a cast."""

CAST_TEXT: dict[Datatype, str] = {**SQL_TYPES, "timestamp": "timestamp"}
"""How a cast is written in the normalised formula."""

CASTS: dict[Datatype, frozenset[Datatype]] = {
    "string": frozenset({"string", "integer", "boolean", "date"}),
    "boolean": frozenset({"string", "boolean"}),
    "integer": frozenset({"string", "boolean", "integer", "number"}),
    "number": frozenset({"string", "integer", "number"}),
    "date": frozenset({"string", "date", "timestamp"}),
    "timestamp": frozenset({"string", "date", "timestamp"}),
}
"""What may be cast to a type. How a fraction or an instant is spelt as text is the engine's affair: it is left out."""

NAMES: dict[Datatype, str] = {
    "string": "text",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "date": "a date",
    "timestamp": "a timestamp",
}
"""What errors call a value of a type."""
