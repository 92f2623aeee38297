"""The inbox in Postgres: for several servers that accept events, with the same promise.

The row of `event_inbox_state` is locked by every append and gives out the sequences, so that they become visible in
the order they were given: with a plain Postgres sequence a smaller one may be committed after a larger one, and the
drain would take it for done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from uuid import uuid4

import psycopg

from metrics_pipeline.events.inbox import Backlog, InboxRow, InboxUnavailableError, StoredRow, first_of_each

CONNECT_TIMEOUT_SECONDS = 10
# Longer than any append takes; a server that hangs must not hang the committer for ever.
STATEMENT_TIMEOUT_MILLISECONDS = 30_000
# Any number: it only has to be the same in every process that makes the tables.
_SCHEMA_LOCK = 5_013_007_001

_SCHEMA = (
    """create table if not exists event_inbox (
        sequence bigint primary key,
        workspace_id text not null,
        event_id text,
        received_at timestamptz not null,
        kind text not null,
        payload text not null
    )""",
    """create table if not exists event_seen (
        workspace_id text not null,
        event_id text not null,
        received_day date not null,
        primary key (workspace_id, event_id)
    )""",
    "create index if not exists event_seen_received_day on event_seen (received_day)",
    """create table if not exists event_inbox_state (
        one integer primary key check (one = 1),
        uuid text not null,
        last_sequence bigint not null
    )""",
)


class PostgresInbox:
    """One connection, used by one thread at a time, made anew when it broke."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None
        with self._transaction() as connection:
            connection.execute("select pg_advisory_xact_lock(%s)", [_SCHEMA_LOCK])
            for statement in _SCHEMA:
                connection.execute(statement.encode())
            connection.execute("insert into event_inbox_state values (1, %s, 0) on conflict do nothing", [str(uuid4())])
            self._uuid = _uuid(connection)

    @property
    def uuid(self) -> str:
        return self._uuid

    def last_sequence(self) -> int:
        with self._transaction() as connection:
            found = connection.execute("select last_sequence from event_inbox_state").fetchone()
            return int(found[0]) if found else 0

    def renew(self, done: int) -> None:
        with self._transaction() as connection:
            connection.execute("update event_inbox_state set uuid = %s where last_sequence < %s", [str(uuid4()), done])
            self._uuid = _uuid(connection)

    def append(self, rows: Sequence[InboxRow]) -> list[bool]:
        places = first_of_each(rows)
        with self._transaction() as connection:
            # before the ids are claimed, so that two servers never wait for each other in a circle
            found = connection.execute("select last_sequence from event_inbox_state for update").fetchone()
            assert found is not None  # noqa: S101 - for the type checker; made with the tables
            last = int(found[0])
            claimed = self._claim(connection, [rows[p] for p in places if rows[p].kind == "accepted"])
            kept = [
                place
                for place in places
                if rows[place].kind != "accepted" or (rows[place].workspace_id, rows[place].event_id) in claimed
            ]
            stored = [rows[place] for place in kept]
            connection.execute(
                "insert into event_inbox (sequence, workspace_id, event_id, received_at, kind, payload) "
                "select * from unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[])",
                [
                    list(range(last + 1, last + 1 + len(stored))),
                    [row.workspace_id for row in stored],
                    [row.event_id for row in stored],
                    [row.received_at for row in stored],
                    [row.kind for row in stored],
                    [row.payload for row in stored],
                ],
            )
            connection.execute("update event_inbox_state set last_sequence = %s", [last + len(stored)])
        taken = set(kept)
        return [place in taken for place in range(len(rows))]

    @staticmethod
    def _claim(connection: psycopg.Connection, rows: Sequence[InboxRow]) -> set[tuple[str, str | None]]:
        found = connection.execute(
            "insert into event_seen select * from unnest(%s::text[], %s::text[], %s::date[]) "
            "on conflict do nothing returning workspace_id, event_id",
            [
                [row.workspace_id for row in rows],
                [row.event_id for row in rows],
                [row.received_at.astimezone(UTC).date() for row in rows],
            ],
        ).fetchall()
        return {(str(workspace), str(event)) for workspace, event in found}

    def peek(self, limit: int, *, after: int = 0) -> list[StoredRow]:
        with self._transaction() as connection:
            found = connection.execute(
                "select sequence, kind, payload from event_inbox where sequence > %s order by sequence limit %s",
                [after, limit],
            ).fetchall()
        return [StoredRow(*row) for row in found]

    def delete_through(self, sequence: int) -> int:
        with self._transaction() as connection:
            return connection.execute("delete from event_inbox where sequence <= %s", [sequence]).rowcount

    def forget_seen(self, before: date) -> int:
        with self._transaction() as connection:
            return connection.execute("delete from event_seen where received_day < %s", [before]).rowcount

    def remove(self, sequences: Sequence[int]) -> int:
        with self._transaction() as connection:
            return connection.execute("delete from event_inbox where sequence = any(%s)", [list(sequences)]).rowcount

    def forget_ids(self, ids: Sequence[tuple[str, str]]) -> int:
        with self._transaction() as connection:
            return connection.execute(
                "delete from event_seen using unnest(%s::text[], %s::text[]) as gone (workspace_id, event_id) "
                "where event_seen.workspace_id = gone.workspace_id and event_seen.event_id = gone.event_id",
                [[workspace for workspace, _ in ids], [event for _, event in ids]],
            ).rowcount

    def scrub(self) -> None:
        """Rewrite the small table of waiting events; deleted ids leave their pages with the server's next vacuum.

        The server's own log and backups follow the server's retention.
        """
        with self._lock:
            try:
                connection = self._connected()
                connection.execute("vacuum full event_inbox")
                connection.execute("vacuum event_seen")
            except psycopg.Error as error:
                self._drop()
                raise InboxUnavailableError(
                    "unreachable", f"The inbox in Postgres cannot be used just now ({type(error).__name__})."
                ) from error

    def backlog(self) -> Backlog:
        with self._transaction() as connection:
            counted = connection.execute("select count(*) from event_inbox").fetchone()
            oldest = connection.execute("select received_at from event_inbox order by sequence limit 1").fetchone()
        return Backlog(int(counted[0]) if counted else 0, oldest[0].astimezone(UTC) if oldest else None)

    def first_received(self) -> datetime | None:
        with self._transaction() as connection:
            found = connection.execute("select min(received_at) from event_inbox where kind = 'accepted'").fetchone()
        return found[0].astimezone(UTC) if found and found[0] else None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection]:
        with self._lock:
            try:
                connection = self._connected()
                with connection.transaction():
                    yield connection
            except psycopg.errors.DiskFull as error:
                raise InboxUnavailableError("disk_full", "The inbox in Postgres has no space left.") from error
            except psycopg.Error as error:
                self._drop()
                raise InboxUnavailableError(
                    "unreachable", f"The inbox in Postgres cannot be used just now ({type(error).__name__})."
                ) from error

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            given = psycopg.conninfo.conninfo_to_dict(self._url).get("connect_timeout")
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=given or CONNECT_TIMEOUT_SECONDS
            )
            self._connection.execute(f"set statement_timeout = {STATEMENT_TIMEOUT_MILLISECONDS}".encode())
            # an acknowledged event is on the disk: "off", as some set it for a role, would lose the last moments
            self._connection.execute(
                "select set_config('synchronous_commit', 'on', false) "
                "where current_setting('synchronous_commit') = 'off'"
            )
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _uuid(connection: psycopg.Connection) -> str:
    found = connection.execute("select uuid from event_inbox_state").fetchone()
    assert found is not None  # noqa: S101 - for the type checker; made with the tables
    return str(found[0])
