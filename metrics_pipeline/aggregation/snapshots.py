"""Builds analytics_snapshots from daily, weekly and monthly metrics: nothing is computed anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import pyarrow as pa

from metrics_pipeline.aggregation.portions import portions
from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.catalog.relations import catalog_relations
from metrics_pipeline.lake.engine import Engine, Piece
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter, Relations
from metrics_pipeline.periods import Period, days, months, period_relations, weeks
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

SnapshotType = Literal["daily", "weekly", "monthly"]
SNAPSHOT_TYPES: tuple[SnapshotType, ...] = ("daily", "weekly", "monthly")
# What a piece reads of its own days only, so that it costs the same whatever the history.
_READ = ("daily_metrics", "weekly_metrics", "monthly_metrics", "analytics_snapshots")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the numbers of one workspace in one period.

    is_refused: the workspace kept the snapshots it had; else they were made without these numbers. example: one of the
    `metrics` numbers it is about.
    """

    date: date
    workspace_id: str
    problem: str
    is_refused: bool
    example: str
    metrics: int

    def line(self) -> str:
        """The problem as a sentence."""
        what = "left as it was" if self.is_refused else "made without it"
        return f"{self.workspace_id}, {self.date}: {self.problem} ({self.metrics}, such as {self.example}); {what}"


@dataclass(frozen=True)
class BuiltSnapshots:
    """rows: of all the periods, those of other workspaces included. problems: by workspace and period.

    is_nothing_made: there was something to make snapshots of, and every workspace was refused.
    """

    rows: int
    problems: tuple[Problem, ...]
    is_nothing_made: bool

    @property
    def refused(self) -> int:
        """Workspaces and periods that kept what they had."""
        return sum(problem.is_refused for problem in self.problems)


def build_snapshots(
    engine: Engine,
    catalog: Catalog,
    settings: Settings,
    snapshot_type: SnapshotType,
    window: Window,
    now: datetime,
    workspaces: Collection[str] = (),
    rows_at_once: int = 2_500_000,
) -> BuiltSnapshots:
    """Build the snapshots of the periods that overlap the window; periods that come out as they were are left alone.

    workspaces: rebuild only theirs; the rows of the others stay as they are. A long window is written in several
    commits, each with as many periods as `rows_at_once` rows of daily_metrics allow, so that memory is bounded.
    """
    periods = _periods(snapshot_type, window, settings.week_start_index)
    asked = pa.Table.from_pylist([{"workspace_id": w} for w in sorted(workspaces)], pa.schema([_WORKSPACE]))
    rows, problems, refused_all = 0, [], []
    for part in portions(engine, periods, rows_at_once):
        piece = _piece(catalog, part, asked, now, snapshot_type, settings.week_start_index)
        partitions = Partitions(equals={"snapshot_type": snapshot_type}, between=("date", part[0].start, part[-1].end))
        rows += engine.build_changed_days("analytics_snapshots", f"snapshots/{snapshot_type}.sql", partitions, piece)
        found = engine.query(
            f"snapshots/{snapshot_type}_problems.sql", piece.parameters, piece.relations, piece.days
        ).to_pylist()
        refused_all.append(bool(found) and sum(row["is_refused"] for row in found) == found[0]["in_all"])
        problems += [Problem(**{name: row[name] for name in Problem.__slots__}) for row in found]
    return BuiltSnapshots(rows, tuple(problems), all(refused_all))


def _periods(snapshot_type: SnapshotType, window: Window, first_weekday: int) -> list[Period]:
    if snapshot_type == "weekly":
        return weeks(window.first_day, window.end_day, first_weekday)
    return (days if snapshot_type == "daily" else months)(window.first_day, window.end_day)


_WORKSPACE = pa.field("workspace_id", pa.string())


def _piece(
    catalog: Catalog,
    part: Sequence[Period],
    asked: pa.Table,
    now: datetime,
    snapshot_type: SnapshotType,
    first_weekday: int,
) -> Piece:
    start, end = part[0].start, part[-1].end
    parameters: dict[str, Parameter] = {
        "snapshot_type": snapshot_type,
        "start": start,
        "end": end,
        "now": now,
        "is_narrowed": asked.num_rows > 0,
    }
    relations: Relations = {
        **catalog_relations(catalog),
        **(period_relations(part, now.date(), first_weekday) if snapshot_type != "daily" else {}),
        "asked_workspaces": asked,
    }
    return Piece(parameters, relations, dict.fromkeys(_READ, (start, end)))
