"""Which hours new events fell into, kept in the commits that brought them.

What is built from events asks for the hours that became dirty since the version it was built from; no list on the
side has to be kept in step, and a crash between append and build forgets nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

DIRTY_HOURS = "events.dirty_hours"

Hour = tuple[date, int]
"""A UTC day and its hour, 0 to 23."""


def hours_of(events: pa.Table) -> frozenset[Hour]:
    """The UTC hours that rows of the events table happened in."""
    hours = pc.unique(pc.floor_temporal(events.column("event_ts"), unit="hour")).to_pylist()
    return frozenset((instant.date(), instant.hour) for instant in hours if instant is not None)


def to_metadata(hours: Iterable[Hour]) -> dict[str, str]:
    """Hours as the metadata of a commit to the events table, for whoever appends to it or deletes from it."""
    by_day: defaultdict[str, list[int]] = defaultdict(list)
    for day, hour in sorted(hours):
        by_day[day.isoformat()].append(hour)
    return {DIRTY_HOURS: json.dumps(by_day)}


def dirty_since(events: DeltaTable, version: int) -> frozenset[Hour] | None:
    """The hours that commits after `version`, up to that of the handle, brought events into.

    None where a commit in between is no longer in the log (Delta keeps 30 days): anything may be dirty then.
    """
    newest = events.version()
    found: set[Hour] = set()
    missing = set(range(version + 1, newest + 1))
    if not missing:
        return frozenset()
    for commit in events.history(newest - version):
        number = int(commit["version"])
        if number not in missing:
            continue
        missing.discard(number)
        by_day: dict[str, list[int]] = json.loads(commit.get(DIRTY_HOURS, "{}"))
        found.update((date.fromisoformat(day), hour) for day, hours in by_day.items() for hour in hours)
    return None if missing else frozenset(found)
