"""How the bodies of event requests are described. They are read by the events' own validation, not by this."""

from __future__ import annotations

from metrics_pipeline.events.fields import EVENT_TYPES, OBJECTS, TOP

_TYPES: dict[str, object] = {"type": "string", "enum": sorted(EVENT_TYPES)}
_TIMES = ("client_ts", "sent_at")
_NOTES = {
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


def _top(column: str) -> dict[str, object]:
    if column == "event_type":
        return {**_TYPES, "description": "What happened."}
    shape: dict[str, object] = {"type": "string"}
    if column in _TIMES:
        shape["format"] = "date-time"
    if column in _NOTES:
        shape["description"] = _NOTES[column]
    return shape


_EVENT: dict[str, object] = {
    "type": "object",
    "description": (
        "An event in camelCase. The column names of the table `events` (event_type, watch_time, ...) are read as well, "
        "at the top level. Times in seconds, progress 0 to 1, completionPercent 0 to 100. Unknown fields are ignored."
    ),
    "required": ["eventType", "sessionId"],
    "properties": {
        **{names[0]: _top(column) for column, _, names in TOP},
        **{
            name: {
                "type": "object",
                "description": _OF_OBJECTS[name],
                "properties": {key: {"description": f"Column `{column}` of events."} for column, _, key in fields},
            }
            for name, fields in OBJECTS.items()
        },
    },
    "example": {"eventType": "view_start", "contentId": "video-1", "sessionId": "session-1"},
}
_BATCH: dict[str, object] = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "sent_at": {
            "type": "string",
            "format": "date-time",
            "description": "The client's clock at this try: events are moved by how far it is off.",
        },
        "batch": {"type": "array", "minItems": 1, "maxItems": 100, "items": _EVENT, "description": "The events."},
    },
    "example": {
        "sent_at": "2026-11-20T14:07:31.402Z",
        "batch": [{"eventType": "view_start", "contentId": "video-1", "sessionId": "session-1"}],
    },
}


def _body(schema: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


TRACK_BODY = _body(_EVENT)
BATCH_BODY = _body(_BATCH)
