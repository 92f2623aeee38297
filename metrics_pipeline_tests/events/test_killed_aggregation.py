"""kill -9 at random moments of accepting, draining and aggregating: accepted is stored, and stored is counted, once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.aggregation.content import DAY_TABLES
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.windows import DAY, Window
from metrics_pipeline_tests.events.killed import Journal, drain_on, send, settings_of
from metrics_pipeline_tests.events.killed_aggregation import aggregate_on, flow_of, kind_of, rebuild, watching
from metrics_pipeline_tests.events.samples import NOW, handover, ids
from metrics_pipeline_tests.proofs.sizes import figure, size

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "pandas",
        "pyarrow.dataset",
        "pyarrow.json",
        "pytest",
        "sqlalchemy",
        "metrics_pipeline.control.database",
        "metrics_pipeline.events.sqlite_inbox",
        "metrics_pipeline_tests.events.killed",
        "metrics_pipeline_tests.events.killed_aggregation",
    ]
)
COUNTED = ("content_hourly", *DAY_TABLES, "content_viewers", "content_metrics")
COLUMN_OF = {"view_start": "views", "like": "likes", "unlike": "unlikes", "impression": "impressions"}
PAUSE = 0.25  # seconds between batches of 20: some thousand events over all lives, so that a life is about kills


def test_killed_at_any_moment_accepted_is_counted_once(tmp_path: Path, lake: Lake) -> None:
    directory, kills = str(tmp_path), size(3, 200)
    chance = random.Random(7)
    for life in range(kills):
        ready = [CONTEXT.Event() for _ in range(3)]
        drained, refreshed = CONTEXT.Event(), CONTEXT.Event()
        processes = [
            CONTEXT.Process(target=send, args=(directory, None, life, ready[0], watching, PAUSE), daemon=True),
            CONTEXT.Process(target=drain_on, args=(directory, None, ready[1], drained), daemon=True),
            CONTEXT.Process(target=aggregate_on, args=(directory, ready[2], refreshed), daemon=True),
        ]
        for process in processes:
            process.start()
        for signalled in ready:
            assert signalled.wait(60), f"life {life} did not get going"
        if life % 3 == 0:  # the others die at any step of their first work, or before
            assert refreshed.wait(60), f"life {life} counted nothing: {[process.exitcode for process in processes]}"
        chance.shuffle(processes)
        for process in processes:
            time.sleep(chance.uniform(0, 0.7))
            os.kill(process.pid or 0, signal.SIGKILL)
        for process in processes:
            process.join(30)
            assert process.exitcode == -signal.SIGKILL
    by_the_killed = {name: lake.version(name) for name in ("events", "content_hourly", "content_daily")}
    accepted = _accept_the_rest(directory)
    flow = flow_of(directory)
    flow.drain()
    flow.refresh()
    rebuild(flow)
    flow.refresh()
    assert sorted(ids(lake)) == sorted(accepted)
    assert flow.dirty_days() == []
    assert flow.waiting() == 0
    _compare(flow, _counted_afresh(lake, tmp_path / "afresh"), accepted)
    assert by_the_killed["content_daily"] >= kills / 3
    figure("kills", kills * 3)
    figure("commits by the killed", by_the_killed)
    figure("events accepted, stored and counted", len(accepted))


def _accept_the_rest(directory: str) -> list[str]:
    """Hand in again what was sent and never answered; the ids of everything accepted."""
    sent, answered = set(Journal(directory, "sent").read()), set(Journal(directory, "answered").read())
    assert answered
    with Ingestion.open(settings_of(directory, None)) as ingestion:
        results = ingestion.submit_blocking(handover(), [watching(name) for name in sorted(sent - answered)])
    assert {result.status for result in results} <= {"accepted", "duplicate"}
    return sorted(sent)


def _counted_afresh(lake: Lake, directory: Path) -> ContentFlow:
    """The same raw events in an empty lake, counted in one go."""
    fresh = flow_of(str(directory))
    fresh.pipeline.lake.append("events", lake.table("events").to_pyarrow_table())
    window = Window.of_days(NOW.date() - DAY, NOW.date() + DAY)
    fresh.builder.days_and_hours(window, NOW)
    fresh.state.count_viewers(NOW)
    fresh.state.refresh(NOW)
    return fresh


def _compare(flow: ContentFlow, fresh: ContentFlow, accepted: list[str]) -> None:
    for name in COUNTED:
        assert _rows(flow, name).equals(_rows(fresh, name)), f"{name} differs from a count of the raw events"
        assert _rows(flow, name).num_rows
    kinds = Counter(map(kind_of, accepted))
    for table in ("content_hourly", "content_daily"):
        rows = _rows(flow, table)
        assert {kind: pc.sum(rows[column]).as_py() for kind, column in COLUMN_OF.items()} == {
            kind: kinds[kind] for kind in COLUMN_OF
        }


def _rows(flow: ContentFlow, name: str) -> pa.Table:
    keys = ", ".join(TABLES[name].keys)
    with flow.pipeline.engine.session() as session:
        return session.run(f"select * from {name} order by {keys}").read_all()
