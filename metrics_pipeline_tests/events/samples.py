"""Events as clients send them, and what the tables hold afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from metrics_pipeline.events.fields import NESTED, TOP, Value
from metrics_pipeline.events.inbox import InboxRow
from metrics_pipeline.events.model import Event, Handover, Refused
from metrics_pipeline.events.results import EventResult
from metrics_pipeline.events.validation import validate
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LATENESS = timedelta(days=7)

Sent = dict[str, object]


# every field, in the nested form
FULL: Sent = {
    "eventType": "view_progress",
    "contentId": "c1",
    "creatorId": "k1",
    "userId": "u1",
    "sessionId": "s1",
    "eventId": "e1",
    "timestamp": "2026-03-10T12:59:00+01:00",
    "viewData": {
        "watchTime": 1,
        "totalWatchTime": 12.5,
        "progress": 0.4,
        "duration": 30,
        "completionPercent": 41.5,
        "isRewatch": True,
        "loopCount": 2.0,
    },
    "source": {"type": "forYou", "referrer": "app", "entryPoint": "feed", "campaign": "spring"},
    "device": {
        "type": "Mobile",
        "platform": "iOS",
        "model": "iPhone 15",
        "os": "17.5",
        "appVersion": "3.2.1",
        "screenSize": "1170x2532",
    },
    "location": {
        "country": "de",
        "region": "Berlin",
        "city": "Berlin",
        "timezone": "Europe/Berlin",
        "latitude": 52.5,
        "longitude": 13.4,
        "consent": True,
    },
    "network": {"type": "WiFi", "quality": "good"},
    "demographics": {"ageGroup": "18-24", "gender": "female"},
}


def flat(event: Mapping[str, object]) -> Sent:
    """The same event in flat snake_case."""
    names = {name: column for column, _, spellings in TOP for name in spellings}
    found: Sent = {}
    for key, value in event.items():
        if isinstance(value, Mapping):
            found.update({NESTED[key][inner][0]: item for inner, item in value.items()})
        else:
            found[names[key]] = value
    return found


def like(event_id: str | None = None, **fields: object) -> Sent:
    """A like by one viewer of one content item."""
    named = {} if event_id is None else {"eventId": event_id}
    return {"eventType": "like", "contentId": "c1", "sessionId": "s1", **named, **fields}


def handover(workspace_id: str = "acme", received_at: datetime = NOW, sent_at: datetime | None = None) -> Handover:
    return Handover(workspace_id, received_at, sent_at)


def checked(event: object, given: Handover | None = None) -> Event | Refused:
    return validate(event, given or handover(), LATENESS)


def columns(event: object, given: Handover | None = None) -> dict[str, Value]:
    """The columns of an event that has to be taken."""
    found = checked(event, given)
    assert isinstance(found, Event), found
    return dict(found.columns)


def refusal(event: object, given: Handover | None = None) -> tuple[str, str]:
    """Code and pointer of an event that has to be refused."""
    found = checked(event, given)
    assert isinstance(found, Refused), found
    return found.code, found.pointer


def row(event_id: str, workspace_id: str = "acme", received_at: datetime = NOW) -> InboxRow:
    return InboxRow.of(checked(like(event_id), handover(workspace_id, received_at)))


def statuses(results: Sequence[EventResult]) -> list[str]:
    return [result.status for result in results]


def new_id() -> str:
    return str(uuid.UUID(bytes=os.urandom(16), version=4))


def stored(lake: Lake, columns: str = "*", table: str = "events") -> list[dict[str, object]]:
    """Rows of a table of the lake, in the order of the columns asked for."""
    with Engine(lake).session() as session:
        found = session.run(f"select {columns} from {table} order by all").read_all().to_pylist()
    return [dict(row) for row in found]


def ids(lake: Lake) -> list[str]:
    return [str(row["event_id"]) for row in stored(lake, "event_id")]
