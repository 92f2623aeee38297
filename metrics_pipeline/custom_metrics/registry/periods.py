"""Calendars of a workspace's own, such as 4-4-5 fiscal periods or campaign flights: named, ordered ranges of days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from metrics_pipeline.control import custom_periods
from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.metric_audit import add_entry
from metrics_pipeline.control.metric_models import CustomPeriod
from metrics_pipeline.control.metric_rows import lock_definitions
from metrics_pipeline.control.people import READ
from metrics_pipeline.control.workspaces import require_workspace
from metrics_pipeline.custom_metrics.faults import DefinitionError, Fault
from metrics_pipeline.custom_metrics.model import NAME
from metrics_pipeline.custom_metrics.registry.actors import Actor
from metrics_pipeline.custom_metrics.registry.change import entry_of
from metrics_pipeline.custom_metrics.registry.reader import Reader
from metrics_pipeline.custom_metrics.registry.refusals import MetricNotFoundError, NotAllowedError
from metrics_pipeline.custom_metrics.spans import GRAINS

# A range for each day of five years would be a grain; these are calendars that people write.
MOST_RANGES = 500
LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class DayRange:
    """Some days with a name: from `start` up to, not including, `end`."""

    label: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Calendar:
    """Ranges of days in order, without overlap; days between them belong to none."""

    workspace_id: str
    name: str
    ranges: tuple[DayRange, ...]
    created_at: datetime
    created_by: str

    def range_of(self, day: date) -> DayRange | None:
        """The range that a day belongs to."""
        return next((each for each in self.ranges if each.start <= day < each.end), None)


class Calendars(Reader):
    """The calendars of workspaces. One never changes, so a value keeps its meaning; another one gets another name."""

    def add_calendar(self, actor: Actor, name: str, ranges: Sequence[DayRange]) -> Calendar:
        """Make a calendar; the same once more changes nothing, and brings back one that was removed.

        Raises:
            DefinitionError: name or ranges cannot be used, or other ranges have had the name.
            NotAllowedError: without the role metrics:define.
        """
        with self._refusals(actor, "create"):
            workspace_id, ordered = self._definer(actor), _checked(name, ranges)
            stored = [[each.label, each.start.isoformat(), each.end.isoformat()] for each in ordered]
            with writing(self._control) as session:
                lock_definitions(session)
                require_workspace(session, workspace_id)
                now = self._clock.now()
                row = custom_periods.find_period(session, workspace_id, name)
                if row is not None and row.ranges != stored:
                    said = "A calendar never changes: choose another name."
                    raise DefinitionError.at("/name", "name_taken", said)
                if row is None or row.removed_at is not None:
                    add_entry(session, entry_of(actor, now, "create", "ok", "custom_period"))
                if row is None:
                    row = custom_periods.add_period(
                        session, workspace_id, name, stored, now=now, created_by=actor.principal
                    )
                row.removed_at = None
                return _calendar(row)

    def list_calendars(self, actor: Actor) -> Sequence[Calendar]:
        """The calendars of the workspace, by name. Raises NotAllowedError without the role metrics:read."""
        with self._refusals(actor, "get"):
            if actor.workspace_id is None or READ not in actor.roles:
                raise NotAllowedError(READ)
        return self.calendars(actor.workspace_id)

    def calendars(self, workspace_id: str) -> Sequence[Calendar]:
        """The calendars of a workspace, for the pipeline."""
        with reading(self._control) as session:
            return [_calendar(row) for row in custom_periods.periods_of(session, workspace_id)]

    def remove_calendar(self, actor: Actor, name: str) -> None:
        """Take a calendar out of use; its name stays its own.

        Raises:
            MetricNotFoundError: there is no such calendar.
            NotAllowedError: without the role metrics:define.
        """
        with self._refusals(actor, "archive"):
            workspace_id = self._definer(actor)
            if not re.fullmatch(NAME, name):
                raise MetricNotFoundError("period_unknown")
            with writing(self._control) as session:
                row = custom_periods.find_period(session, workspace_id, name)
                if row is None or row.removed_at is not None:
                    raise MetricNotFoundError("period_unknown")
                row.removed_at = self._clock.now()
                add_entry(session, entry_of(actor, row.removed_at, "archive", "ok", "custom_period"))


def _checked(name: str, ranges: Sequence[DayRange]) -> list[DayRange]:
    """The ranges in order of their days."""
    faults = []
    if not re.fullmatch(NAME, name) or name in GRAINS:
        said = "A name has 2 to 63 small letters, digits and underscores, begins with a letter, and is no grain."
        faults.append(Fault("/name", "field_invalid", said))
    if not 1 <= len(ranges) <= MOST_RANGES:
        faults.append(Fault("/ranges", "field_invalid", f"A calendar has 1 to {MOST_RANGES} ranges."))
    places = {id(each): number for number, each in enumerate(ranges)}
    ordered = sorted(ranges, key=lambda each: (each.start, each.end))
    labels: set[str] = set()
    for each in ranges:
        pointer = f"/ranges/{places[id(each)]}"
        if each.end <= each.start:
            faults.append(Fault(pointer, "range_empty", "Its end, which is not included, must lie after its start."))
        if not (each.label.isprintable() and len(each.label.strip()) > 0 and len(each.label) <= LONGEST_LABEL):
            faults.append(Fault(f"{pointer}/label", "field_invalid", f"1 to {LONGEST_LABEL} printable characters."))
        if each.label in labels:
            faults.append(Fault(f"{pointer}/label", "listed_twice", "Another range has this label."))
        labels.add(each.label)
    for before, after in pairwise(ordered):
        if after.start < before.end:
            faults.append(Fault(f"/ranges/{places[id(after)]}", "ranges_overlap", "A day belongs to one range only."))
    if faults:
        raise DefinitionError(faults)
    return ordered


def _calendar(row: CustomPeriod) -> Calendar:
    ranges = tuple(DayRange(label, date.fromisoformat(a), date.fromisoformat(b)) for label, a, b in row.ranges)
    return Calendar(row.workspace_id, row.name, ranges, row.created_at, row.created_by)
