"""How the bodies of event requests are described. They are read by the events' own validation, not by this."""

from __future__ import annotations

from pydantic.config import JsonDict

from metrics_pipeline.api.body_shapes import boolean, count, instant, needed_text, number, text
from metrics_pipeline.events.fields import ABOUT_A_CREATOR, EVENT_TYPES, OBJECTS, TOP

_ID, _LABEL, _WORD, _SECONDS = text(200), text(256), text(64), number(0, 7 * 86_400)
_SHAPES: dict[str, JsonDict] = {
    "event_type": {"type": "string", "enum": [*sorted(EVENT_TYPES)]},
    "session_id": needed_text(200),
    "client_ts": instant(),
    "sent_at": instant(),
    **dict.fromkeys(("content_id", "creator_id", "user_id", "event_id"), _ID),
    **dict.fromkeys(("watch_time", "total_watch_time", "duration"), _SECONDS),
    "progress": number(0, 1.01),
    "completion_percent": number(0, 1_000_000),
    "loop_count": count(1_000_000),
    **dict.fromkeys(("is_rewatch", "location_consent"), boolean()),
    **dict.fromkeys(("referrer", "user_agent"), text(2000)),
    **dict.fromkeys(("entry_point", "campaign", "device_model", "device_os", "region", "city"), _LABEL),
    "latitude": number(-90, 90),
    "longitude": number(-180, 180),
}
_NOTES = {
    "event_type": "What happened.",
    "user_id": "Who it is, if known; left out, it is nobody.",
    "session_id": "The visit that it belongs to.",
    "sent_at": "The client's clock at this try, for an event on its own.",
    "event_id": "A UUID, made before the first try and kept for every retry; without it no duplicate is found.",
    "creator_id": "Required for follow and unfollow.",
    "content_id": "Required for every other type.",
    "client_ts": "When it happened on the client's clock, with an offset.",
    "user_agent": "The viewer's; looked at for bots and not stored.",
}
_OF_OBJECTS = {
    "viewData": "How much of it was watched.",
    "source": "How the viewer got there.",
    "device": "What it was viewed with.",
    "location": "Where it was viewed; coordinates are dropped unless `consent` is true.",
    "network": "Over which network.",
    "demographics": "Who viewed it, as far as they said.",
}


def _shape(column: str) -> JsonDict:
    """Columns without a shape of their own are words."""
    return {**_SHAPES.get(column, _WORD), "description": _NOTES.get(column, column)}


def _about(types: frozenset[str], needed: str) -> JsonDict:
    """Events of these types need this field."""
    return {
        "properties": {
            "eventType": {"enum": [*sorted(types)], "description": _NOTES["event_type"]},
            needed: {**needed_text(200), "description": "Required for these."},
        },
        "required": [needed],
    }


_EVENT: JsonDict = {
    "type": "object",
    "description": (
        "An event in camelCase. The column names of the table `events` (event_type, watch_time, ...) are read as well, "
        "at the top level. Times in seconds, progress 0 to 1, completionPercent 0 to 100 (more stands for loops). "
        "Unknown fields are ignored, and null says nothing."
    ),
    "required": ["eventType", "sessionId"],
    "properties": {
        **{names[0]: _shape(column) for column, _, names in TOP},
        **{
            name: {
                "type": ["object", "null"],
                "description": _OF_OBJECTS[name],
                "properties": {key: _shape(column) for column, _, key in fields},
            }
            for name, fields in OBJECTS.items()
        },
    },
    "anyOf": [_about(EVENT_TYPES - ABOUT_A_CREATOR, "contentId"), _about(ABOUT_A_CREATOR, "creatorId")],
    "example": {"eventType": "view_start", "contentId": "video-1", "sessionId": "session-1"},
}
_BATCH: JsonDict = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "sent_at": {
            **instant(),
            "description": "The client's clock at this try: events are moved by how far it is off.",
        },
        "batch": {"type": "array", "minItems": 1, "maxItems": 100, "items": _EVENT, "description": "The events."},
    },
    "example": {
        "sent_at": "2026-11-20T14:07:31.402Z",
        "batch": [{"eventType": "view_start", "contentId": "video-1", "sessionId": "session-1"}],
    },
}


def _body(schema: JsonDict) -> JsonDict:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


TRACK_BODY = _body(_EVENT)
BATCH_BODY = _body(_BATCH)
