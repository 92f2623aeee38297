"""The jobs log: one row per run however it ends, the same however often it is written, and what failures mean."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.automation.backfill import plan_backfill
from metrics_pipeline.automation.dead_runs import close_dead, forget_old
from metrics_pipeline.automation.job_log import JobLog
from metrics_pipeline.automation.sensors import _jobs_log
from metrics_pipeline.control.job_runs import JobRunRecord, failing_runs, list_runs
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.automation.conftest import Load, instant
from metrics_pipeline_tests.automation.receivers import Webhook

NOW = instant("2026-03-18T10:30")
SCHEDULED = {"dagster/schedule_name": "daily_close", "dagster/partition": "2026-03-17"}


class World:
    """An instance with a job that does as it is told, and the jobs log that watches it."""

    def __init__(self, load: Load, instance: dg.DagsterInstance) -> None:
        self.load, self.instance = load, instance
        self.pipeline = load(NOW)
        self.cursor: str | None = None
        self.failing, self.rows = False, 7
        outer = self

        @dg.asset(name="numbers", partitions_def=dg.DailyPartitionsDefinition("2026-03-01"))
        def numbers() -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads the bare name
            if outer.failing:
                raise RuntimeError("the disk is full\nsecond line; access_token=hunter2")
            return dg.MaterializeResult(metadata={"rows": outer.rows, "accounts_ok": 3, "accounts_failed": 1})

        self.definitions = dg.Definitions(
            assets=[numbers], jobs=[dg.define_asset_job("daily_close", selection="numbers")]
        )

    def run(self, tags: Mapping[str, str] | None = None, *, failing: bool = False) -> str:
        """Run the job to its end, watched by nobody."""
        self.failing = failing
        job = self.definitions.resolve_job_def("daily_close")
        result = job.execute_in_process(
            instance=self.instance, partition_key="2026-03-17", tags={**SCHEDULED, **(tags or {})}, raise_on_error=False
        )
        return result.run_id

    def look(self, now: datetime = NOW) -> None:
        """A tick of the jobs log's sensor."""
        pipeline = self.load(now)
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        _jobs_log(pipeline.settings)(context)
        self.cursor = context.cursor

    def row(self, run_id: str) -> JobRunRecord:
        return next(run for run in self.log if run.run_id == run_id)

    @property
    def log(self) -> list[JobRunRecord]:
        return list_runs(self.pipeline.control)


@pytest.fixture
def world(load: Load) -> Iterator[World]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield World(load, instance)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    hook = Webhook()
    monkeypatch.setenv("METRICS_ALERT_WEBHOOK_URL", hook.url)
    yield hook
    hook.close()


def test_a_run_that_succeeds_has_its_times_rows_and_accounts(world: World) -> None:
    run_id = world.run()
    world.look()
    row = world.row(run_id)
    assert (row.job, row.state, row.requested_by) == ("daily_close", "COMPLETED", "schedule daily_close")
    assert (row.first_partition, row.last_partition) == ("2026-03-17", "2026-03-17")
    assert (row.rows, row.accounts_ok, row.accounts_failed, row.accounts_skipped) == (7, 3, 1, None)
    assert row.started_at is not None
    assert row.ended_at is not None
    assert row.seconds == pytest.approx((row.ended_at - row.started_at).total_seconds(), abs=0.001)
    assert row.error is None


def test_a_range_counts_its_rows_once(world: World) -> None:
    world.rows = 11
    tags = {
        "dagster/asset_partition_range_start": "2026-03-02",
        "dagster/asset_partition_range_end": "2026-03-09",
    }
    result = world.definitions.resolve_job_def("daily_close").execute_in_process(instance=world.instance, tags=tags)
    world.look()
    row = world.row(result.run_id)
    assert (row.rows, row.first_partition, row.last_partition) == (11, "2026-03-02", "2026-03-09")


def test_a_run_that_fails_has_its_first_error_in_one_line_without_secrets(world: World) -> None:
    run_id = world.run(failing=True)
    world.look()
    row = world.row(run_id)
    assert row.state == "FAILED"
    assert row.error is not None
    assert row.error.startswith("the disk is full second line")
    assert "hunter2" not in row.error
    assert [run.run_id for run in failing_runs(world.pipeline.control, NOW)] == [run_id]


def test_a_run_that_lacks_accounts_is_partial(world: World) -> None:
    run_id = world.run({OUTCOME_TAG: "PARTIAL"})
    world.look()
    assert world.row(run_id).state == "PARTIAL"
    assert failing_runs(world.pipeline.control, NOW) == []


def test_looking_again_from_any_cursor_changes_nothing(world: World) -> None:
    for failing in (False, True, False):
        world.run(failing=failing)
    world.look()
    before = world.log
    world.look()
    world.cursor = None
    world.look()
    assert world.log == before
    assert len(before) == 3


def test_a_run_on_its_way_is_running_until_it_ended_or_was_canceled(world: World) -> None:
    job = world.definitions.resolve_job_def("daily_close")
    runs = [
        world.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED),
        world.instance.create_run_for_job(job, status=dg.DagsterRunStatus.NOT_STARTED),
    ]
    world.look()
    assert [run.run_id for run in world.log] == [runs[0].run_id], "what waits for its turn has not begun"
    assert world.row(runs[0].run_id).state == "RUNNING"
    for run in runs:
        world.instance.report_run_canceled(run)
    world.look()
    assert {run.state for run in world.log} == {"CANCELED"}
    assert all(run.ended_at is not None for run in world.log)


def test_a_run_that_dagster_forgot_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = world.definitions.resolve_job_def("daily_close")
    run = world.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    world.look()
    world.instance.delete_run(run.run_id)
    world.look()
    assert world.row(run.run_id).state == "RUNNING", "its record may only be late"
    monkeypatch.setattr("metrics_pipeline.automation.job_log.VANISHED_AFTER", timedelta(0))
    world.look()
    row = world.row(run.run_id)
    assert (row.state, row.seconds) == ("FAILED", None)
    assert "does not know the run" in str(row.error)


KILLED = """
import os, signal
from metrics_pipeline.automation.job_log import JobLog
from metrics_pipeline.automation.home import open_instance
from metrics_pipeline.pipeline import Pipeline
pipeline = Pipeline.from_environment()
JobLog(pipeline, open_instance(pipeline.settings)).begin(
    "the-run", "__ASSET_JOB", ["daily_metrics/post"], {"metrics/requested_by": "command line"}
)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_command_that_was_killed_is_a_failure_and_a_living_one_is_not(
    load: Load, webhook: Webhook, tmp_path: Path
) -> None:
    pipeline = load(NOW)
    killed = subprocess.run([sys.executable, "-c", KILLED], env=dict(os.environ), check=False)
    assert killed.returncode == -9
    with dg.DagsterInstance.ephemeral() as instance:
        log = JobLog(pipeline, instance)
        log.begin("alive", "__ASSET_JOB", ["weekly_metrics"], {"metrics/requested_by": "command line"})
        assert {run.state for run in list_runs(pipeline.control)} == {"RUNNING"}
        log.reconcile()
        assert close_dead(pipeline) == []
    states = {run.run_id: (run.state, run.error) for run in list_runs(pipeline.control)}
    assert states == {"alive": ("RUNNING", None), "the-run": ("FAILED", "its process ended without a word")}
    Alerts.of(pipeline).deliver()
    assert len(webhook.received) == 1
    assert "daily_metrics" in webhook.received[0]


def test_a_command_writes_its_own_row(load: Load, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    pipeline = load(NOW)
    window = Window.of_days(NOW.date() - timedelta(days=2), NOW.date())
    backfiller, (step,) = plan_backfill(pipeline, ["weekly_metrics"], window)
    run_id = backfiller.run(step)
    (row,) = list_runs(pipeline.control)
    assert (row.run_id, row.job, row.state) == (run_id, "materialize", "COMPLETED")
    assert (row.title, row.requested_by) == ("weekly_metrics 2026-03-16", "command line")
    # a sensor that looks later sees the same run as the same row
    JobLog(pipeline, backfiller.instance).catch_up(None)
    assert list_runs(pipeline.control) == [row]

    _, (past,) = plan_backfill(pipeline, ["platforms/x/counters"], Window(NOW - timedelta(hours=5), NOW))
    with pytest.raises(RunFailedError, match="the hour is over"):
        backfiller.run(past)
    assert list_runs(pipeline.control)[0].state == "FAILED"
    assert len(webhook.received) == 1, "a command sends its alert itself: nobody may be there who looks later"
    assert "the hour is over" in webhook.received[0]


def test_a_failure_is_told_once_a_streak_and_its_end_once(world: World, webhook: Webhook) -> None:
    world.run()
    world.look()
    for _ in range(3):
        world.run(failing=True)
        world.look()
        world.look()
    assert len(webhook.received) == 1
    assert "daily_close 2026-03-17: the disk is full" in webhook.received[0]
    world.run()
    world.look()
    assert webhook.received[1:] == ["Recovered: daily_close 2026-03-17 works again after 3 failures."]
    world.run(failing=True)
    world.look()
    assert len(webhook.received) == 3


def test_a_failure_between_two_looks_is_told_with_its_end(world: World, webhook: Webhook) -> None:
    world.run(failing=True)
    world.run()
    world.look()
    assert [text.split(":")[0].split(" ")[0] for text in webhook.received] == ["Run", "Recovered"]


def test_a_streak_that_lasts_is_told_again_after_a_day(world: World, webhook: Webhook) -> None:
    for hours in (0, 12, 25):
        world.run(failing=True)
        world.look(NOW + timedelta(hours=hours))
    assert len(webhook.received) == 2
    assert "3 times in a row" in webhook.received[1]
    assert "since 2026-03-18 10:30 UTC" in webhook.received[1]


def test_only_the_nth_failure_in_a_row_is_told(world: World, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_ALERT_AFTER_FAILURES", "3")
    for failing in (True, True, False, True, True):
        world.run(failing=failing)
        world.look()
    assert webhook.received == []
    world.run(failing=True)
    world.look()
    assert len(webhook.received) == 1
    assert "3 times in a row" in webhook.received[0]


def test_runs_that_others_asked_for_or_dagster_tries_again_are_no_part_of_a_streak(
    world: World, webhook: Webhook
) -> None:
    world.run({"dagster/will_retry": "true"}, failing=True)
    world.look()
    assert webhook.received == []
    world.run(failing=True)
    world.run({"dagster/schedule_name": "daily_refresh"})
    world.look()
    assert len(webhook.received) == 1, "the refresh of two days says nothing of the close of seventeen"


def test_runs_of_other_code_locations_stay_out(world: World) -> None:
    ours = world.run({".dagster/repository": "__repository__@ours"})
    world.run({".dagster/repository": "__repository__@theirs"})
    JobLog(world.pipeline, world.instance).catch_up(None, "ours")
    assert [run.run_id for run in world.log] == [ours]


def test_old_runs_are_forgotten(world: World) -> None:
    world.run(failing=True)
    world.look()
    later = datetime.now(UTC) + timedelta(days=179)
    assert "0 runs" in forget_old(world.load(later))
    assert "1 runs" in forget_old(world.load(later + timedelta(days=2)))
    assert world.log == []


def test_every_run_is_read_however_many_changed_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics_pipeline.automation.job_log.RUNS_PER_LOOK", 2)
    for _ in range(5):
        world.run()
    for _ in range(4):
        world.look()
    assert len(world.log) == 5
