"""How one content item is described: the body that sets its attributes, and the answers about it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, create_model
from pydantic.config import JsonDict

from metrics_pipeline.api.body_shapes import instant, number, text
from metrics_pipeline.api.reading.content_items import row_model
from metrics_pipeline.events.content_fields import ATTRIBUTES, METADATA_BYTES, METADATA_DEPTH
from metrics_pipeline.shapes.content import ContentMeta
from metrics_pipeline.shapes.words import Shape

_KEY = ("workspace_id", "content_id")
_SHAPES: dict[str, JsonDict] = {
    "creator_id": {**text(200), "description": "Who published it."},
    "content_type": {**text(64), "description": "Your own kind: video, short, article, ..."},
    "caption": {**text(10_000), "description": "Shortened to 280 characters."},
    "thumbnail_url": {
        "type": ["string", "null"],
        "maxLength": 2000,
        "pattern": r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?([/?#][!-~]*)?$|^\s*$",
        "description": "A preview picture: an address on the web.",
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


_ATTRIBUTES: Any = row_model("ContentAttributes", "content", _KEY, metadata=dict[str, Any])
_METRICS: Any = row_model("ContentState", "content_metrics", _KEY)
_CONTENT: Any = create_model(
    "Content",
    __base__=Shape,
    content_id=(str, ...),
    workspace_id=(str, ...),
    attributes=(_ATTRIBUTES | None, Field(description="Null where nobody gave any.")),
    metrics=(_METRICS | None, Field(description="Its row of content_metrics; null where nothing was counted yet.")),
)
CONTENT_ANSWER: type[BaseModel] = create_model(
    "ContentAnswer", __base__=Shape, data=(_CONTENT, ...), meta=(ContentMeta, ...)
)
