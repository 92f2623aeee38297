"""From what a client sent to one validated event, or one reason why not.

Written by hand because it stands in the path of every event: a pass over the fields that are there, not over all
that might be. Unknown fields are left out and counted; a null says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from metrics_pipeline.events.bots import bot_reason
from metrics_pipeline.events.fields import ABOUT_A_CREATOR, CAMEL_CASE, FLAT, ID, NESTED, Check, Invalid, Value, instant
from metrics_pipeline.events.geoip import Place
from metrics_pipeline.events.model import Event, Handover, Refused, viewer_hash
from metrics_pipeline.events.quarantine import payload_of
from metrics_pipeline.events.timing import place

PRECISE_LOCATION = ("city", "latitude", "longitude")


def validate(event: object, handover: Handover, lateness: timedelta) -> Event | Refused:
    """The event with the lake's columns, or the first thing that is wrong with it.

    `lateness`: how long before its arrival an event may have happened.
    """
    try:
        return _accepted(event, handover, lateness)
    except Invalid as reason:
        return _refused(event, handover, reason)


def _accepted(event: object, handover: Handover, lateness: timedelta) -> Event:
    if not isinstance(event, Mapping):
        raise Invalid("wrong_type", "an event must be an object")
    columns: dict[str, Value] = {}
    ignored = _read(event, FLAT, "", columns)
    _require(columns, event)
    received_at = handover.received_at.astimezone(UTC)
    if handover.sent_at is not None and "sent_at" not in columns:
        columns["sent_at"] = instant(handover.sent_at)
    _place_in_time(columns, received_at)
    if columns["event_ts"] < received_at - lateness and not handover.take_old:  # type: ignore[operator]
        raise Invalid("too_old", f"happened more than {lateness.days} days before it arrived", _pointer(event))
    _limit_location(columns)
    if handover.place is not None:
        _fill_in(columns, handover.place)
    _flag_bots(columns, handover.user_agent)
    columns["workspace_id"] = handover.workspace_id
    if "event_id" not in columns:
        columns["event_id"] = str(uuid4())
    columns["viewer_hash"] = viewer_hash(handover.workspace_id, columns.get("user_id"), columns["session_id"])  # type: ignore[arg-type]
    columns["origin"] = handover.origin
    if handover.import_id:
        columns["import_id"] = handover.import_id
    return Event(handover.workspace_id, str(columns["event_id"]), received_at, columns, ignored)


def _read(
    given: Mapping[str, object], known: Mapping[str, tuple[str, Check]], path: str, columns: dict[str, Value]
) -> int:
    """Put the known fields into `columns`; returns how many fields were left out."""
    ignored = 0
    for key, value in given.items():
        if value is None:
            continue
        field = known.get(key)
        if field is None:
            inner = NESTED.get(key) if not path else None
            if inner is None:
                ignored += 1
            elif type(value) is dict or isinstance(value, Mapping):  # the first is far quicker to ask
                ignored += _read(value, inner, f"/{key}", columns)
            else:
                raise Invalid("wrong_type", "must be an object", f"/{key}")
            continue
        column, check = field
        if column in columns:
            ignored += 1
            continue
        try:
            checked = check(value)
        except Invalid as reason:
            reason.pointer = f"{path}/{key}"
            raise
        if checked is not None:
            columns[column] = checked
    return ignored


def _require(columns: Mapping[str, Value], event: Mapping[str, object]) -> None:
    for needed in ("event_type", "session_id"):
        if needed not in columns:
            raise Invalid("missing_field", "has to be given", _spelled(needed, event))
    needed = "creator_id" if columns["event_type"] in ABOUT_A_CREATOR else "content_id"
    if needed not in columns:
        raise Invalid("missing_field", "has to be given for this type of event", _spelled(needed, event))


def _spelled(column: str, event: Mapping[str, object]) -> str:
    """The pointer to a field that is not there, in the spelling the event is written in."""
    flat = any(name in event for name in ("event_type", "session_id", "content_id", "creator_id"))
    return f"/{column if flat else CAMEL_CASE[column]}"


def _pointer(event: Mapping[str, object]) -> str:
    """Where the event says when it happened."""
    return next((f"/{name}" for name in ("clientTimestamp", "timestamp", "client_ts") if name in event), "")


def _place_in_time(columns: dict[str, Value], received_at: datetime) -> None:
    client_ts, sent_at = columns.get("client_ts"), columns.get("sent_at")
    placed = place(
        received_at,
        client_ts if isinstance(client_ts, datetime) else None,
        sent_at if isinstance(sent_at, datetime) else None,
    )
    columns["event_ts"], columns["ts_source"], columns["received_at"] = placed.event_ts, placed.source, received_at
    if placed.skew_ms is not None:
        columns["skew_ms"] = placed.skew_ms


def _limit_location(columns: dict[str, Value]) -> None:
    """Precise places only with consent; half a coordinate is none."""
    if not columns.setdefault("location_consent", False):
        for column in PRECISE_LOCATION:
            columns.pop(column, None)
    elif ("latitude" in columns) != ("longitude" in columns):
        columns.pop("latitude", None)
        columns.pop("longitude", None)


def _fill_in(columns: dict[str, Value], place: Place) -> None:
    """What the event does not say of where it happened, as far as that does not contradict what it says.

    A country and a region, or nothing; with consent a city and coordinates, if it says neither.
    """
    for column, value in (("country", place.country), ("region", place.region)):
        if value is not None and columns.setdefault(column, value) != value:
            return
    if columns["location_consent"] and not any(column in columns for column in PRECISE_LOCATION):
        found = {"city": place.city, "latitude": place.latitude, "longitude": place.longitude}
        columns.update({column: value for column, value in found.items() if value is not None})


def _flag_bots(columns: dict[str, Value], header: str | None) -> None:
    own = columns.pop("user_agent", None)
    reason = bot_reason(str(own), of_viewer=True) if own else bot_reason(header, of_viewer=False)
    columns["is_bot"] = reason is not None
    if reason:
        columns["bot_reason"] = reason


def _refused(event: object, handover: Handover, reason: Invalid) -> Refused:
    received_at = handover.received_at.astimezone(UTC)
    event_id, user_id = _named(event, "event_id"), _named(event, "user_id")
    found: dict[str, Value | None] = {
        "workspace_id": handover.workspace_id,
        "received_at": received_at,
        "event_id": event_id,
        "user_id": user_id,
        "code": reason.code,
        "detail": reason.detail,
        "pointer": reason.pointer,
        "payload": payload_of(event),
        "origin": handover.origin,
        "import_id": handover.import_id,
    }
    columns = {column: value for column, value in found.items() if value is not None}
    return Refused(handover.workspace_id, event_id, received_at, reason.code, reason.detail, reason.pointer, columns)


def _named(event: object, column: str) -> str | None:
    """An id of a refused event, if it has one that can be used: in either spelling."""
    if not isinstance(event, Mapping):
        return None
    for name in (column, CAMEL_CASE[column]):
        if (given := event.get(name)) is None:
            continue
        try:
            checked = ID(given)
        except Invalid:
            continue
        if isinstance(checked, str):
            return checked
    return None
