"""Keeps the jobs log in step with Dagster's runs, also with those that died without a word.

Every row follows from the run's record in the Dagster instance, so writing it again changes nothing: a sensor reads
what changed since its last look, and commands that run assets in their own process write before and after.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.automation.dead_runs import close_dead, process_name
from metrics_pipeline.automation.ranges import keys_of_tags
from metrics_pipeline.automation.run_facts import facts_of, job_name, stream_of
from metrics_pipeline.automation.run_facts import requested_by as requester
from metrics_pipeline.control.job_runs import (
    PROCESS_TAG,
    JobRunRecord,
    close_run,
    open_runs,
    record_run,
)
from metrics_pipeline.pipeline import Pipeline

# Runs that are read at one look; a look that finds so many has more to read at the next one.
RUNS_PER_LOOK = 300
# A change is visible a moment after its time stamp; looking at a run twice changes nothing.
OVERLAP = timedelta(seconds=5)
# The first look at an instance that has been in use: older runs stay out of the log.
FIRST_LOOK = timedelta(days=7)
# A run's row may be written a moment before the run itself.
VANISHED_AFTER = timedelta(minutes=10)
REPOSITORY_TAG = ".dagster/repository"


class JobLog:
    """The jobs log of one installation."""

    def __init__(self, pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
        self._pipeline = pipeline
        self._instance = instance
        self._alerts = Alerts.of(pipeline)

    def record(self, record: dg.RunRecord) -> bool:
        """Write one run's row; True if its state changed."""
        facts = facts_of(self._instance, record)
        return facts is not None and self._write(facts)

    def record_id(self, run_id: str) -> None:
        """Write the row of a run of this process, if Dagster knows it."""
        found = self._instance.get_run_records(dg.RunsFilter(run_ids=[run_id]), limit=1)
        for record in found:
            self.record(record)

    def begin(self, run_id: str, job: str, assets: Sequence[str], tags: Mapping[str, str]) -> None:
        """Note that this process is about to run something: should it be killed, the row says so."""
        now = datetime.now(UTC)
        keys = keys_of_tags(tags) or (None, None)
        self._write(
            JobRunRecord(
                run_id=run_id,
                job=job_name(job),
                stream=stream_of(job, assets, tags),
                state="RUNNING",
                requested_by=requester(tags),
                requested_at=now,
                assets=assets,
                first_partition=keys[0],
                last_partition=keys[1],
                started_at=now,
                tags={PROCESS_TAG: process_name(os.getpid())},
            )
        )

    def catch_up(self, cursor: str | None, location: str | None = None) -> str:
        """Write the rows of runs that changed since the cursor, close those that died; returns the next cursor.

        location: the code location whose runs are meant; those of no location ran in a process of their own.
        """
        since = datetime.fromisoformat(cursor) if cursor else datetime.now(UTC) - FIRST_LOOK
        changed = self._instance.get_run_records(
            dg.RunsFilter(updated_after=since), limit=RUNS_PER_LOOK, order_by="update_timestamp", ascending=True
        )
        for record in changed:
            where = record.dagster_run.tags.get(REPOSITORY_TAG)
            if location is None or where is None or where.rsplit("@", 1)[-1] == location:
                self.record(record)
        self.reconcile()
        newest = max((r.update_timestamp.replace(tzinfo=UTC) for r in changed), default=since)
        is_whole = len(changed) < RUNS_PER_LOOK
        return max(since, newest - OVERLAP if is_whole else newest).isoformat()

    def reconcile(self) -> list[JobRunRecord]:
        """Close rows of runs that ended without anybody looking, vanished, or whose process died; returns the dead."""
        opened = {run.run_id: run for run in open_runs(self._pipeline.control)}
        ids = list(opened)
        known = set()
        for n in range(0, len(ids), RUNS_PER_LOOK):
            for record in self._instance.get_run_records(dg.RunsFilter(run_ids=ids[n : n + RUNS_PER_LOOK])):
                known.add(record.dagster_run.run_id)
                self.record(record)
        dead = close_dead(self._pipeline)
        for run_id in opened.keys() - known - {run.run_id for run in dead}:
            run = opened[run_id]
            if datetime.now(UTC) - run.requested_at > VANISHED_AFTER:
                error = "Dagster does not know the run any more"
                alerts, now = self._alerts.of_failures, self._pipeline.settings.clock.now()
                dead.append(close_run(self._pipeline.control, run, error, alerts, ended_at=datetime.now(UTC), now=now))
        return dead

    def _write(self, run: JobRunRecord) -> bool:
        now = self._pipeline.settings.clock.now()
        return record_run(self._pipeline.control, run, self._alerts.of_failures, now=now)
