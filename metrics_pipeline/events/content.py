"""Attributes of first-party content: what an application says of an item, checked and merged into the lake."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.event_tables import CONTENT
from metrics_pipeline.lake.predicates import Partitions

CAPTION_LENGTH = 280
Name = Annotated[str, Field(min_length=1, max_length=255)]


class ContentAttributes(BaseModel):
    """One content item. What is left out is unknown, also where it was known before: the newest word counts whole.

    duration_seconds in seconds; published_at and deleted_at with a time zone; metadata any JSON object.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    content_id: Name
    creator_id: Name | None = None
    content_type: Annotated[str, Field(max_length=64)] | None = None
    caption: str | None = None
    thumbnail_url: HttpUrl | None = None
    duration_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    published_at: AwareDatetime | None = None
    deleted_at: AwareDatetime | None = None
    metadata: dict[str, Any] | None = None

    def row(self, workspace_id: str, now: datetime) -> dict[str, object]:
        """The item as a row of the table `content`."""
        values = self.model_dump(exclude={"caption", "thumbnail_url", "metadata"})
        return {
            **values,
            "workspace_id": workspace_id,
            "caption": self.caption[:CAPTION_LENGTH] if self.caption else None,
            "thumbnail_url": str(self.thumbnail_url) if self.thumbnail_url else None,
            "metadata": json.dumps(self.metadata, sort_keys=True) if self.metadata else None,
            "updated_at": now,
        }


def parse_content(given: Mapping[str, object]) -> ContentAttributes | str:
    """The attributes, or in one sentence what is wrong with them; never the value itself."""
    try:
        return ContentAttributes.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        return f"{name}: {first['msg'][0].lower()}{first['msg'][1:]}"


def keep_content(engine: Engine, rows: Iterable[Mapping[str, object]]) -> int:
    """Merge rows of `ContentAttributes.row`; of one item the newest counts. Returns how many items are new."""
    return merge_content(engine, pa.Table.from_pylist([dict(row) for row in rows], schema=CONTENT.schema))


def merge_content(engine: Engine, incoming: pa.Table) -> int:
    """Merge rows with the columns of `content`: an older word on an item never replaces a newer one."""
    if incoming.num_rows == 0:
        return 0
    rows = incoming.select(CONTENT.schema.names)
    return engine.merge("content", "merge/content.sql", rows, Partitions(), only_changes=True)
