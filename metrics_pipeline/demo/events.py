"""The demo's own content: a week of events, sent over HTTP the way an application sends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.client import MOST_EVENTS, ApiError, ContentAttributes, MetricsClient
from metrics_pipeline.control.api_keys import INGEST, Rights, create_key, revoke_key
from metrics_pipeline.demo.accounts import WORKSPACES
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.viewers import Audience, Event, Item
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import HOUR, Window

# What the lateness window takes: older events would be refused, as anybody's.
LONGEST = timedelta(days=7)


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
    with ApiServer(settings) as server:
        for workspace_id in WORKSPACES:
            audience = Audience(seed, workspace_id, now)
            rights = Rights(workspace_id, [INGEST], [], "demo")
            record, key = create_key(pipeline.control, pipeline.ring, rights, now=now)
            events = (event for hour in window.hours() for event in audience.events(hour.start))
            with MetricsClient(server.url, key.reveal(), now=lambda: now) as client:
                try:
                    sent += _send(client, audience.items(), events)
                except ApiError as error:
                    raise RunFailedError(f"The demo's content was not taken: {error}") from None
            revoke_key(pipeline.control, record.key_id, now=now)
    return sent


def _send(client: MetricsClient, items: Iterable[Item], events: Iterable[Event]) -> int:
    for item in items:
        client.put_content(item.content_id, _attributes(item))
    sent = 0
    for batch in _batches(events):
        answer = client.track_batch(batch).data
        if answer.accepted + answer.duplicates != len(batch):
            bad = next(result for result in answer.results if result.status not in ("accepted", "duplicate"))
            raise RunFailedError(f"The demo's content was not taken: {bad.code}: {bad.detail}")
        sent += len(batch)
    return sent


def _attributes(item: Item) -> ContentAttributes:
    return ContentAttributes(
        creator_id=item.creator_id,
        content_type=item.content_type,
        caption=item.content_id.replace("-", " ").title(),
        duration_seconds=item.duration_seconds,
        published_at=item.published_at,
    )


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    left = iter(events)
    while batch := list(islice(left, MOST_EVENTS)):
        yield batch
