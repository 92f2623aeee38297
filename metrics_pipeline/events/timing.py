"""When an event happened, on the server's clock, although clients' clocks are wrong and phones are offline for days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

# What a clock may be ahead by without being thought wrong: the usual limit of clock synchronisation plus transit.
FUTURE_TOLERANCE = timedelta(minutes=5)

TimeSource = Literal["client", "corrected", "received", "clamped_future"]


class Placement(NamedTuple):
    """Where an event stands in time; `skew_ms` is known only where the client's clock was corrected."""

    event_ts: datetime
    source: TimeSource
    skew_ms: int | None


def place(received_at: datetime, client_ts: datetime | None, sent_at: datetime | None) -> Placement:
    """The instant of an event.

    A client that says when it sent the event tells how long ago it happened, whatever its clock shows: the event
    stands that long before its arrival. Otherwise the client's time is taken, unless it lies in the future.
    """
    if client_ts is None:
        return Placement(received_at, "received", None)
    if sent_at is not None and sent_at >= client_ts:
        skew = (received_at - sent_at) // timedelta(milliseconds=1)
        return Placement(received_at - (sent_at - client_ts), "corrected", skew)
    if client_ts > received_at + FUTURE_TOLERANCE:
        return Placement(received_at, "clamped_future", None)
    return Placement(client_ts, "client", None)
