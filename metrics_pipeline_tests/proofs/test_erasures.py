"""After an erasure, killed as often as may be, the lake is as if the person had never come."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Event as Signal
from pathlib import Path

import pytest

from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.erasures import COMPLETED, list_erasures, request_erasure
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.erasing import run_erasures
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.lake import people
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import DAY
from metrics_pipeline_tests.proofs.sizes import figure, size

NOW = datetime(2026, 3, 18, 10, 20, tzinfo=UTC)
KINDS = ("view_start", "view_progress", "view_complete", "impression", "like", "unlike", "share", "save", "follow")
COUNTED = ("content_hourly", "content_daily", "content_audience_daily", "viewer_days", "view_times_daily", "watch_days")
CONTEXT = get_context("forkserver")


def at(directory: Path, now: datetime = NOW) -> Pipeline:
    return Pipeline(load_settings(data_dir=directory, now=now))


def history(chance: random.Random, events: int) -> list[dict[str, object]]:
    """Events of twelve people over five days; some anonymous, in sessions of their own and of others."""
    made: list[dict[str, object]] = []
    for n in range(events):
        person = chance.randrange(12)
        happened = NOW - timedelta(minutes=chance.randrange(5 * 24 * 60))
        made.append(
            {
                "event_id": f"person-{person}-event-{n}",
                "event_type": chance.choice(KINDS),
                "content_id": f"c{chance.randrange(4)}",
                "creator_id": f"k{chance.randrange(2)}",
                "session_id": f"person-{person}-session-{chance.randrange(2)}",
                "user_id": None if chance.random() < 0.2 else f"person-{person}",
                "client_ts": happened.isoformat(),
                "progress": round(chance.random(), 3),
                "country": chance.choice(["DE", "FR"]),
            }
        )
    return made


def fill(directory: Path, events: Sequence[dict[str, object]]) -> None:
    pipeline = at(directory)
    add_workspace(pipeline.control, "W", "w", now=NOW)
    flow = ContentFlow(pipeline)
    with Ingestion.open(pipeline.settings) as ingestion:
        for start in range(0, len(events), 500):
            ingestion.submit_blocking(Handover("w", received_at=NOW), list(events[start : start + 500]))
    flow.drain()
    flow.refresh()
    flow.rebuild_dirty_days()
    flow.refresh()


def counted(directory: Path) -> dict[str, list[tuple[object, ...]]]:
    """Rows of everything that is counted, without the days that hold nothing, in one order."""
    found = {}
    with at(directory).engine.session() as session:
        for table in COUNTED:
            rows = session.run(f"select * from {table} order by all").read_all()
            found[table] = [tuple(row.values()) for row in rows.to_pylist()]
        state = session.run("select * exclude (computed_at) from content_metrics order by all").read_all()
        found["content_metrics"] = [tuple(row.values()) for row in state.to_pylist()]
        return found


def erase_in_a_process(directory: Path, ready: Signal) -> None:
    pipeline = at(directory)
    ready.set()
    run_erasures(pipeline)


@pytest.mark.parametrize("seed", range(size(2, 20)))
def test_an_erased_lake_equals_one_the_person_never_came_to(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    events = history(chance, 400)
    erased = {f"person-{n}" for n in chance.sample(range(12), 3)}
    sessions = {e["session_id"] for e in events if e["user_id"] in erased}
    others = [
        e for e in events if e["user_id"] not in erased and not (e["user_id"] is None and e["session_id"] in sessions)
    ]
    fill(tmp_path / "with", events)
    fill(tmp_path / "without", others)
    assert counted(tmp_path / "with") != counted(tmp_path / "without")
    pipeline = at(tmp_path / "with")
    for user in sorted(erased):
        request_erasure(pipeline.control, pipeline.ring, "w", user, now=NOW)
    run_erasures(pipeline)
    assert counted(tmp_path / "with") == counted(tmp_path / "without")


def test_killed_at_any_moment_it_is_completed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "data"
    CONTEXT.set_forkserver_preload(["metrics_pipeline.erasing", "metrics_pipeline_tests.proofs.test_erasures"])
    chance = random.Random(3)
    fill(directory, history(chance, 2000))
    pipeline = at(directory)
    for n in range(3):
        request_erasure(pipeline.control, pipeline.ring, "w", f"person-{n}", now=NOW)
    kills = size(4, 40)
    for _ in range(kills):
        ready = CONTEXT.Event()
        process = CONTEXT.Process(target=erase_in_a_process, args=(directory, ready), daemon=True)
        process.start()
        assert ready.wait(60)
        time.sleep(chance.random() * 0.8)
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
    monkeypatch.setattr(people, "ORPHAN_HOURS", 0)
    run_erasures(at(directory, NOW + DAY))
    run_erasures(at(directory, NOW + DAY))
    assert {record.state for record in list_erasures(pipeline.control)} == {COMPLETED}
    needles = tuple(f"person-{n}-".encode() for n in range(3))
    spill = spill_directory(pipeline.lake.location)
    files = [file for place in (tmp_path, spill) for file in place.rglob("*") if file.is_file()]
    assert [str(file) for file in files if any(needle in file.read_bytes() for needle in needles)] == []
    fresh = tmp_path / "again"
    with pipeline.engine.session() as session:
        left = session.run("select count(*) as n from events").read_all()["n"][0].as_py()
    figure("erasure killed", f"{kills} times, {left} events of others left")
    others = [e for e in history(random.Random(3), 2000) if not str(e["session_id"]).startswith(PREFIXES)]
    assert left == len(others)
    fill(fresh, others)
    assert counted(directory)["content_daily"] == counted(fresh)["content_daily"]


PREFIXES = ("person-0-", "person-1-", "person-2-")
