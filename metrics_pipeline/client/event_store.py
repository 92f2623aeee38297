"""Where events wait until the server has them: in memory, or in a small SQLite file. The buffer's lock guards both."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from metrics_pipeline.sqlite_wal import use_wal

# Of another process that has the same file open and writes at the moment.
_PATIENCE_SECONDS = 5.0
_LAYOUT = 1


class Waiting(NamedTuple):
    """An event that waits. place: later ones have greater places. body: it as JSON."""

    place: int
    event_id: str
    body: str


class EventStore(Protocol):
    def add(self, event_id: str, body: str) -> None:
        """Keep an event, behind all others."""

    def first(self, most: int, most_bytes: int) -> list[Waiting]:
        """The oldest events; at least one where there are any, and otherwise of no more bytes than that."""

    def last_place(self) -> int:
        """The place of the newest event; 0 where there is none."""

    def remove(self, places: Collection[int]) -> None:
        """Forget events."""

    def drop_oldest(self, after: int) -> bool:
        """Forget the oldest event behind a place; False where there is none."""

    def count(self) -> int:
        """Events that wait."""

    def close(self) -> None:
        """Let go of what holds them."""


class MemoryStore:
    """Gone with the process."""

    def __init__(self) -> None:
        self._events: OrderedDict[int, Waiting] = OrderedDict()
        self._next = 1

    def add(self, event_id: str, body: str) -> None:
        self._events[self._next] = Waiting(self._next, event_id, body)
        self._next += 1

    def first(self, most: int, most_bytes: int) -> list[Waiting]:
        return _within(self._events.values(), most, most_bytes)

    def last_place(self) -> int:
        return next(reversed(self._events), 0)

    def remove(self, places: Collection[int]) -> None:
        for place in places:
            self._events.pop(place, None)

    def drop_oldest(self, after: int) -> bool:
        found = next((place for place in self._events if place > after), None)
        return found is not None and self._events.pop(found, None) is not None

    def count(self) -> int:
        return len(self._events)

    def close(self) -> None:
        pass


class FileStore:
    """Outlives the process, however it ends: each event is committed before `add` returns.

    A power cut may take the newest ones (no fsync for each). For one process at a time: two would send the same events,
    which the server takes once, and tell of the same rejected ones.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # events may name people: for nobody else to read
        self._database = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            use_wal(self._database)
            self._database.execute("pragma synchronous = normal")
            [[layout]] = self._database.execute("pragma user_version")
            if layout not in (0, _LAYOUT):
                raise ValueError("This file of waiting events was written by a later version.")
            self._database.execute(
                "create table if not exists waiting "
                "(place integer primary key autoincrement, event_id text not null, body text not null)"
            )
            self._database.execute(f"pragma user_version = {_LAYOUT}")
            self._count = self._counted()
        except BaseException:
            self._database.close()
            raise

    def add(self, event_id: str, body: str) -> None:
        self._database.execute("insert into waiting (event_id, body) values (?, ?)", (event_id, body))
        self._count += 1

    def first(self, most: int, most_bytes: int) -> list[Waiting]:
        rows = self._database.execute("select place, event_id, body from waiting order by place limit ?", (most,))
        return _within((Waiting(*row) for row in rows), most, most_bytes)

    def last_place(self) -> int:
        [[place]] = self._database.execute("select coalesce(max(place), 0) from waiting")
        return int(place)

    def remove(self, places: Collection[int]) -> None:
        self._database.execute(
            "delete from waiting where place in (select value from json_each(?))", (json.dumps(list(places)),)
        )
        self._count = self._counted()

    def drop_oldest(self, after: int) -> bool:
        oldest = "select min(place) from waiting where place > ?"
        dropped: int = self._database.execute(f"delete from waiting where place = ({oldest})", (after,)).rowcount  # noqa: S608
        self._count -= dropped
        return dropped > 0

    def count(self) -> int:
        return self._count

    def close(self) -> None:
        self._database.close()

    def _counted(self) -> int:
        [[count]] = self._database.execute("select count(*) from waiting")
        return int(count)


def open_store(path: str | os.PathLike[str] | None) -> EventStore:
    """The file, or memory where there is none.

    Raises:
        OSError, sqlite3.Error, ValueError: the file cannot be used.
    """
    return MemoryStore() if path is None else FileStore(Path(path))


def _within(events: Iterable[Waiting], most: int, most_bytes: int) -> list[Waiting]:
    taken: list[Waiting] = []
    size = 0
    for event in events:
        size += len(event.body) + 1  # bodies are ASCII
        if taken and (len(taken) == most or size > most_bytes):
            break
        taken.append(event)
    return taken
