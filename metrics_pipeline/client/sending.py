"""Sending events and what is to be said of content. Scope `ingest`, a server's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from metrics_pipeline.client.answers import ContentAttributes
from metrics_pipeline.client.asking import Asking, json_body
from metrics_pipeline.client.link import Ask, segment
from metrics_pipeline.shapes.content import ContentKeptAnswer
from metrics_pipeline.shapes.events import BatchAnswer

MOST_EVENTS = 100
_IDS = ("event_id", "eventId")


class Sending(Asking):
    """The sending half of the client; EventBuffer keeps events while the server is away."""

    def put_content(self, content_id: str, attributes: ContentAttributes) -> ContentKeptAnswer:
        """Say all there is to say of one content item: what is None is unknown from then on."""
        body = json_body(attributes.model_dump(mode="json", exclude_none=True, exclude={"updated_at"}))
        return self._ask(ContentKeptAnswer, Ask("PUT", f"/v1/content/{segment(content_id)}", body=lambda: body))

    def track_batch(
        self,
        events: Sequence[Mapping[str, object]],
        *,
        retries: int | None = None,
        timeout: float | None = None,
    ) -> BatchAnswer:
        """Send up to 100 events; `sent_at` is set anew at every try.

        Repeated only if every event has an id, which makes a second arrival a duplicate. Events are sent as they are,
        in camelCase or in the names of the columns. A result may be `rejected` (never send it again) or `retry`.

        retries, timeout: other than the client's.

        Raises:
            ApiError: nothing of it is known to be stored.
            ValueError: there are none or too many, or something that JSON cannot write.
        """
        if not 0 < len(events) <= MOST_EVENTS:
            raise ValueError(f"A batch has 1 to {MOST_EVENTS} events.")
        batch = b"[" + b",".join(json_body(event) for event in events) + b"]"
        has_ids = all(any(event.get(name) for name in _IDS) for event in events)
        return self.send_batch(batch, is_repeatable=has_ids, retries=retries, timeout=timeout)

    def send_batch(
        self, batch: bytes, *, is_repeatable: bool = True, retries: int | None = None, timeout: float | None = None
    ) -> BatchAnswer:
        """Send a batch that is a JSON list already."""

        def body() -> bytes:
            return b'{"sent_at":"' + instant_text(self.now()).encode() + b'","batch":' + batch + b"}"

        path = "/v1/events/track-batch"
        ask = Ask("POST", path, body=body, is_repeatable=is_repeatable, retries=retries, timeout=timeout)
        return self._ask(BatchAnswer, ask)


def instant_text(instant: datetime) -> str:
    """An instant as events write it.

    Raises:
        ValueError: it does not say its offset.
    """
    if instant.utcoffset() is None:
        raise ValueError("An instant needs its offset: datetime.now(UTC), not datetime.now().")
    return instant.isoformat(timespec="milliseconds")
