"""Builds what is counted from content events: per hour, per day, per audience, per viewer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.lake.build_together import Output, Portion, build_together
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter, Session
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, HOUR, Window, midnight

# The shared views of so many events need about 1.5 GB of memory; longer ranges are computed in portions.
EVENTS_AT_ONCE = 12_000_000

DAY_TABLES = ("content_daily", "content_audience_daily", "viewer_days", "view_times_daily", "watch_days")
# Made from what the view_starts say of the viewer, which costs another pass over them.
OF_VIEWERS = {"content_audience_daily", "watch_days"}

Hour = tuple[date, int]


@dataclass(frozen=True)
class ContentBuilder:
    """Replaces whole hours or days with what the events in the lake say, so any order of arrival ends the same.

    A view's events are looked for up to METRICS_VIEW_MAX_HOURS after its start. Days of which raw events are no longer
    kept (METRICS_EVENTS_DAYS) stay as they are.
    """

    engine: Engine
    catalog: Catalog
    settings: Settings

    def hourly(self, span: Window | Collection[datetime], now: datetime) -> int:
        """Replace content_hourly for the hours of a window, or for these hours; returns the rows written.

        Of a window every hour that it touches. Hours far apart are written day by day: each run of neighbouring
        days is a commit of its own.
        """
        instants = [h.start for h in _whole_hours(span).hours()] if isinstance(span, Window) else span
        hours = sorted({_hour_of(i) for i in instants if _day_of(i) >= self._oldest_day(now)})
        written = 0
        for run in _neighbours(hours):
            outputs = [Output("content_hourly", "content/content_hourly.sql", _partitions_of(run))]
            written += build_together(self.engine, outputs, self._portions(run), self._prepare_hours)["content_hourly"]
        return written

    def daily(self, window: Window, now: datetime) -> dict[str, int]:
        """Replace all tables of the days that the window touches; returns the rows written by table.

        content_hourly is not read: days and hours are counted alike from the events.
        """
        return self.tables_of_days(DAY_TABLES, window, now)

    def days_and_hours(self, window: Window, now: datetime) -> dict[str, int]:
        """`daily` and `hourly` of whole days in one pass over the events."""
        return self.tables_of_days((*DAY_TABLES, "content_hourly"), window, now)

    def tables_of_days(self, tables: Sequence[str], window: Window, now: datetime) -> dict[str, int]:
        """Replace only these of the tables that `days_and_hours` replaces."""
        days = [d for d in window.days() if d >= self._oldest_day(now)]
        if not days:
            return dict.fromkeys(tables, 0)
        partitions = Partitions(between=("date", days[0], days[-1] + DAY))
        outputs = [Output(table, f"content/{table}.sql", partitions) for table in tables]
        hours = [(day, hour) for day in days for hour in range(24)]
        prepare = self._prepare_viewers if OF_VIEWERS & set(tables) else self._prepare_days
        return build_together(self.engine, outputs, self._portions(hours), prepare)

    def dirty_hours(self, arrived: pa.Table) -> list[datetime]:
        """The hours that events which have just been stored change; their days are the dirty days.

        `arrived` has workspace_id, session_id, content_id, event_type and event_ts. Late progress changes the hour in
        which its view began.
        """
        if not arrived.num_rows:
            return []
        first, last = pc.min(arrived["event_ts"]).as_py(), pc.max(arrived["event_ts"]).as_py()
        first_day, end_day = _day_of(first - self._view_max), _day_of(last) + DAY
        parameters: dict[str, Parameter] = {
            "first_day": first_day,
            "end_day": end_day,
            "view_max_hours": self.settings.view_max_hours,
        }
        with self.engine.session({"arrived": arrived}, {"events": (first_day, end_day)}) as session:
            rows = session.run_file("content/dirty_hours.sql", parameters).read_all().to_pylist()
        return [_instant((row["date"], row["hour"])) for row in rows]

    def orphans(self, window: Window) -> pa.Table:
        """Reports of progress that belong to no view and are counted nowhere, as (workspace_id, date, orphans)."""
        look_back = window.start - self._view_max
        parameters: dict[str, Parameter] = {
            "start": window.start,
            "end": window.end,
            "end_day": window.end_day,
            "look_back": look_back,
            "look_back_day": look_back.date(),
            "first_day": look_back.date(),
            "last_day": window.end_day,
            "view_max_hours": self.settings.view_max_hours,
        }
        portion = Portion(parameters, days={"events": (look_back.date(), window.end_day)})
        with self.engine.session(days=portion.days) as session:
            _count_once(session, portion)
            return session.run_file("content/orphans.sql", parameters).read_all()

    def unique_viewers(self, window: Window) -> pa.Table:
        """Distinct viewers over whole days, as (workspace_id, entity_type, entity_id, unique_viewers).

        entity_type is content, creator or workspace. Exact for any range whose viewer_days are kept.
        """
        days = (window.first_day, window.end_day)
        with self.engine.session(days={"viewer_days": days}) as session:
            return session.run_file("content/unique_viewers.sql", {"start": days[0], "end": days[1]}).read_all()

    @property
    def _view_max(self) -> timedelta:
        return timedelta(hours=self.settings.view_max_hours)

    def _oldest_day(self, now: datetime) -> date:
        return _day_of(now) - timedelta(days=self.settings.events_days)

    def _prepare_hours(self, session: Session, portion: Portion) -> None:
        _count_once(session, portion)
        session.keep("content_numbers", "content/content_numbers.sql", portion.parameters)
        session.keep("session_views", "content/session_views.sql", portion.parameters)
        session.keep("tangled_views", "content/tangled_views.sql", portion.parameters)
        session.define("followed_views", "content/followed_views.sql")
        session.keep("content_hours", "content/content_hours.sql", portion.parameters)

    def _prepare_days(self, session: Session, portion: Portion) -> None:
        self._prepare_hours(session, portion)
        session.keep("content_days", "content/content_days.sql", portion.parameters)
        session.keep("viewers", "content/viewers.sql", portion.parameters)

    def _prepare_viewers(self, session: Session, portion: Portion) -> None:
        self._prepare_days(session, portion)
        session.keep("view_sessions", "content/view_sessions.sql", portion.parameters)

    def _portions(self, hours: Sequence[Hour]) -> list[Portion]:
        return [self._portion(part) for part in self._parts(hours)]

    def _portion(self, hours: Sequence[Hour]) -> Portion:
        start, end = _instant(hours[0]), _instant(hours[-1]) + HOUR
        look_ahead = end + self._view_max
        first_day, end_day, last_day = hours[0][0], hours[-1][0] + DAY, Window(start, look_ahead).end_day
        parameters: dict[str, Parameter] = {
            "start": start,
            "end": end,
            "look_ahead": look_ahead,
            "first_day": first_day,
            "end_day": end_day,
            "last_day": last_day,
            "view_max_hours": self.settings.view_max_hours,
        }
        built_hours = pa.table(
            {
                "date": pa.array([day for day, _ in hours], pa.date32()),
                "hour": pa.array([hour for _, hour in hours], pa.int32()),
            }
        )
        return Portion(parameters, {"built_hours": built_hours}, {"events": (first_day, last_day)})

    def _parts(self, hours: Sequence[Hour]) -> Iterator[list[Hour]]:
        """The hours cut between days, so that no part holds many more events than fit."""
        stored = self.engine.lake.rows_per_day("events", hours[0][0], hours[-1][0] + DAY)
        part: list[Hour] = []
        events = 0
        for n, hour in enumerate(hours):
            is_new_day = n == 0 or hours[n - 1][0] != hour[0]
            if is_new_day:
                events += stored.get(hour[0], 0)
                if part and events > EVENTS_AT_ONCE:
                    yield part
                    part, events = [], stored.get(hour[0], 0)
            part.append(hour)
        yield part


def _count_once(session: Session, portion: Portion) -> None:
    """Make `counted_events`. Ingestion stores an id once; should that ever fail, nothing is counted twice."""
    hashes = session.run_file("content/event_hashes.sql", portion.parameters).read_all()["id_hash"].to_numpy().copy()
    hashes.sort()  # half the time of a group-by
    if (hashes[1:] == hashes[:-1]).any():
        session.keep("counted_events", "content/events_once.sql", portion.parameters)
    else:
        session.define("counted_events", "content/counted_events.sql")


def _partitions_of(run: Sequence[Hour]) -> Partitions:
    first, last = run[0][0], run[-1][0]
    if len(run) == 24 * ((last - first).days + 1):
        return Partitions(between=("date", first, last + DAY))
    return Partitions(hours=run)


def _neighbours(hours: Sequence[Hour]) -> Iterator[list[Hour]]:
    """Runs of hours whose days follow one another."""
    run: list[Hour] = []
    for hour in hours:
        if run and hour[0] - run[-1][0] > DAY:
            yield run
            run = []
        run.append(hour)
    if run:
        yield run


def _whole_hours(window: Window) -> Window:
    start = window.start.replace(minute=0, second=0, microsecond=0)
    return Window(start, window.end)


def _day_of(instant: datetime) -> date:
    return instant.astimezone(UTC).date()


def _hour_of(instant: datetime) -> Hour:
    return _day_of(instant), instant.astimezone(UTC).hour


def _instant(hour: Hour) -> datetime:
    return midnight(hour[0]) + hour[1] * HOUR
