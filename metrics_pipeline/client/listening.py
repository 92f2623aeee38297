"""Live updates: which numbers changed, as soon as they did. Scope `read`."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from metrics_pipeline.client.asking import Asking
from metrics_pipeline.client.errors import ApiError
from metrics_pipeline.client.link import may_pass

# The server says something at least every half a minute; after twice that the connection is dead.
SILENCE = 60.0
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class LiveEvent:
    """type: snapshot, metrics.updated, post_metrics.updated, aggregates.updated, realtime or reset.

    message: docs/api.md.
    """

    type: str
    id: str | None
    message: dict[str, object]


class Listening(Asking):
    """The listening part of the client."""

    def live(self, channels: str | Sequence[str] = (), *, last_event_id: str | None = None) -> Iterator[LiveEvent]:
        """What changes, for as long as one asks for more; a connection that ends is opened again where it was.

        channels: `workspace:<id>` or `account:<workspace>/<id>`, of one workspace; by default the key's own.
        After `reset` something may have been missed: read everything again.

        Raises:
            ApiError: it cannot be listened to, or the server has been away for as many tries as the client has.
        """
        failures = 0
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
            try:
                for event in _events(self._link.lines("/v1/live", {"channel": channels}, headers, SILENCE)):
                    failures, last_event_id = 0, event.id or last_event_id
                    if event.type != "bye":
                        yield event
            except ApiError as error:
                failure = error
            failures += 1
            if not may_pass(failure) or failures > self._link.retries + 1:
                raise failure
            pause = min(_LONGEST_PAUSE, 2.0**failures) * random.uniform(0.1, 0.5)  # noqa: S311 - no secret
            time.sleep(max(pause, failure.retry_after or 0.0))


def _events(lines: Iterator[str]) -> Iterator[LiveEvent]:
    """Events of a stream (WHATWG, 9.2.6): fields up to an empty line."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields:
            message = json.loads("\n".join(fields["data"]))
            yield LiveEvent(fields.get("event", ["message"])[-1], fields.get("id", [None])[-1], message)
        fields = {}
