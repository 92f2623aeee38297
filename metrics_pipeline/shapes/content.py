"""One content item."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from metrics_pipeline.shapes.lists import CacheTier
from metrics_pipeline.shapes.words import Shape


class ContentKept(Shape):
    content_id: str
    updated_at: datetime = Field(description="Of several words on an item the one with the latest counts.")
    status: Literal["accepted"]


class ContentKeptAnswer(Shape):
    data: ContentKept
    meta: dict[str, str]


class ContentMeta(Shape):
    """What the numbers rest on."""

    data_through: datetime | None = Field(description="When the numbers were computed; null where there are none.")
    generation: str = Field(description="Changes whenever something of the item does, and with nothing else.")
    approximate: bool = Field(description="Whether a number is an estimate; metrics.error_bound says how good.")
    cache: CacheTier = Field(description="How long the answer may be kept.")
