"""The demo's work list: collect as production would have done day by day, then aggregate.

Series are read once as they stood two days before the end, and once more at the end: the second pass restates
the last days, as platforms do. Counters are read in the last hour of each day and in every hour of the last 48.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from metrics_pipeline.assets.collection import platform_asset_key
from metrics_pipeline.assets.content import DAILY_KEY, EVENTS_KEY, METRICS_KEY
from metrics_pipeline.automation.backfill import Backfiller, Step
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import DAY, HOUR, Window, midnight

HOURS_IN_FULL = 48
FIRST_PASS_AGE = timedelta(days=2)
# the 31st of a month whose 1st is the last day of a week
LONGEST_LEAD = timedelta(days=36)


@dataclass(frozen=True)
class Task:
    """One recorded run of the demo, at the instant it is simulated to run."""

    title: str
    step: Step
    now: datetime
    is_repeated: bool = False
    """Runs in a resumed demo as well, though it ran before."""
    is_beside: bool = False
    """Runs in the process beside that of the counters, which it does not depend on."""
    is_aside: bool = False
    """Runs in that process later on, beside the tasks behind it, none of which needs it."""


def tasks(planner: Backfiller, platforms: list[str], first_day: date, now: datetime, events: Window) -> Iterator[Task]:
    """Everything the demo runs, in order. `events`: the hours that content events were sent for."""
    days = Window(midnight(first_day), midnight(now.date() + DAY))
    yield from _counters(planner, platforms, days, now)
    yield from _insights(planner, platforms, days, now)
    for step in planner.plan(planner.resolve(["app"]), days):
        yield Task("read the application database", step, now, is_beside=True)
    yield from _content(planner, events, now)
    # the first month and week begin before the first day: built as well, so that no partition looks forgotten
    whole = Window(days.start - LONGEST_LEAD, days.end)
    for step in planner.plan(planner.resolve(["daily_metrics", "campaign_metrics", "contact_metrics"]), whole):
        yield Task(f"aggregate {step.name}", step, now, is_repeated=True)
    for step in planner.plan(planner.resolve(["custom_metric_values"]), days):
        yield Task("compute the metrics that were defined", step, now, is_repeated=True, is_aside=True)
    names = ["anomalies", "weekly_metrics", "monthly_metrics", "analytics_snapshots", "reconciliations"]
    for step in planner.plan(planner.resolve(names), whole):
        yield Task(f"aggregate {step.name}", step, now, is_repeated=True)


def _counters(planner: Backfiller, platforms: list[str], days: Window, now: datetime) -> Iterator[Task]:
    assets = tuple(platform_asset_key(p, "counters") for p in platforms)
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    in_full_from = max(days.start, this_hour - timedelta(hours=HOURS_IN_FULL - 1))
    for day in days.days():
        last_hour = datetime.combine(day, time(23), tzinfo=UTC)
        if last_hour < in_full_from:
            yield Task("collect counters, end of each day", Step(assets, (f"{last_hour:%Y-%m-%d-%H:%M}",)), now)
    hours = [f"{h.start:%Y-%m-%d-%H:%M}" for h in Window(in_full_from, this_hour + HOUR).hours()]
    yield Task("collect counters, last 48 hours", Step(assets, tuple(hours)), now)


def _insights(planner: Backfiller, platforms: list[str], days: Window, now: datetime) -> Iterator[Task]:
    first_pass = now - FIRST_PASS_AGE
    for platform in platforms:
        asset = [platform_asset_key(platform, "insights")]
        restated = midnight(now.date()) - DAY * planner.restatement_days(platform)
        for window, at, what in (
            (Window(days.start, midnight(first_pass.date() + DAY)), first_pass, "as of two days ago"),
            (Window(max(days.start, restated), days.end), now, "once more, restated"),
        ):
            keys = [key for step in planner.plan(asset, window) for key in step.keys]
            yield Task(f"collect {platform} series, {what}", Step(tuple(asset), tuple(keys)), at, is_beside=True)


def _content(planner: Backfiller, events: Window, now: datetime) -> Iterator[Task]:
    """As the sensors would have it: events out of the inbox, their days with distinct viewers, the state of content."""
    yield Task("events into the lake", Step((EVENTS_KEY,), ()), now, is_repeated=True)
    for step in planner.plan([DAILY_KEY], events):
        yield Task("days of content", step, now, is_repeated=True)
    yield Task("hours and state of content", Step((METRICS_KEY,), ()), now, is_repeated=True)


def simulated_at(pipeline: Pipeline, instant: datetime) -> Pipeline:
    """The same pipeline with its clock at another instant."""
    return Pipeline(pipeline.settings.model_copy(update={"now": instant}))
