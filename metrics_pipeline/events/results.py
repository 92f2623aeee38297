"""What becomes of one event that was handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EventStatus = Literal["accepted", "duplicate", "rejected", "retry"]


@dataclass(frozen=True, slots=True)
class EventResult:
    """The answer for one event.

    accepted: durable. duplicate: its id is stored already. rejected: it will never be taken as it is, `code` says
    why. retry: nothing of it is stored, send it again with the same `event_id`.
    """

    status: EventStatus
    event_id: str | None
    """The event's own id, or the one the server made; None where a rejected event has none that can be used."""
    code: str | None = None
    detail: str | None = None
    """In words; never a value that was sent."""
    pointer: str | None = None
    """JSON pointer to what is wrong, within the event."""
