"""The only place here that knows the lake: it reads, always one workspace's rows, and never writes.

Tables are made by the pipeline; one that is not there yet has no rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field, create_model

from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.session import Session
from metrics_pipeline.lake.table_spec import ColumnType
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.settings import Settings

Row = dict[str, Any]
_PYTHON: dict[ColumnType, type] = {
    "string": str,
    "date": date,
    "timestamp": datetime,
    "double": float,
    "bigint": int,
    "int": int,
    "boolean": bool,
}


@dataclass(frozen=True)
class ContentItem:
    """Rows of `content` and `content_metrics`, and the versions of these tables that they were read from."""

    attributes: Row | None
    metrics: Row | None
    generation: str


class LakeReader:
    """Reads what the pipeline has built. Opens nothing before it is asked; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._lake = Lake(settings.lake_location)

    def content_item(self, workspace_id: str, content_id: str) -> ContentItem | None:
        """What is known of one content item; None where nothing is."""
        if not (self._lake.exists("content") and self._lake.exists("content_metrics")):
            return None
        parameters = {"workspace_id": workspace_id, "content_id": content_id}
        with Session(self._lake) as session:
            attributes = session.run_file("api/content_attributes.sql", parameters).read_all().to_pylist()
            metrics = session.run_file("api/content_state.sql", parameters).read_all().to_pylist()
            versions = session.versions
        if not attributes and not metrics:
            return None
        return ContentItem(
            _decoded(attributes[0]) if attributes else None,
            metrics[0] if metrics else None,
            f"{versions['content']}.{versions['content_metrics']}",
        )


def row_model(name: str, table: str, leave_out: tuple[str, ...], **other: type) -> type[BaseModel]:
    """A table's row as the shape of an answer: every column with its meaning, null where the row has nothing."""
    fields: dict[str, Any] = {
        column.name: (other.get(column.name, _PYTHON[column.type]) | None, Field(description=column.description))
        for column in TABLES[table].columns
        if column.name not in leave_out
    }
    return create_model(name, **fields)


def _decoded(attributes: Row) -> Row:
    """Metadata as the object it was given as; what is no number to JSON, from a file, is null."""
    written = attributes["metadata"]
    return {**attributes, "metadata": json.loads(written, parse_constant=lambda _: None) if written else None}
