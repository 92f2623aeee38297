"""Which workspaces, accounts and days a commit changed: found by comparing rows, exact to the tenant.

Tables share their files between workspaces, and a build writes partitions again that hold everybody. So what moved is
the difference of the rows of the files that left and of those that came, for the workspaces that somebody listens to.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

import pyarrow as pa

from metrics_pipeline.api.live.messages import (
    MOST_ENTITIES,
    MOST_NAMES,
    MOST_VALUES,
    POST_METRICS,
    Channel,
    Data,
    Draft,
    bounded,
    merged,
)
from metrics_pipeline.api.live.watched_tables import WATCHED, WatchedTable
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.lake_tables import Move
from metrics_pipeline.lake.session import Session

# Files that are compared at once: what bounds the memory of a comparison.
PORTION = 64
# Beyond so many (five years of days) a commit is told by its days, to every workspace that has rows in them.
MOST_FILES = 2048

log = logging.getLogger(__name__)
_WATCHED = {watched.name: watched for watched in WATCHED}
Told = dict[tuple[str, Channel], Data]


class Changes:
    """Makes messages of moves. Safe from several threads; every comparison has a session of its own."""

    def __init__(self, reads: ReadConnection) -> None:
        self._reads = reads

    def drafts(self, move: Move, workspaces: Collection[str], at: datetime) -> list[Draft]:
        """What to tell these workspaces and their accounts about a move; nothing to those whose rows are as before.

        Raises:
            LakeUnavailable: the files cannot be read at present.
        """
        watched = _WATCHED[move.table]
        before = set() if move.before is None else set(move.before.file_uris())
        after = set(move.after.file_uris())
        partitions = _by_partition(after - before, before - after)
        if not workspaces or not partitions:
            return []
        is_exact = sum(len(came) + len(left) for came, left in partitions) <= MOST_FILES
        try:
            told = self._told(watched, move, partitions, workspaces, is_exact=is_exact)
        except LakeUnavailable:
            if not is_exact:
                raise
            log.warning("changes of %s cannot be compared: told by days", move.table)
            told = self._told(watched, move, partitions, workspaces, is_exact=False)
        return [Draft.of(channel, type_, at, data) for (type_, channel), data in told.items()]

    def _told(
        self,
        watched: WatchedTable,
        move: Move,
        partitions: list[tuple[list[str], list[str]]],
        workspaces: Collection[str],
        *,
        is_exact: bool,
    ) -> Told:
        told: Told = {}
        for came, left in _portions(partitions):
            with self._reads.session() as session:
                session.register("listening", pa.table({"workspace_id": pa.array(sorted(workspaces), pa.string())}))
                session.show("came", move.table, move.after, came)
                if move.before is None or not is_exact:
                    session.show("gone", move.table, move.after, [])
                else:
                    session.show("gone", move.table, move.before, left)
                session.keep_rows("changed", _changed(watched) if is_exact else _touched(watched))
                for key, data in _read(session, watched, is_exact=is_exact):
                    told[key] = merged(told[key], data) if key in told else data
        return told


def _changed(watched: WatchedTable) -> str:
    """The rows that are new or say something else, as they stand now, and as they stood before."""
    names = ", ".join(f'"{name}"' for name in watched.facts)
    mine = "where workspace_id in (select workspace_id from listening)"
    came, gone = f"select {names} from came {mine}", f"select {names} from gone {mine}"  # noqa: S608 - names of our own
    return (
        f"with fresh as ({came} except {gone}), stale as ({gone} except {came}) "
        f"{watched.normalised('fresh', 'true')} union all {watched.normalised('stale', 'false')}"
    )


def _touched(watched: WatchedTable) -> str:
    """Every row of what was written again; the files that left may be gone for good."""
    mine = "where workspace_id in (select workspace_id from listening)"
    return f"{watched.normalised('came', 'true')} {mine}"


def _read(session: Session, watched: WatchedTable, *, is_exact: bool) -> Iterator[tuple[tuple[str, Channel], Data]]:
    most: dict[str, str | int | float | bool | None] = {
        "names": MOST_NAMES,
        "entities": MOST_ENTITIES,
        "values": MOST_VALUES,
    }
    groups = session.run_file("api/live_groups.sql", most).read_all().to_pylist()
    values: dict[tuple[str, Channel], list[Data]] = defaultdict(list)
    if is_exact and watched.has_values:
        for row in session.run_file("api/live_values.sql", most).read_all().to_pylist():
            values[_key(row)].append(_value(row))
    for row in groups:
        data: Data = {"table": watched.name, "scope": "rows" if is_exact else "range"}
        if watched.span is not None:
            data[watched.span] = {"first": row["first"].isoformat(), "last": row["last"].isoformat()}
        if watched.platform != "null":
            data["platforms"] = bounded([row["platforms"] or []], MOST_NAMES)
        if watched.metric != "null":
            data["metrics"] = bounded([row["metrics"] or []], MOST_NAMES)
        data["entities"] = bounded([[_entity(name) for name in row["entities"] or []]], MOST_ENTITIES)
        if watched.has_values and row["type"] != POST_METRICS:
            found = values[_key(row)]
            data["values"] = found if is_exact and len(found) <= MOST_VALUES else None
        yield _key(row), data


def _key(row: Data) -> tuple[str, Channel]:
    return row["type"], Channel(row["workspace_id"], None if row["whole"] else row["account_id"])


def _entity(name: str) -> dict[str, str]:
    entity_type, _, entity_id = name.partition(":")
    return {"entity_type": entity_type, "entity_id": entity_id}


def _value(row: Data) -> Data:
    value = row["value"]
    return {
        "date": row["day"].isoformat(),
        "entity_type": row["entity_type"],
        "entity_id": row["entity_id"],
        "platform": row["platform"],
        "metric": row["metric"],
        "value": value if value is not None and math.isfinite(value) else None,
    }


def _by_partition(came: Iterable[str], left: Iterable[str]) -> list[tuple[list[str], list[str]]]:
    """The files that came and left, by the directory that they lie in: one partition each."""
    found: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for place, uris in ((0, came), (1, left)):
        for uri in sorted(uris):
            found[uri.rpartition("/")[0]][place].append(uri)
    return [found[directory] for directory in sorted(found)]


def _portions(partitions: list[tuple[list[str], list[str]]]) -> Iterator[tuple[list[str], list[str]]]:
    """Partitions put together as long as they are few files."""
    came: list[str] = []
    left: list[str] = []
    for more_came, more_left in partitions:
        if (came or left) and len(came) + len(left) + len(more_came) + len(more_left) > PORTION:
            yield came, left
            came, left = [], []
        came, left = came + more_came, left + more_left
    yield came, left
