"""The inbox in a SQLite file of its own: WAL with synchronous=FULL, so a commit is on the disk before it is told.

Rows travel in multi-row statements: the driver gives up Python's lock at every step of a statement, and beside a busy
event loop each step would wait for up to a switch interval (5 ms) to get it back.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from metrics_pipeline.events.inbox import (
    Backlog,
    InboxRow,
    InboxUnavailableError,
    StoredRow,
    Unavailable,
    first_of_each,
)
from metrics_pipeline.sqlite_wal import use_wal

# Writers hold the file for milliseconds; the drain deletes in slices of tens of milliseconds.
BUSY_TIMEOUT_SECONDS = 5.0
# Slices are powers of two, so that few distinct statements are prepared; 5 parameters a row, SQLite allows 32,766.
LARGEST_SLICE = 1024
DELETE_SLICE = 10_000
FORGET_SLICE = 20_000
SCRUB_PATIENCE_SECONDS = 30.0

_SCHEMA = """
create table if not exists event_inbox (
    sequence integer primary key autoincrement,
    workspace_id text not null,
    event_id text,
    received_at text not null,
    kind text not null,
    payload text not null
);
create table if not exists event_seen (
    workspace_id text not null,
    event_id text not null,
    received_day text not null,
    primary key (workspace_id, event_id)
) without rowid;
create table if not exists event_inbox_state (one integer primary key check (one = 1), uuid text not null);
"""


class SqliteInbox:
    """One connection, used by one thread at a time; other processes have their own."""

    def __init__(self, path: Path, *, busy_timeout: float = BUSY_TIMEOUT_SECONDS) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            use_wal(self._connection)
            self._connection.execute("pragma synchronous = full")
            # 64 MB of pages in memory and a log of 32 MB instead of 4: twice the events a second, measured
            self._connection.execute("pragma cache_size = -65536")
            self._connection.execute("pragma wal_autocheckpoint = 8000")
            # deleted rows name people: nobody shall find them in free pages
            self._connection.execute("pragma secure_delete = on")
            # a burst leaves no large file behind for ever
            self._connection.execute("pragma journal_size_limit = 67108864")
        with self._transaction() as connection:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute("insert or ignore into event_inbox_state values (1, ?)", [str(uuid4())])
            self._uuid = str(connection.execute("select uuid from event_inbox_state").fetchone()[0])

    @property
    def uuid(self) -> str:
        return self._uuid

    def last_sequence(self) -> int:
        with self._lock, self._told():
            return _last_sequence(self._connection)

    def renew(self, done: int) -> None:
        with self._transaction() as connection:
            if _last_sequence(connection) < done:
                connection.execute("update event_inbox_state set uuid = ?", [str(uuid4())])
            self._uuid = str(connection.execute("select uuid from event_inbox_state").fetchone()[0])

    def append(self, rows: Sequence[InboxRow]) -> list[bool]:
        places = first_of_each(rows)
        with self._transaction() as connection:
            kept = self._claim(connection, rows, places)
            stored = [rows[place] for place in kept]
            for size, start in _slices(len(stored)):
                values = [
                    value
                    for row in stored[start : start + size]
                    for value in (row.workspace_id, row.event_id, row.received_at.isoformat(), row.kind, row.payload)
                ]
                connection.execute(
                    "insert into event_inbox (workspace_id, event_id, received_at, kind, payload) values "  # noqa: S608
                    + _marks(size, 5),
                    values,
                )
        taken = set(kept)
        return [place in taken for place in range(len(rows))]

    def _claim(self, connection: sqlite3.Connection, rows: Sequence[InboxRow], places: list[int]) -> list[int]:
        """Claim the ids of accepted rows; the places of the rows that are to be stored."""
        lost: set[int] = set()
        accepted = [place for place in places if rows[place].kind == "accepted"]
        for size, start in _slices(len(accepted)):
            batch = accepted[start : start + size]
            keys = [value for place in batch for value in (place, rows[place].workspace_id, rows[place].event_id)]
            # one row comes back whatever is found: see the module's docstring
            found = connection.execute(
                f"with batch (place, w, e) as (values {_marks(size, 3)}) select group_concat(place) "  # noqa: S608
                "from batch cross join event_seen on workspace_id = w and event_id = e",
                keys,
            ).fetchone()[0]
            lost.update(int(place) for place in (found or "").split(",") if place)
        claimed = [place for place in accepted if place not in lost]
        for size, start in _slices(len(claimed)):
            values = [
                value
                for place in claimed[start : start + size]
                for value in (rows[place].workspace_id, rows[place].event_id, _day(rows[place].received_at))
            ]
            connection.execute(f"insert into event_seen values {_marks(size, 3)}", values)  # noqa: S608
        return [place for place in places if place not in lost]

    def peek(self, limit: int, *, after: int = 0) -> list[StoredRow]:
        with self._lock, self._told():
            found = self._connection.execute(
                "select sequence, kind, payload from event_inbox where sequence > ? order by sequence limit ?",
                [after, limit],
            ).fetchall()
        return [StoredRow(*row) for row in found]

    def delete_through(self, sequence: int) -> int:
        deleted = 0
        while True:  # in slices: whoever commits events meanwhile waits for one slice, not for all
            with self._transaction() as connection:
                slice_end = connection.execute(
                    "select max(sequence) from (select sequence from event_inbox where sequence <= ? "
                    "order by sequence limit ?)",
                    [sequence, DELETE_SLICE],
                ).fetchone()[0]
                if slice_end is None:
                    return deleted
                deleted += connection.execute("delete from event_inbox where sequence <= ?", [slice_end]).rowcount

    def forget_seen(self, before: date) -> int:
        forgotten, last = 0, ("", "")
        while True:  # along the key, so that no transaction is long and no second index is kept
            with self._transaction() as connection:
                keys = connection.execute(
                    "select workspace_id, event_id from event_seen where (workspace_id, event_id) > (?, ?) "
                    "order by workspace_id, event_id limit 1 offset ?",
                    [*last, FORGET_SLICE - 1],
                ).fetchone()
                upper = "and (workspace_id, event_id) <= (?, ?)" if keys else ""
                forgotten += connection.execute(
                    "delete from event_seen where (workspace_id, event_id) > (?, ?) "  # noqa: S608
                    f"{upper} and received_day < ?",
                    [*last, *(keys or ()), before.isoformat()],
                ).rowcount
            if keys is None:
                return forgotten
            last = keys

    def remove(self, sequences: Sequence[int]) -> int:
        with self._transaction() as connection:
            return connection.executemany(
                "delete from event_inbox where sequence = ?", [[sequence] for sequence in sequences]
            ).rowcount

    def forget_ids(self, ids: Sequence[tuple[str, str]]) -> int:
        with self._transaction() as connection:
            return connection.executemany(
                "delete from event_seen where workspace_id = ? and event_id = ?", ids
            ).rowcount

    def scrub(self) -> None:
        """Pages are overwritten as rows are deleted; what is left is the write-ahead log.

        Raises:
            InboxUnavailableError: others read or wrote all the time; nothing is lost by trying again.
        """
        deadline = time.monotonic() + SCRUB_PATIENCE_SECONDS
        with self._lock, self._told():
            while self._connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise InboxUnavailableError("busy", f"The log of {self._path} is in use; it is tried again.")
                time.sleep(0.05)

    def backlog(self) -> Backlog:
        with self._lock, self._told():
            connection = self._connection
            rows = connection.execute("select count(*) from event_inbox").fetchone()[0]
            oldest = connection.execute("select received_at from event_inbox order by sequence limit 1").fetchone()
        return Backlog(rows, datetime.fromisoformat(oldest[0]) if oldest else None)

    def first_received(self) -> datetime | None:
        with self._lock, self._told():
            # texts of UTC instants order as the instants do, with and without fractions of a second
            found = self._connection.execute(
                "select min(received_at) from event_inbox where kind = 'accepted'"
            ).fetchone()[0]
        return datetime.fromisoformat(found) if found else None

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            finally:
                if self._connection.in_transaction:  # a full disk may have rolled it back by itself
                    self._connection.execute("rollback")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """One clear error for whatever the driver says."""
        try:
            yield
        except OSError as error:
            raise InboxUnavailableError(
                "unusable", f"The inbox {self._path} cannot be used: {error.strerror}."
            ) from error
        except sqlite3.Error as error:
            raise InboxUnavailableError(
                _reason(error), f"The inbox {self._path} cannot be used just now: {error}."
            ) from error


def _last_sequence(connection: sqlite3.Connection) -> int:
    found = connection.execute("select seq from sqlite_sequence where name = 'event_inbox'").fetchone()
    return int(found[0]) if found else 0


def _reason(error: sqlite3.Error) -> Unavailable:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "disk_full"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "busy"
    return "unusable"


def _day(instant: datetime) -> str:
    return instant.astimezone(UTC).date().isoformat()


def _marks(rows: int, columns: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)


def _slices(rows: int) -> Iterator[tuple[int, int]]:
    """(size, start) of slices whose sizes are powers of two."""
    start, size = 0, LARGEST_SLICE
    while start < rows:
        while size > rows - start:
            size //= 2
        yield size, start
        start += size
