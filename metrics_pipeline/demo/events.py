"""The demo's own content: a week of events, sent over HTTP the way an application sends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

import httpx

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.control.api_keys import INGEST, Rights, create_key, revoke_key
from metrics_pipeline.demo.accounts import WORKSPACES
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.viewers import Audience, Event, Item
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import HOUR, Window

# What the lateness window takes: older events would be refused, as anybody's.
LONGEST = timedelta(days=7)
BATCH = 100


def events_window(first_day: datetime, now: datetime) -> Window:
    """The whole hours that the demo has events for."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    return Window(max(first_day, this_hour - LONGEST + HOUR), this_hour)


def send_events(settings: Settings, window: Window, seed: int) -> int:
    """Send every workspace's content and events to a server of our own; the same again changes nothing.

    Returns the number of events.

    Raises:
        RunFailedError: the server did not take them.
    """
    sent = 0
    pipeline, now = Pipeline(settings), settings.clock.now()
    with ApiServer(settings) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        for workspace_id in WORKSPACES:
            audience = Audience(seed, workspace_id, now)
            rights = Rights(workspace_id, [INGEST], [], "demo")
            record, key = create_key(pipeline.control, pipeline.ring, rights, now=now)
            headers = {"Authorization": f"Bearer {key.reveal()}"}
            for item in audience.items():
                answer = client.put(f"/v1/content/{item.content_id}", json=_attributes(item), headers=headers)
                _expect_taken(answer, is_taken=answer.status_code == 202)
            for batch in _batches(event for hour in window.hours() for event in audience.events(hour.start)):
                body = {"batch": batch, "sent_at": now.isoformat()}
                answer = client.post("/v1/events/track-batch", json=body, headers=headers)
                _expect_taken(answer, is_taken=answer.status_code == 202 and not answer.json()["data"]["rejected"])
                sent += len(batch)
            revoke_key(pipeline.control, record.key_id, now=now)
    return sent


def _attributes(item: Item) -> dict[str, object]:
    return {
        "creator_id": item.creator_id,
        "content_type": item.content_type,
        "caption": item.content_id.replace("-", " ").title(),
        "duration_seconds": item.duration_seconds,
        "published_at": item.published_at.isoformat(),
    }


def _expect_taken(answer: httpx.Response, *, is_taken: bool) -> None:
    if not is_taken:
        raise RunFailedError(f"The demo's content was not taken: {answer.text[:300]}")


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    left = iter(events)
    while batch := list(islice(left, BATCH)):
        yield batch
