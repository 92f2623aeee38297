"""What a request asks to be run, as jobs and partitions, or why it cannot be: checked before anything is started."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from metrics_pipeline.api.problems import Problem
from metrics_pipeline.api.runs.partition_keys import Keys, PartitionKeys, Period
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.control.accounts import AccountRecord
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, Window

Level = Literal["content", "daily", "weekly", "monthly", "daily_snapshots", "weekly_snapshots", "monthly_snapshots"]

# From the outside in: of runs that wait in the queue Dagster takes the one with the highest priority first.
LEVELS: Mapping[str, tuple[str, Period]] = {
    "content": ("content_days", "day"),
    "daily": ("daily_close", "day"),
    "weekly": ("weekly_close", "week"),
    "monthly": ("monthly_close", "month"),
    "daily_snapshots": ("daily_snapshots", "day"),
    "weekly_snapshots": ("weekly_snapshots", "week"),
    "monthly_snapshots": ("monthly_snapshots", "month"),
}
SNAPSHOTS = ("daily_snapshots", "weekly_snapshots", "monthly_snapshots")
PROCESS_EVENTS = "process_events"
PRIORITY_TAG = "dagster/priority"


@dataclass(frozen=True)
class PlannedRun:
    """One run to be started. Of several with the same `name` in one request only one is."""

    name: str
    job: str
    keys: Keys | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """Which accounts a collection is narrowed to; empty lists narrow nothing."""

    workspaces: Sequence[str] = ()
    accounts: Sequence[str] = ()
    posts: Sequence[str] = ()

    def config(self, platform: str, collection: str) -> dict[str, object]:
        """Run configuration of a collector's job."""
        values = {"workspaces": self.workspaces, "accounts": self.accounts, "posts": self.posts}
        narrowed = {name: list(value) for name, value in values.items() if value}
        return {"ops": {f"platforms__{platform}__{collection}": {"config": narrowed}}} if narrowed else {}


@dataclass(frozen=True)
class Plan:
    """The runs, and the platforms that were left out with the reason."""

    runs: Sequence[PlannedRun]
    skipped: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Planner:
    """Plans what one installation can be asked for at an instant."""

    settings: Settings
    keys: PartitionKeys
    now: datetime

    @classmethod
    def of(cls, settings: Settings) -> Planner:
        """For this moment. Reads pipeline.toml."""
        return cls(settings, PartitionKeys.of(settings), settings.clock.now())

    def window(self, start: date | None, end: date | None, most_days: int) -> Window | None:
        """The days of a request; None where it names none.

        Raises:
            Problem: 422 with the code `invalid_window`, `window_in_future`, `before_pipeline_start`, `window_too_long`.
        """
        if start is None and end is None:
            return None
        if start is None or end is None or start >= end:
            raise _refused("invalid_window", "Name both start and end, the day after the last; start lies before end.")
        tomorrow = self.now.date() + DAY
        if end > tomorrow:
            raise _refused("window_in_future", f"The running day is the last that can be asked for: end by {tomorrow}.")
        if start < self.keys.first_day:
            detail = f"The pipeline's first day is {self.keys.first_day}."
            raise _refused("before_pipeline_start", detail, first_day=self.keys.first_day.isoformat())
        if (end - start).days > most_days:
            raise _refused("window_too_long", f"One request may name at most {most_days} days.", most_days=most_days)
        return Window.of_days(start, end)

    def collection(
        self,
        accounts: Collection[AccountRecord],
        scope: Scope,
        start: date | None = None,
        end: date | None = None,
        platforms: Collection[str] | None = None,
    ) -> Plan:
        """Counters of the running hour, or without them the series of the days from start to end.

        Platforms that are named have to be able to give it; of those that are not named the others are left out.

        Raises:
            Problem: 422 that says why nothing can be collected, or not from a platform that was named.
        """
        window = self.window(start, end, self.settings.api_collection_days)
        known = catalog().platforms
        if unknown := sorted(set(platforms or ()) - known.keys()):
            at = list(platforms or ()).index(unknown[0])
            raise _refused(
                "unknown_platform", f"There are the platforms {', '.join(known)}.", pointer=f"/platforms/{at}"
            )
        connected = {a.platform for a in accounts if a.status != "disabled"}
        runs, skipped = [], []
        for name in dict.fromkeys(platforms if platforms is not None else sorted(connected)):
            refusal = self._refusal(known.get(name), name in connected, window, scope)
            if refusal is None:
                runs.append(self._collector(name, window, scope))
            elif platforms is not None:
                raise refusal
            else:
                skipped.append({"platform": name, "code": refusal.code, "detail": refusal.detail})
        if not runs:
            detail = "No account that is connected can give this."
            raise _refused("nothing_to_collect", detail, skipped=skipped)
        return Plan(runs, skipped)

    def aggregation(self, levels: Sequence[Level | Literal["snapshots"]], start: date, end: date) -> Plan:
        """Tables to be rebuilt over the periods that overlap the days, those first that others are built from.

        Raises:
            Problem: 422 that says what is wrong with the days.
        """
        window = self.window(start, end, self.settings.api_aggregation_days)
        oldest = self.now.date() - timedelta(days=self.settings.events_days)
        if "content" in levels and start < oldest:
            days = self.settings.events_days
            detail = f"Events are kept for {days} days: days of content before {oldest} keep their numbers."
            raise _refused("beyond_retention", detail, retention_days=days, earliest=oldest.isoformat())
        wanted = {*levels, *(SNAPSHOTS if "snapshots" in levels else ())}
        runs = []
        for place, (level, (job, period)) in enumerate(LEVELS.items()):
            keys = None if window is None else self.keys.overlapping(period, window, self.now)
            if level in wanted and keys is not None:
                tags = {PRIORITY_TAG: str(len(LEVELS) - place)}
                runs.append(PlannedRun(f"{job} {keys.first} {keys.last}", job, keys, tags=tags))
        if not runs:
            raise _refused("nothing_to_run", "No period of these levels lies in the days that were named.")
        return Plan(runs)

    def events(self) -> Plan:
        """The inbox into the lake, and the hours after it."""
        return Plan([PlannedRun(PROCESS_EVENTS, PROCESS_EVENTS)])

    def _collector(self, platform: str, window: Window | None, scope: Scope) -> PlannedRun:
        if window is None:
            job = f"collect_{platform}_counters"
            # whichever hour it is: who asks again in the next hour for the same asks for this run
            return PlannedRun(job, job, self.keys.running_hour(self.now), scope.config(platform, "counters"))
        keys = self.keys.overlapping("day", window, self.now)
        assert keys is not None  # noqa: S101 - for the type checker: the window lies within the days there are
        job = f"collect_{platform}_insights"
        return PlannedRun(f"{job} {keys.first} {keys.last}", job, keys, scope.config(platform, "insights"))

    def _refusal(
        self, spec: PlatformSpec | None, is_connected: bool, window: Window | None, scope: Scope
    ) -> Problem | None:
        """Why a platform cannot give what is asked for."""
        if spec is None or not is_connected:
            return _refused("no_account", "No account of this platform is connected and enabled.")
        if scope.posts and all(source.kind == "series" for source in spec.select("post")):
            return _refused("posts_not_read", f"{spec.label} has no numbers of single posts that could be read now.")
        if window is None:
            return None
        kept = [s.retention_days for level in ("account", "post") for s in spec.select(level, "series")]
        if not kept:
            return _refused("no_series", f"{spec.label} has no series: its numbers are those of the moment.")
        if None not in kept:
            days = max(days for days in kept if days is not None)
            earliest = self.now.date() - timedelta(days=days)
            if window.first_day < earliest:
                detail = f"{spec.label} keeps its series for {days} days: from {earliest} on they can be read."
                return _refused("beyond_retention", detail, retention_days=days, earliest=earliest.isoformat())
        return None


def _refused(code: str, detail: str, **extensions: object) -> Problem:
    return Problem(422, code, detail, extensions=extensions)
