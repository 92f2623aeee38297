"""Which days a commit changed and which run made it, kept in the commit itself.

What is built from a table asks for the days that changed since the version it was built from: no list on the side has
to be kept in step, a crash between a write and a build forgets nothing, and the log tells which run led to which.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from deltalake import DeltaTable

from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.windows import runs_of_days

CHANGED_DAYS = "changed.days"
CHANGED_FROM = "changed.from"
RUN = "run"
_SOURCE = "source."

_run: ContextVar[str | None] = ContextVar("run", default=None)


@contextmanager
def writing_as(run_id: str) -> Iterator[None]:
    """Commits made inside say that this run made them."""
    token = _run.set(run_id)
    try:
        yield
    finally:
        _run.reset(token)


def author() -> dict[str, str]:
    """The metadata that names the run that writes; empty outside of one."""
    run_id = _run.get()
    return {} if run_id is None else {RUN: run_id}


def days_note(days: Iterable[date], since: date | None = None) -> dict[str, str]:
    """The metadata of a commit that changed these days, and what its rows tell from a day on."""
    spans = [f"{w.first_day}/{w.end_day - timedelta(days=1)}" for w in runs_of_days(days)]
    return {CHANGED_DAYS: json.dumps(spans)} | ({} if since is None else {CHANGED_FROM: since.isoformat()})


@dataclass(frozen=True)
class Change:
    """One commit. days: empty where it changed none, as compaction does. sources: versions it was built from.

    since: the day of the earliest instant that its rows tell anew, where that is not their day: a conversation of March
    that is closed in May changes in March's partition, and how many are open from May on.
    """

    table: str
    version: int
    at: datetime
    days: frozenset[date]
    since: date | None
    run: str | None
    sources: Mapping[str, int]


def changes_since(name: str, table: DeltaTable, version: int) -> list[Change] | None:
    """The commits after `version`, up to that of the handle, oldest first.

    None where one of them is no longer in the log (Delta keeps 30 days): anything may have changed then.
    """
    newest = table.version()
    if newest <= version:
        return []
    found = [_change(name, commit) for commit in table.history(newest - version)]
    found = sorted((change for change in found if change.version > version), key=lambda change: change.version)
    return found if len(found) == newest - version else None


def days_changed_by(table: DeltaTable, run_id: str, commits: int = 200) -> frozenset[date]:
    """The days that a run changed, by the newest commits of the table."""
    made = newest_changes("", table, commits)
    return frozenset(day for change in made if change.run == run_id for day in change.days)


def newest_changes(name: str, table: DeltaTable, limit: int | None) -> list[Change]:
    """The newest commits in the log, newest first; all of them without a limit."""
    return [_change(name, commit) for commit in table.history(limit)]


def changed_rows(spec: TableSpec) -> tuple[str, tuple[str, ...]] | None:
    """The expression of the day that a row tells of, and the columns whose change makes that day change.

    None for tables whose rows tell of no day. Of a post only when it was published counts: its other attributes are
    not part of any day, and it is seen again every hour.
    """
    if spec.name == "posts":
        return "cast(published_at as date)", (*spec.keys, "published_at")
    if spec.day_column is None:
        return None
    return spec.day_column, tuple(c.name for c in spec.columns if c.name != "run_id")


def _change(name: str, commit: Mapping[str, object]) -> Change:
    return Change(
        name,
        int(str(commit["version"])),
        datetime.fromtimestamp(int(str(commit["timestamp"])) / 1000, UTC),
        frozenset(_days(json.loads(str(commit.get(CHANGED_DAYS, "[]"))))),
        date.fromisoformat(str(commit[CHANGED_FROM])) if CHANGED_FROM in commit else None,
        None if commit.get(RUN) is None else str(commit[RUN]),
        {k.removeprefix(_SOURCE): int(str(v)) for k, v in commit.items() if k.startswith(_SOURCE)},
    )


def _days(spans: Iterable[str]) -> Iterator[date]:
    for span in spans:
        first, last = (date.fromisoformat(day) for day in span.split("/"))
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))
