"""How one content item is described: the body that sets its attributes, and the answers about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.config import JsonDict

from metrics_pipeline.api.body_shapes import instant, number, text
from metrics_pipeline.api.reading.content_items import row_model
from metrics_pipeline.api.reading.list_shapes import CacheTier
from metrics_pipeline.events.content_fields import ATTRIBUTES, METADATA_BYTES, METADATA_DEPTH

_KEY = ("workspace_id", "content_id")
_SHAPES: dict[str, JsonDict] = {
    "creator_id": {**text(200), "description": "Who published it."},
    "content_type": {**text(64), "description": "Your own kind: video, short, article, ..."},
    "caption": {**text(10_000), "description": "Shortened to 280 characters."},
    "thumbnail_url": {
        "type": ["string", "null"],
        "maxLength": 2000,
        "pattern": r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?([/?#][!-~]*)?$|^\s*$",
        "description": "An address on the web.",
    },
    "duration_seconds": {**number(0, 604_800), "description": "Bounds watch times."},
    "published_at": {**instant(), "description": "With an offset."},
    "deleted_at": {**instant(), "description": "When it was taken down."},
    "metadata": {
        "type": ["object", "null"],
        "description": f"Anything else, at most {METADATA_BYTES} bytes and {METADATA_DEPTH} levels.",
    },
}
_BODY: JsonDict = {
    "type": "object",
    "description": (
        "All attributes of the item in camelCase or snake_case: what is left out, or null, is unknown from then on. "
        "Other names are refused."
    ),
    "properties": {camel: _SHAPES[column] for column, _, camel in ATTRIBUTES},
    "additionalProperties": False,
    "example": {"creatorId": "anna", "contentType": "video", "durationSeconds": 34.5},
}
PUT_BODY: JsonDict = {"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}}


class ContentKept(BaseModel):
    content_id: str
    updated_at: datetime = Field(description="Of several words on an item the one with the latest counts.")
    status: Literal["accepted"]


class ContentKeptAnswer(BaseModel):
    data: ContentKept
    meta: dict[str, str]


class ContentMeta(BaseModel):
    """What the numbers rest on."""

    data_through: datetime | None = Field(description="When the numbers were computed; null where there are none.")
    generation: str = Field(description="Changes whenever something of the item does, and with nothing else.")
    approximate: bool = Field(description="Whether a number is an estimate; metrics.error_bound says how good.")
    cache: CacheTier = Field(description="How long the answer may be kept.")


_ATTRIBUTES: Any = row_model("ContentAttributes", "content", _KEY, metadata=dict[str, Any])
_METRICS: Any = row_model("ContentState", "content_metrics", _KEY)
_CONTENT: Any = create_model(
    "Content",
    content_id=(str, ...),
    workspace_id=(str, ...),
    attributes=(_ATTRIBUTES | None, Field(description="Null where nobody gave any.")),
    metrics=(_METRICS | None, Field(description="Its row of content_metrics; null where nothing was counted yet.")),
)
CONTENT_ANSWER: type[BaseModel] = create_model("ContentAnswer", data=(_CONTENT, ...), meta=(ContentMeta, ...))
