"""The backbone: what runs when. All times are UTC and every cron is a setting.

`build_schedule_from_partitioned_job` would pick the wrong key for sets with `end_offset`, so each schedule names
its partitions itself: collectors of counters the running hour, closes everything that may still change.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from metrics_pipeline.application.flow import ApplicationFlow
from metrics_pipeline.automation.application import EXTRACT_APPLICATION
from metrics_pipeline.automation.jobs import (
    ANOMALIES,
    DAILY_CLOSE,
    DAILY_SNAPSHOTS,
    MAINTENANCE,
    MISSING_PARTITIONS,
    MONTHLY_CLOSE,
    MONTHLY_SNAPSHOTS,
    RECONCILE,
    RECONCILE_REALTIME,
    WEEKLY_CLOSE,
    WEEKLY_SNAPSHOTS,
    collection_job_name,
)
from metrics_pipeline.automation.ranges import request_window
from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.partitions import PartitionSets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY, HOUR, Window, midnight

# This month and the one before: a month is compared under its first day.
RECONCILED_DAYS = 62
Choose = Callable[[datetime], Window]
# Why a tick asks for nothing, None if it may.
Idle = Callable[[], str | None]


def restatement_days(platforms: Sequence[PlatformSpec]) -> int:
    """The longest time any platform may still change a day."""
    return max((p.restatement_days for p in platforms), default=0)


def running_hour(at: datetime) -> Window:
    start = at.replace(minute=0, second=0, microsecond=0)
    return Window(start, start + HOUR)


def trailing_days(days: int, *, with_today: bool) -> Choose:
    """The `days` before the one before `at`, that day, and the running day if asked for."""

    def choose(at: datetime) -> Window:
        today = midnight(at.date())
        return Window(today - timedelta(days=days + 1), today + DAY if with_today else today)

    return choose


def _schedule(
    name: str,
    job_name: str,
    cron: str,
    partitions: dg.TimeWindowPartitionsDefinition,
    choose: Choose,
    description: str,
    idle: Idle = lambda: None,
) -> dg.ScheduleDefinition:
    """A schedule that requests the partitions it chooses; its ticks are skipped while there is nothing to read."""

    @dg.schedule(
        name=name,
        job_name=job_name,
        cron_schedule=cron,
        execution_timezone="UTC",
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time.astimezone(UTC)
        reason = idle()
        if reason is not None:
            return dg.SkipReason(reason)
        window = choose(at)
        request = request_window(job_name, partitions, window, at, run_key=f"{name}:{at:%Y-%m-%dT%H:%M}")
        return request or dg.SkipReason(f"No partition lies in {window}.")

    return tick


def _without_accounts(platform: str) -> Idle:
    """A collector has nothing to do without one; accounts that have to sign in again get their rows as well."""

    def idle() -> str | None:
        accounts = list_accounts(Pipeline.from_environment().control, platform=platform)
        is_any = any(account.status != "disabled" for account in accounts)
        return None if is_any else f"No {platform} account is connected."

    return idle


def _without_database() -> str | None:
    if ApplicationFlow(Pipeline.from_environment()).is_connected:
        return None
    return "No application database is connected (METRICS_APPLICATION_DATABASE_URL)."


def schedules(
    platforms: Sequence[PlatformSpec], partitions: PartitionSets, settings: Settings
) -> Iterable[dg.ScheduleDefinition]:
    """Every schedule of the pipeline."""
    for p in platforms:
        yield _schedule(
            f"{p.platform}_counters_hourly",
            collection_job_name(p.platform, "counters"),
            settings.counters_cron,
            partitions.hourly,
            running_hour,
            f"{p.label} counters of the running hour: late in it, so that the last hour closes the day.",
            _without_accounts(p.platform),
        )
        yield _schedule(
            f"{p.platform}_insights_daily",
            collection_job_name(p.platform, "insights"),
            settings.insights_cron,
            partitions.daily,
            trailing_days(p.restatement_days, with_today=False),
            f"{p.label} series of yesterday and of the {p.restatement_days} days it may still restate.",
            _without_accounts(p.platform),
        )
    yield _schedule(
        "application_daily",
        EXTRACT_APPLICATION,
        settings.application_cron,
        partitions.daily,
        trailing_days(settings.application_trailing_days, with_today=True),
        "Rows of the application database: today, yesterday and the days before that are read once more.",
        _without_database,
    )
    # one more day than the longest restatement, by a platform or a late reply: its provisional mark has to be taken off
    # as well
    trailing = max(restatement_days(platforms), settings.reply_window_days) + 1
    yield _schedule(
        "daily_close",
        DAILY_CLOSE,
        settings.daily_cron,
        partitions.daily,
        trailing_days(trailing, with_today=True),
        "Daily close: rebuilds every day that a platform may still have changed.",
    )
    yield _schedule(
        "daily_refresh",
        DAILY_CLOSE,
        settings.refresh_cron,
        partitions.daily,
        trailing_days(0, with_today=True),
        "Keeps yesterday and the running day fresh.",
    )
    yield _schedule(
        "weekly_close",
        WEEKLY_CLOSE,
        settings.weekly_cron,
        partitions.weekly,
        trailing_days(trailing, with_today=True),
        "Weekly close, with the weeks a restatement may reach.",
    )
    yield _schedule(
        "monthly_close",
        MONTHLY_CLOSE,
        settings.monthly_cron,
        partitions.monthly,
        trailing_days(trailing, with_today=True),
        "Monthly close, with the months a restatement may reach.",
    )
    for name, cron, periods in (
        (DAILY_SNAPSHOTS, settings.snapshots_daily_cron, partitions.daily),
        (WEEKLY_SNAPSHOTS, settings.snapshots_weekly_cron, partitions.weekly),
        (MONTHLY_SNAPSHOTS, settings.snapshots_monthly_cron, partitions.monthly),
    ):
        yield _schedule(
            name,
            name,
            cron,
            periods,
            trailing_days(trailing, with_today=True),
            "Snapshots of everything the close before it may have changed.",
        )
    yield _schedule(
        "anomalies_daily",
        ANOMALIES,
        settings.anomaly_cron,
        partitions.daily,
        trailing_days(trailing, with_today=False),
        "Compares the days that are over, and those that a platform may have restated, with their weekdays.",
    )
    yield _schedule(
        "reconciliation_daily",
        RECONCILE,
        settings.reconciliation_cron,
        partitions.daily,
        trailing_days(RECONCILED_DAYS, with_today=False),
        "Compares posts with accounts, accounts with workspaces, days with weeks and months, messages with WhatsApp's.",
    )
    yield dg.ScheduleDefinition(
        name="missing_partitions_hourly",
        job_name=MISSING_PARTITIONS,
        cron_schedule=settings.watch_cron,
        execution_timezone="UTC",
        description="Looks for partitions that should exist and do not.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    yield dg.ScheduleDefinition(
        name="realtime_reconciliation_hourly",
        job_name=RECONCILE_REALTIME,
        cron_schedule=settings.realtime_reconciliation_cron,
        execution_timezone="UTC",
        description="Compares real-time metrics with stored events, bucket by bucket, and mends them.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    yield dg.ScheduleDefinition(
        name="lake_maintenance",
        job_name=MAINTENANCE,
        cron_schedule=settings.maintenance_cron,
        execution_timezone="UTC",
        description="Compacts small files, removes superseded ones and expired raw responses.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
