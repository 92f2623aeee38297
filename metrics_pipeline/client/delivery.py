"""One try to bring waiting events to the server, and which of them need not wait any longer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from metrics_pipeline.client.client import MetricsClient
from metrics_pipeline.client.errors import ApiError
from metrics_pipeline.client.event_store import Waiting
from metrics_pipeline.shapes.events import BatchResult

# The server takes 1,048,576 bytes; the rest is for what is around the events.
MOST_BYTES = 1_000_000
_TOO_LARGE = 413
_WRONG = frozenset({400, 422})
# Errors of that kind that say nothing of the events: the connection broke off, or the clock is none.
_NOT_OF_EVENTS = frozenset({"incomplete_body", "invalid_sent_at"})


@dataclass(frozen=True)
class Rejected:
    """An event that the server will never take. code: why, as in docs/api.md."""

    event: dict[str, object]
    code: str
    detail: str


@dataclass
class Outcome:
    """What a try came to. accepted, rejected: the events' places; others have to be sent again."""

    accepted: list[int] = field(default_factory=list)
    rejected: dict[int, Rejected] = field(default_factory=dict)
    error: ApiError | None = None

    def add(self, other: Outcome) -> None:
        self.accepted += other.accepted
        self.rejected |= other.rejected
        self.error = other.error


def deliver(client: MetricsClient, events: Sequence[Waiting], timeout: float | None) -> Outcome:
    """Send at most 100 events, once. A batch that is refused as a whole is sent in halves, down to the one to blame."""
    batch = b"[" + b",".join(event.body.encode() for event in events) + b"]"
    try:
        answer = client.send_batch(batch, retries=0, timeout=timeout)
    except ApiError as error:
        refusal = error
    else:
        return _sorted(events, answer.data.results)
    if not _is_of_events(refusal):
        return Outcome(error=refusal)
    if len(events) == 1:
        return Outcome(rejected={events[0].place: _rejected(events[0], refusal.code, refusal.detail)})
    outcome = Outcome()
    for half in (events[: len(events) // 2], events[len(events) // 2 :]):
        outcome.add(deliver(client, half, timeout))
        if outcome.error is not None:
            break
    return outcome


def _sorted(events: Sequence[Waiting], results: Sequence[BatchResult]) -> Outcome:
    outcome = Outcome()
    if len(results) != len(events):
        outcome.error = ApiError(202, "unreadable_answer", "There is not one result for each event.")
        return outcome
    for event, result in zip(events, results, strict=True):
        if result.status in ("accepted", "duplicate"):
            outcome.accepted.append(event.place)
        elif result.status == "rejected":
            code, detail = result.code or "rejected", result.detail or "The server does not say why."
            outcome.rejected[event.place] = _rejected(event, code, detail)
        else:
            outcome.error = ApiError(202, result.code or "retry", "The server could not store all events.")
    return outcome


def _is_of_events(error: ApiError) -> bool:
    """Whether the server means the events, and would say the same again."""
    if error.status == _TOO_LARGE:
        return True
    is_own = not error.code.startswith("http_")
    return error.status in _WRONG and is_own and error.code not in _NOT_OF_EVENTS


def _rejected(event: Waiting, code: str, detail: str) -> Rejected:
    return Rejected(json.loads(event.body), code, detail)
