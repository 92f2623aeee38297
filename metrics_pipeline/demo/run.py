"""Runs the demo: resumes where an earlier one was interrupted."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from metrics_pipeline.demo.accounts import demo_platforms, register_accounts
from metrics_pipeline.demo.marker import (
    APPLICATION_DATABASE,
    SANDBOX_PORT,
    DemoMarker,
    is_in_use,
    read_marker,
    remove_demo,
    write_marker,
    write_settings_file,
)
from metrics_pipeline.demo.metrics import OWNER, define_metrics
from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.pipeline_start import PipelineStart, fix_pipeline_start
from metrics_pipeline.sandbox.application import grow, whole_second
from metrics_pipeline.sandbox.process import SandboxProcess
from metrics_pipeline.sandbox.server import PLATFORMS, base_url
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline.windows import midnight

if TYPE_CHECKING:
    from metrics_pipeline.demo.history import Task

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class DemoResult:
    data_dir: Path
    seconds: float
    runs: int
    accounts: int
    calls: int
    events: int
    resumed: bool


def prepare(settings: Settings, days: int, seed: int, *, reset: bool) -> DemoMarker:
    """Decide between a fresh demo, a resumed one, and none.

    Raises:
        UserError: the directory holds other data, or a demo that is finished or has other parameters.
    """
    if days < 1 or days > 365:
        raise UserError(f"--days {days} is out of range: between 1 and 365.")
    if reset and (read_marker(settings.data_dir) or is_in_use(settings)):
        remove_demo(settings.data_dir)
    marker = read_marker(settings.data_dir)
    if marker is None:
        if is_in_use(settings):
            raise UserError(
                f"{settings.data_dir.absolute()} holds data that no demo made. "
                "Choose another directory: metrics-pipeline demo --data-dir demo-data"
            )
        return DemoMarker(seed, days, settings.clock.now().date(), finished=False)
    if marker.finished:
        raise UserError(
            f"The demo in {settings.data_dir.absolute()} is finished. Look at it with: metrics-pipeline sql, or "
            "metrics-pipeline dev. To build it anew: metrics-pipeline demo --reset"
        )
    if (marker.seed, marker.days) != (seed, days):
        raise UserError(
            f"The demo begun in {settings.data_dir.absolute()} has --days {marker.days} --seed {marker.seed}. "
            "Give the same to resume it, or start over with --reset."
        )
    return marker


def run_demo(settings: Settings, marker: DemoMarker, report: Report) -> DemoResult:
    """Build the demo of `marker` and return what it took."""
    started = time.monotonic()
    resumed = read_marker(settings.data_dir) is not None
    logging.getLogger("metrics_pipeline").setLevel(logging.ERROR)
    now = _simulated_now(settings, marker)
    first_day = marker.last_day - timedelta(days=marker.days - 1)
    write_marker(settings.data_dir, marker)
    write_settings_file(settings.data_dir, {p: base_url(SANDBOX_PORT, p) for p in PLATFORMS}, OWNER)
    grow(settings.data_dir / APPLICATION_DATABASE, whole_second(now), days=marker.days, seed=marker.seed)
    fix_pipeline_start(settings, PipelineStart(first_day, first_day))
    with SandboxProcess(marker.seed) as sandbox:
        for platform in PLATFORMS:
            # for this process only: the file names the port that `sandbox` and `dev` listen on
            os.environ[f"METRICS_{platform.upper()}_BASE_URL"] = sandbox.base_url(platform)
        pipeline = Pipeline(load_settings(now=now, data_dir=settings.data_dir))
        accounts = register_accounts(pipeline, now)
        define_metrics(pipeline)
        events, runs = _run_tasks(pipeline, marker.seed, first_day, now, report)
        calls = sandbox.request_count()
    write_marker(settings.data_dir, replace(marker, finished=True))
    return DemoResult(settings.data_dir, time.monotonic() - started, runs, accounts, calls, events, resumed)


def _simulated_now(settings: Settings, marker: DemoMarker) -> datetime:
    """The present on the demo's last day; on a later day (a resumed demo) the last minutes of that day."""
    now = settings.clock.now()
    return now if now.date() == marker.last_day else midnight(marker.last_day) + timedelta(hours=23, minutes=55)


def _run_tasks(pipeline: Pipeline, seed: int, first_day: date, now: datetime, report: Report) -> tuple[int, int]:
    """Send events and run everything, on two processors; returns the events and the Dagster runs."""
    runner = _Runner(pipeline, first_day, now)
    work = runner.tasks()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        beside = pool.submit(_run_beside, pipeline.settings, seed, first_day, now)
        aside: Future[None] | None = None
        for number, task in enumerate(work):
            report(task.title, number, len(work))
            if task.is_beside:
                beside.result()
            elif task.is_aside:
                aside = aside or pool.submit(_run_aside, pipeline.settings, first_day, now)
            else:
                runner.run(task)
        if aside is not None:
            aside.result()
    report("done", len(work), len(work))
    return beside.result(), len(work)


def _run_beside(settings: Settings, seed: int, first_day: date, now: datetime) -> int:
    """What does not wait for counters: events, sent as an application would, and series. Returns the events."""
    from metrics_pipeline.demo.events import send_events

    runner = _Runner(Pipeline(settings), first_day, now)
    sent = send_events(settings, runner.events, seed)
    for task in runner.tasks():
        if task.is_beside:
            runner.run(task)
    return sent


def _run_aside(settings: Settings, first_day: date, now: datetime) -> None:
    """What rests on days alone, while weeks and months are made of them."""
    runner = _Runner(Pipeline(settings), first_day, now)
    for task in runner.tasks():
        if task.is_aside:
            runner.run(task)


class _Runner:
    """Runs tasks of the demo in this process, each at its own instant."""

    def __init__(self, pipeline: Pipeline, first_day: date, now: datetime) -> None:
        from metrics_pipeline.automation.backfill import Backfiller
        from metrics_pipeline.demo.events import events_window

        self._pipeline = pipeline
        self._planner = Backfiller(pipeline)
        self._at = {now: self._planner}
        self._first_day = first_day
        self._now = now
        self.events = events_window(midnight(first_day), now)

    def tasks(self) -> list[Task]:
        from metrics_pipeline.demo.history import tasks

        return list(tasks(self._planner, demo_platforms(), self._first_day, self._now, self.events))

    def run(self, task: Task) -> None:
        """Run a task, unless an earlier demo has."""
        from metrics_pipeline.automation.backfill import Backfiller
        from metrics_pipeline.demo.history import simulated_at

        if not task.is_repeated and self._planner.is_materialized(task.step):
            return
        if task.now not in self._at:
            self._at[task.now] = Backfiller(simulated_at(self._pipeline, task.now))
        self._at[task.now].run(task.step)
