"""An event after validation, and what is kept of one that was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from pydantic_core import to_json

from metrics_pipeline.events.fields import Value
from metrics_pipeline.events.geoip import Place


@dataclass(frozen=True, slots=True)
class Handover:
    """How events came in: the tenant from the credential, the times and user agent of the request."""

    workspace_id: str
    received_at: datetime
    sent_at: datetime | None = None
    user_agent: str | None = None
    place: Place | None = None
    """Where the request came from, for events that do not say it; the address it is known by is kept nowhere."""
    origin: str = "api"
    import_id: str | None = None
    take_old: bool = False
    """Take events older than the lateness window: for imports that are told to."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event that may be stored. `columns` holds what is known of it, by column of the lake's `events`."""

    workspace_id: str
    event_id: str
    received_at: datetime
    columns: Mapping[str, Value]
    ignored: int
    """Fields that were not read: unknown ones, and a column's second spelling."""

    def payload(self) -> str:
        return to_json(self.columns).decode()


@dataclass(frozen=True, slots=True)
class Refused:
    """One event that cannot be taken, with the first reason found."""

    workspace_id: str
    event_id: str | None
    received_at: datetime
    code: str
    detail: str
    pointer: str
    columns: Mapping[str, Value]
    """By column of the lake's `rejected_events`."""

    def payload(self) -> str:
        return to_json(self.columns).decode()


def viewer_hash(workspace_id: str, user_id: str | None, session_id: str) -> int:
    """The person, else the session, as the signed 64-bit number that distinct viewers are counted by."""
    viewer = f"u{user_id}" if user_id else f"s{session_id}"
    digest = blake2b(f"{workspace_id}\x1f{viewer}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
