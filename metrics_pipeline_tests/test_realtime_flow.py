"""Counted as they came in, and counted again from what is stored: the same, or mended."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from redis import Redis

from metrics_pipeline.api.realtime.counts import Counts
from metrics_pipeline.api.realtime.keeper import Keeper
from metrics_pipeline.assets.realtime import ALERT, REALTIME_KEY
from metrics_pipeline.automation.jobs import RECONCILE_REALTIME
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.alerts import firing_keys
from metrics_pipeline.control.erasures import request_erasure
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.erasing import run_erasures
from metrics_pipeline.events.fields import EVENT_TYPES
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.realtime.backend import Query, Reading, StoredBucket
from metrics_pipeline.realtime.fed import FED
from metrics_pipeline.realtime.feed import Feed
from metrics_pipeline.realtime.kinds import Kind
from metrics_pipeline.realtime.memory import MemoryBackend
from metrics_pipeline.realtime.realtime import Realtime
from metrics_pipeline.realtime.series import Series
from metrics_pipeline.realtime.updates import make_update
from metrics_pipeline.realtime_flow import Drift, RealtimeFlow
from metrics_pipeline.settings import load_settings
from metrics_pipeline_tests.conftest import RedisServer

NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
Row = dict[str, object]


class MovedClock:
    instant = NOON

    def now(self) -> datetime:
        return self.instant


class Site:
    """One workspace, whose API process lives and dies as the test wants; time passes only when it is told to."""

    def __init__(self, home: Path, redis_url: str | None = None) -> None:
        self.home, self.redis_url, self.clock = home, redis_url, MovedClock()
        self.runner = asyncio.Runner()
        add_workspace(self.pipeline.control, "W", "w", now=NOON)
        self.counts = self.start()

    @property
    def pipeline(self) -> Pipeline:
        """As a Dagster process has it at this instant."""
        return Pipeline(load_settings(data_dir=self.home, now=self.clock.instant, redis_url=self.redis_url))

    def start(self) -> Counts:
        """A process, with what the one before it left."""
        control = self.pipeline.control
        if self.redis_url is None:
            realtime = Realtime(MemoryBackend(self.clock), 500)
        else:
            realtime = Realtime.open(self.pipeline.settings, self.clock)
        made = Counts(realtime, Feed(realtime, 10_000), Keeper(realtime, control, self.clock), control, self.clock, 100)
        self.runner.run(made.start())
        self.counts = made
        return made

    def stop(self) -> None:
        self.runner.run(self.counts.close())

    def pass_(self, **time: float) -> None:
        self.clock.instant += timedelta(**time)

    def send(self, *events: Row, is_counted: bool = True) -> list[str]:
        """Through the way in; or committed by a process that dies before it counts."""
        tell = self.counts.feed.take if is_counted else (lambda _: None)
        with Ingestion.open(self.pipeline.settings, tell) as ingestion:
            done = ingestion.submit_blocking(Handover("w", self.clock.instant), list(events))
        return [result.status for result in done]

    def tick(self) -> None:
        self.runner.run(self.counts.feed.settle())
        self.runner.run(self.counts.keeper.tick())

    def reconcile(self, *, drained: bool = True) -> Sequence[Drift]:
        if drained:
            ContentFlow(self.pipeline).drain()
        return RealtimeFlow(self.pipeline).reconcile("run").drifts

    def read(self, metric: str, seconds: int = 6 * 3600) -> Reading:
        return self.runner.run(self.counts.read(Query.of("w", metric, seconds)))

    def values(self, seconds: int = 6 * 3600) -> dict[str, float | None]:
        readings = [self.read(fed.name, seconds) for fed in FED]
        return {
            reading.query.metric: reading.figures.count
            if reading.kind is Kind.HISTOGRAM
            else reading.figures.value or 0
            for reading in readings
        }

    def close(self) -> None:
        self.stop()
        self.runner.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def event(kind: str, number: int = 0, **more: object) -> Row:
    return {"event_type": kind, "content_id": "c", "creator_id": "k", "session_id": f"s{number}", **more}


def some_events(random_: random.Random, count: int) -> list[Row]:
    """Of every type, some of them bots, some without a figure; watch times of all sizes, zero too."""
    return [
        event(
            random_.choice(sorted(EVENT_TYPES)),
            random_.randrange(40),
            event_id=f"e{random_.random()}",
            user_agent=random_.choice(["Mozilla/5.0", "Googlebot/2.1"]),
            watch_time=random_.choice([None, 0, random_.random(), random_.expovariate(1 / 300)]),
            total_watch_time=random_.choice([None, 3, round(random_.uniform(0, 90), 3), 0.1 + 0.2]),
        )
        for _ in range(count)
    ]


def test_what_was_counted_is_what_is_stored_field_by_field(site: Site) -> None:
    random_ = random.Random(7)
    for _ in range(6):
        events = some_events(random_, 300)
        site.send(*events)
        site.send(*events[:50])  # a client that repeats itself
        site.tick()
        site.pass_(minutes=17, seconds=31)
    site.tick()
    assert site.reconcile() == []
    assert site.values()["events"] == 1800


def test_lost_counts_are_found_and_mended_once(site: Site) -> None:
    site.send(event("view_start", 1), event("like"), event("view_complete", total_watch_time=12.5))
    site.tick()
    site.pass_(minutes=1)
    lost = [event("view_start", 2), event("unlike"), event("view_complete", total_watch_time=40), event("comment")]
    site.send(*lost, is_counted=False)
    false = StoredBucket(Series("w", "shares"), Kind.COUNTER, 60, int(NOON.timestamp()) // 60, {"n": 5})
    site.runner.run(site.counts.realtime.backend.overwrite_bucket(false, NOON))
    site.pass_(minutes=1)
    site.tick()
    site.pass_(minutes=3)
    site.tick()
    found = site.reconcile()
    by_metric = {drift.bucket.series.metric: (drift.before, drift.right, drift.action) for drift in found}
    assert by_metric["views"] == (0, 1, "repaired")
    assert by_metric["likes"] == (0, -1, "repaired")
    assert by_metric["shares"] == (5, 0, "repaired")
    assert site.reconcile() == []
    assert site.values()["views"] == 1  # the process takes corrections up at its next minute
    site.tick()
    expected = {"events": 7, "views": 2, "unique_viewers": 2, "watch_time": 2, "likes": 0, "comments": 1, "shares": 0}
    assert site.values().items() >= expected.items()
    assert site.reconcile() == []
    rows = site.pipeline.engine.session().run("select metric, drift, action from realtime_reconciliations").read_all()
    assert rows.num_rows == len(found)


def test_events_that_wait_are_left_for_the_next_time(site: Site) -> None:
    site.send(event("view_start"))
    site.tick()
    site.pass_(minutes=5)
    site.tick()
    assert site.reconcile(drained=False) == []  # else the view would be taken back
    assert site.values()["views"] == 1
    assert site.reconcile() == []


def test_a_restart_keeps_counts(site: Site) -> None:
    gauge = make_update("w", "load", "gauge", 3.5, NOON, {"host": "a"}, observed_at=NOON, writer="x")
    site.runner.run(site.counts.declare("w", "load", Kind.GAUGE, "jobs", None))
    site.runner.run(site.counts.add([gauge]))
    site.send(*some_events(random.Random(1), 100))
    before = {seconds: site.values(seconds) for seconds in (60, 300, 3600, 48 * 3600)}
    site.stop()
    site.pass_(seconds=1)
    site.start()
    assert {seconds: site.values(seconds) for seconds in before} == before
    assert not site.read("events", 60).degraded
    assert site.read("load").figures.value == 3.5
    site.send(event("view_start", 99))
    assert site.values(300)["views"] == (before[300]["views"] or 0) + 1


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.settings import load_settings
settings = load_settings(data_dir=Path(sys.argv[1]))
ingestion = Ingestion.open(settings, lambda _: os.kill(os.getpid(), signal.SIGKILL))
ingestion.submit_blocking(Handover("w", datetime.fromisoformat(sys.argv[2])), __import__("json").loads(sys.argv[3]))
"""


def test_killed_between_commit_and_count(site: Site) -> None:
    site.send(event("view_start", 1))
    site.pass_(minutes=1)
    site.tick()
    sent = json.dumps([event("view_start", 2, event_id="a"), event("view_start", 3, event_id="b")])
    command = [sys.executable, "-c", KILLED, str(site.home), site.clock.instant.isoformat(), sent]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    site.pass_(minutes=1)
    site.start()  # what the one before had is lost but for its copy
    assert site.send(*json.loads(sent)) == ["duplicate", "duplicate"]  # the client was not answered
    assert (site.values()["views"], site.read("views").degraded) == (1, True)
    site.pass_(minutes=3)
    assert {drift.action for drift in site.reconcile()} == {"repaired"}
    site.tick()
    assert (site.values()["views"], site.read("views").degraded) == (3, False)
    site.pass_(hours=1)
    site.tick()
    site.reconcile()  # the hour is over now
    site.tick()
    assert site.values(48 * 3600)["views"] == 3
    assert site.reconcile() == []


def test_before_counting_began_is_filled_without_alarm(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.clock.instant = NOON - timedelta(hours=3)
    site.send(event("view_start"), is_counted=False)
    site.clock.instant = NOON
    flow = RealtimeFlow(site.pipeline)
    ContentFlow(site.pipeline).drain()
    done = flow.reconcile("run")
    assert {drift.action for drift in done.drifts} == {"filled"}
    assert done.found == []
    site.tick()
    assert site.values()["views"] == 1
    site.close()


def test_who_is_erased_leaves_live_figures_too(site: Site) -> None:
    site.send(event("view_start", 1, user_id="gone"), event("view_start", 2, user_id="stays"))
    site.pass_(minutes=5)
    site.tick()
    assert site.reconcile() == []
    pipeline = site.pipeline
    request_erasure(pipeline.control, pipeline.ring, "w", "gone", now=site.clock.instant)
    run_erasures(pipeline)
    done = RealtimeFlow(pipeline).reconcile("run")
    assert ({drift.action for drift in done.drifts}, done.found) == ({"erased"}, [])
    site.tick()
    assert (site.values()["views"], site.values()["unique_viewers"]) == (1, 1)


def test_redis_that_was_emptied_is_filled_again(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        site = Site(tmp_path / "data", server.url)
        # Redis forgets by its own clock: the test has to live in the present
        site.clock.instant = datetime.now(UTC).replace(second=30, microsecond=0) - timedelta(minutes=20)
        site.runner.run(site.counts.declare("w", "orders", Kind.COUNTER, None, None))
        site.runner.run(site.counts.add([make_update("w", "orders", "counter", 4, site.clock.instant)]))
        site.send(*some_events(random.Random(3), 60))
        before = site.values()
        site.pass_(minutes=1)
        site.tick()
        with Redis.from_url(server.url) as client:
            client.flushall()
        site.send(event("view_start", 77))
        site.pass_(minutes=1)
        site.tick()
        assert site.read("orders").figures.value == 4
        assert site.values()["views"] == (before["views"] or 0) + 1
        site.pass_(minutes=4)
        assert site.reconcile() == []
        with Redis.from_url(server.url) as client:
            client.flushall()
        assert {drift.action for drift in site.reconcile()} <= {"repaired", "filled"}
        assert site.reconcile() == []
        assert site.values()["events"] == (before["events"] or 0) + 1
        site.close()
    finally:
        server.stop()


def test_the_asset_tells_and_is_quiet_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.send(event("view_start"), is_counted=False)
    site.pass_(minutes=30)
    ContentFlow(site.pipeline).drain()
    monkeypatch.setenv("METRICS_DATA_DIR", str(site.home))

    def run() -> dg.ExecuteInProcessResult:
        definitions = build_definitions(site.pipeline, fixed=True)
        return definitions.resolve_job_def(RECONCILE_REALTIME).execute_in_process()

    first = run()
    assert firing_keys(site.pipeline.control, ALERT) == {ALERT}
    second = run()
    assert [_check(first), _check(second)] == [False, True]
    [found] = first.asset_materializations_for_node(REALTIME_KEY.to_python_identifier())
    assert found.metadata["repaired"].value == 3  # events, views, unique viewers
    assert firing_keys(site.pipeline.control, ALERT) == set()


def _check(result: dg.ExecuteInProcessResult) -> bool:
    [evaluation] = result.get_asset_check_evaluations()
    return bool(evaluation.passed)
