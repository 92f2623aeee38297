"""The inbox: where accepted events are durable until they are in the lake. SQLite in its own file, or Postgres.

`event_seen` claims an event id in the same transaction as the row itself, so a client that repeats what failed is
counted once. Sequences increase in the order of commits: the drain may delete everything up to the last it has read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.events.model import Event, Refused
from metrics_pipeline.settings import Settings

Kind = Literal["accepted", "rejected", "content", "status"]
Unavailable = Literal["disk_full", "busy", "unreachable", "unusable"]


class InboxUnavailableError(RunFailedError):
    """Nothing of what was asked for has happened (or, where a connection broke during the commit, all of it has)."""

    def __init__(self, reason: Unavailable, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InboxRow(NamedTuple):
    """One event to be kept, the attributes of one content item (kind content), or a status of a message (kind status).

    Only those of kind accepted claim their id; the payload is JSON by lake column. A status has no workspace yet.
    """

    workspace_id: str
    event_id: str | None
    received_at: datetime
    kind: Kind
    payload: str

    @classmethod
    def of(cls, event: Event | Refused) -> InboxRow:
        kind: Kind = "accepted" if isinstance(event, Event) else "rejected"
        return cls(event.workspace_id, event.event_id, event.received_at, kind, event.payload())


class StoredRow(NamedTuple):
    """One event, one item's attributes, or one status of a message, that waits for the lake."""

    sequence: int
    kind: Kind
    payload: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the lake."""

    rows: int
    oldest_received_at: datetime | None


class Inbox(Protocol):
    """Safe to use from several threads and processes; every method is one transaction and raises
    InboxUnavailableError."""

    @property
    def uuid(self) -> str:
        """Names this inbox: sequences mean something only within it."""
        ...

    def last_sequence(self) -> int:
        """The last sequence that was given out, 0 before the first."""
        ...

    def renew(self, done: int) -> None:
        """Take another uuid if no sequence above `done` was ever given out.

        The lake knows `done` from this inbox, so the inbox was put back from an older copy and would give out again
        what the lake has counted already.
        """
        ...

    def append(self, rows: Sequence[InboxRow]) -> list[bool]:
        """Store the rows in one transaction; False for each whose id was claimed before, or earlier in `rows`."""
        ...

    def peek(self, limit: int, *, after: int = 0) -> list[StoredRow]:
        """The next rows in order of sequence, left where they are."""
        ...

    def delete_through(self, sequence: int) -> int:
        """Delete all rows up to a sequence, included; returns how many."""
        ...

    def forget_seen(self, before: date) -> int:
        """Forget the ids of events received before a UTC day; returns how many."""
        ...

    def remove(self, sequences: Sequence[int]) -> int:
        """Delete single rows, wherever they stand; returns how many."""
        ...

    def forget_ids(self, ids: Sequence[tuple[str, str]]) -> int:
        """Forget these (workspace, event id), whenever they came; returns how many."""
        ...

    def scrub(self) -> None:
        """Leave nothing readable, in the files or pages of this inbox, of what was deleted."""
        ...

    def backlog(self) -> Backlog: ...

    def first_received(self) -> datetime | None:
        """When the earliest received of the accepted events that wait came in; None where none waits."""
        ...

    def close(self) -> None: ...


def open_inbox(settings: Settings) -> Inbox:
    """The configured inbox, made where it does not exist yet.

    Raises:
        InboxUnavailableError: its file or server cannot be used.
        UserError: METRICS_DATABASE_URL is no database URL.
    """
    if settings.database_url is not None and (url := _postgres_url(settings.database_url.get_secret_value())):
        from metrics_pipeline.events.postgres_inbox import PostgresInbox

        return PostgresInbox(url)
    from metrics_pipeline.events.sqlite_inbox import SqliteInbox

    return SqliteInbox(settings.data_dir.absolute() / "events.db")


def uses_postgres(settings: Settings) -> bool:
    """Whether the inbox is in Postgres, so that several processes can take events side by side.

    Raises:
        UserError: METRICS_DATABASE_URL is no database URL.
    """
    return settings.database_url is not None and bool(_postgres_url(settings.database_url.get_secret_value()))


def _postgres_url(text: str) -> str | None:
    """The URL as Postgres's own driver reads it; None where the control database is SQLite."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise UserError(
            "METRICS_DATABASE_URL is not a database URL; write postgresql://user:password@host:5432/database."
        ) from None
    if url.get_backend_name() not in ("postgres", "postgresql"):
        return None
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def first_of_each(rows: Sequence[InboxRow]) -> list[int]:
    """The places in `rows` that remain when an accepted id that comes twice is taken once."""
    claimed: set[tuple[str, str | None]] = set()
    places = []
    for place, row in enumerate(rows):
        if row.kind == "accepted":
            key = (row.workspace_id, row.event_id)
            if key in claimed:
                continue
            claimed.add(key)
        places.append(place)
    return places
