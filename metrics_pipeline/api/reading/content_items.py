"""One content item: what the application says of it, and the present state of its numbers."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field, create_model

from metrics_pipeline.api.problems import not_found
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.formats import envelope
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.lake.table_spec import ColumnType
from metrics_pipeline.lake.tables import TABLES

Row = dict[str, Any]
_READ = ("content", "content_metrics")
_PYTHON: dict[ColumnType, type] = {
    "string": str,
    "date": date,
    "timestamp": datetime,
    "double": float,
    "bigint": int,
    "int": int,
    "boolean": bool,
}


def item_generation(reads: ReadConnection) -> str:
    """Changes whenever a file that items are read from does."""
    return reads.tables.generation(dict.fromkeys(_READ))


def item_body(reads: ReadConnection, workspace_id: str, content_id: str, cache: str) -> bytes:
    """The answer about an item.

    Raises:
        Problem: 404, nothing is known of it.
        LakeUnavailable: a table cannot be read.
    """
    parameters: dict[str, Parameter] = {"workspace_id": workspace_id, "content_id": content_id}
    with reads.session(*_READ) as session:
        attributes = session.run_file("api/content_attributes.sql", parameters).read_all().to_pylist()
        found = session.run_file("api/content_state.sql", parameters).read_all().to_pylist()
    if not attributes and not found:
        raise not_found()
    metrics: Row = found[0] if found else {}
    data = {
        "content_id": content_id,
        "workspace_id": workspace_id,
        "attributes": _decoded(attributes[0]) if attributes else None,
        "metrics": _described(metrics) if metrics else None,
    }
    meta = {
        "data_through": metrics.get("computed_at"),
        "approximate": bool(metrics.get("approximate")),
        "cache": cache,
    }
    return envelope(data, meta)


def row_model(name: str, table: str, leave_out: tuple[str, ...], **other: type) -> type[BaseModel]:
    """A table's row as the shape of an answer: every column with its meaning, null where the row has nothing."""
    fields: dict[str, Any] = {
        column.name: (other.get(column.name, _PYTHON[column.type]) | None, Field(description=column.description))
        for column in TABLES[table].columns
        if column.name not in leave_out
    }
    return create_model(name, **fields)


def _described(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("workspace_id", "content_id")}


def _decoded(attributes: Row) -> Row:
    """Metadata as the object it was given as; what is no number to JSON, from a file, is null."""
    written = attributes["metadata"]
    metadata = json.loads(written, parse_constant=lambda _: None) if written else None
    return {**_described(attributes), "metadata": metadata}
