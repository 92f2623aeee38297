"""From the inbox to content_metrics: what runs every minute, and what runs every hour.

Which hours and days have become dirty stands in the commits that brought the events; up to which of them the
work is done stands in the commits of what was built last. So a crash anywhere repeats work and forgets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from metrics_pipeline.aggregation.content import ContentBuilder
from metrics_pipeline.aggregation.content_state import ContentStateBuilder
from metrics_pipeline.control.account_owners import account_owners
from metrics_pipeline.control.erased_people import ErasedPeopleReader
from metrics_pipeline.control.key_ring import load_key_ring
from metrics_pipeline.events.dirty import Hour, dirty_since
from metrics_pipeline.events.drain import DrainFigures, drain, forget_ids
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.events.status_drain import adopt_statuses
from metrics_pipeline.events.whatsapp_statuses import PLATFORM
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.lake.viewer_changes import items_with_new_viewers
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import DAY, Window, midnight, runs_of_days

# Written into the commits of what is built last: the version of the events table that everything before rests on.
EVENTS_VERSION = "events.version"
# The version of viewer_days that distinct viewers were counted from.
VIEWERS_VERSION = "viewers.version"
# Written by every build: the version of the attributes that it read.
SOURCE_CONTENT = "source.content"
# Maintenance commits without a note; more of them in a row than this would only repeat work.
COMMITS_LOOKED_AT = 50


@dataclass(frozen=True)
class Refreshed:
    """What a refresh built: the hours whose events had changed, and the content items."""

    hours: list[Hour]
    items: int


@dataclass(frozen=True)
class ContentFlow:
    """The steps between an accepted event and the numbers of content."""

    pipeline: Pipeline

    @property
    def builder(self) -> ContentBuilder:
        return ContentBuilder(self.pipeline.engine, self.pipeline.catalog, self.pipeline.settings)

    @property
    def state(self) -> ContentStateBuilder:
        return ContentStateBuilder(self.pipeline.engine, self.pipeline.settings)

    def waiting(self) -> int:
        """What waits in the inbox; also 1 where the last refresh has not seen every event and attribute of the lake."""
        inbox = open_inbox(self.pipeline.settings)
        try:
            rows = inbox.backlog().rows
        finally:
            inbox.close()
        lake = self.pipeline.lake
        behind = self._done("content_metrics") < lake.version("events") or (
            (self._noted("content_metrics", SOURCE_CONTENT) or 0) < lake.version("content")
        )
        return rows or int(behind)

    def drain(self) -> DrainFigures:
        """Move what the inbox holds into the lake, and forget ids that are too old to come again."""
        settings = self.pipeline.settings
        inbox = open_inbox(settings)
        try:
            erased = ErasedPeopleReader(self.pipeline.control, lambda: load_key_ring(settings))
            figures = drain(
                inbox,
                self.pipeline.lake,
                chunk=settings.event_drain_rows,
                erased_people=erased.read,
                owners=lambda: account_owners(self.pipeline.control, PLATFORM),
            )
            forget_ids(inbox, settings.clock.now().date(), settings.event_lateness_days)
            return figures
        finally:
            inbox.close()

    def adopt_statuses(self) -> int:
        """Take statuses of messages out of quarantine that came before their account was registered."""
        return adopt_statuses(self.pipeline.engine, account_owners(self.pipeline.control, PLATFORM))

    def refresh(self) -> Refreshed:
        """Rebuild the hours that events came into since the last refresh, then content_metrics."""
        now = self.pipeline.settings.clock.now()
        version, dirty = self._dirty_since(self._done("content_metrics"), now)
        if dirty:
            dirty = self._with_views(dirty)
            self.builder.hourly([_instant(hour) for hour in dirty], now)
            self._reopen(sorted({day for day, _ in dirty}), now)
        items = self.state.refresh(now, {EVENTS_VERSION: str(version)})
        return Refreshed(sorted(dirty), items)

    def dirty_days(self) -> list[date]:
        """Days whose day tables lack events."""
        now = self.pipeline.settings.clock.now()
        _, dirty = self._dirty_since(self._done("content_viewers"), now)
        return sorted(self._days_of(dirty, now))

    def rebuild_days(self, window: Window) -> dict[str, int]:
        """Rebuild the tables of these days and count distinct viewers; returns the rows written by table."""
        now = self.pipeline.settings.clock.now()
        done = self._done("content_viewers")
        # what comes in while the days are built is dirty again
        version, dirty = self._dirty_since(done, now)
        rows = self.builder.daily(window, now)
        is_all = self._days_of(dirty, now) <= set(window.days())
        items = self._count_viewers(now, version if is_all else done)
        return {**rows, "content_viewers": items}

    def rebuild_dirty_days(self) -> list[date]:
        """Rebuild the tables of exactly the days that lack events, or lost some; returns the days."""
        now = self.pipeline.settings.clock.now()
        version, dirty = self._dirty_since(self._done("content_viewers"), now)
        days = sorted(self._days_of(dirty, now))
        for run in runs_of_days(days):
            self.builder.daily(run, now)
        self._count_viewers(now, version)
        return days

    def _count_viewers(self, now: datetime, events_version: int) -> int:
        """Count distinct viewers where they have changed since they were last counted; returns the items."""
        viewers, touched = items_with_new_viewers(self.pipeline.lake, self._noted("content_viewers", VIEWERS_VERSION))
        notes = {EVENTS_VERSION: str(events_version), VIEWERS_VERSION: str(viewers)}
        return self.state.count_viewers(now, notes, touched)

    def _reopen(self, days: list[date], now: datetime) -> None:
        """Count closed days anew that events came into after all: imported ones, or erased ones."""
        closed = [day for day in days if day <= self.state.closed_through(now)]
        if closed:
            for run in runs_of_days(closed):
                self.builder.daily(run, now)
            self.state.close(now, again=True)

    def _days_of(self, dirty: set[Hour], now: datetime) -> set[date]:
        """The days up to today of dirty hours, and those in which a view that reaches into them may have begun."""
        reach = timedelta(hours=self.pipeline.settings.view_max_hours)
        days = {day for day, _ in dirty} | {(_instant(hour) - reach).date() for hour in dirty}
        return {day for day in days if day <= now.date()}

    def _with_views(self, dirty: set[Hour]) -> set[Hour]:
        """The hours with those in which views began that their events belong to, or cut short."""
        instants = [_instant(hour) for hour in dirty]
        hours = pa.table({"hour_start": pa.array(instants, pa.timestamp("us", tz="UTC"))})
        days = (min(instants).date(), max(instants).date() + DAY)
        parameters: dict[str, Parameter] = {"first_day": days[0], "end_day": days[1]}
        with self.pipeline.engine.session({"hours_of_events": hours}, days={"events": days}) as session:
            arrived = session.run_file("content/events_of_hours.sql", parameters).read_all()
        return dirty | {(instant.date(), instant.hour) for instant in self.builder.dirty_hours(arrived)}

    def _done(self, table: str) -> int:
        """The version of the events table that `table` says everything before it rests on; 0 before the first time."""
        return self._noted(table, EVENTS_VERSION) or 0

    def _noted(self, table: str, note: str) -> int | None:
        """The newest number under this note in the commits of `table`."""
        commits = self.pipeline.lake.table(table).history(COMMITS_LOOKED_AT)
        return next((int(commit[note]) for commit in commits if note in commit), None)

    def _dirty_since(self, version: int, now: datetime) -> tuple[int, set[Hour]]:
        """The version of the events table now, and the hours that events came into since `version`."""
        events = self.pipeline.lake.table("events")
        dirty = dirty_since(events, version)
        if dirty is None:  # the log no longer says: everything an event can reach may have changed
            reach = now.date() - DAY * (self.pipeline.settings.event_lateness_days + 1)
            days = Window.of_days(reach, now.date() + DAY).days()
            dirty = frozenset((day, hour) for day in days for hour in range(24))
        return events.version(), set(dirty)


def _instant(hour: Hour) -> datetime:
    return midnight(hour[0]) + timedelta(hours=hour[1])
