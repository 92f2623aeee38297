"""Recorded responses give the same rows again; a corrected parser replaces what a mistaken one read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from metrics_pipeline.collection.request import CollectionKind, CollectionRequest
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.server import PLATFORMS, SandboxServer
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window

NOW = datetime(2026, 3, 16, 10, 50, tzinfo=UTC)
TODAY = Window.of_day(NOW.date())
TABLES_READ = ("counter_readings", "insight_readings", "posts", "collection_status")
WORK: dict[CollectionKind, Window] = {
    "counters": Window(NOW.replace(minute=0) - 2 * HOUR, NOW.replace(minute=0) + HOUR),
    "insights": Window.of_days(date(2026, 3, 8), date(2026, 3, 16)),
}


@pytest.fixture
def pipeline(tmp_path: Path, sandbox: SandboxServer) -> Pipeline:
    sandbox.faults.clear()
    urls: dict[str, object] = {f"{p}_base_url": sandbox.base_url(p) for p in PLATFORMS}
    # TikTok's other API has no series: a turn that asks nothing leaves nothing to replay
    pipeline = Pipeline(load_settings(data_dir=tmp_path, now=NOW, tiktok_api="accounts", **urls))
    add_workspace(pipeline.control, "W", "w", now=NOW)
    return pipeline


def connect(pipeline: Pipeline, platform: str, external_id: str) -> None:
    token = f"sandbox-token~{external_id}"
    add_account(pipeline.control, pipeline.ring, "w", platform, external_id, external_id, token, now=NOW)


def tables(pipeline: Pipeline) -> dict[str, list[dict[str, object]]]:
    with pipeline.engine.session() as session:
        return {name: session.run(f"select * from {name} order by all").read_all().to_pylist() for name in TABLES_READ}


def forget(pipeline: Pipeline) -> None:
    for name in TABLES_READ:
        pipeline.lake.delete(name, "workspace_id = 'w'")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_replay_gives_the_rows_of_the_original_run(pipeline: Pipeline, sandbox: SandboxServer, platform: str) -> None:
    for external_id in ("UCone", "UCtwo") if platform == "youtube" else ("1001", "1002"):
        connect(pipeline, platform, external_id)
    for number, (collection, window) in enumerate(WORK.items()):
        pipeline.collector(platform).run(CollectionRequest(collection, window, f"run-{number}"))
    original = tables(pipeline)
    assert original["collection_status"]
    forget(pipeline)
    asked = sandbox.requests.count()
    for collection in WORK:
        pipeline.replayer(platform).run(collection, TODAY)
    assert tables(pipeline) == original
    for collection in WORK:
        assert pipeline.replayer(platform).run(collection, TODAY).rows_gained == 0
    assert tables(pipeline) == original
    assert sandbox.requests.count() == asked, "a replay asks nobody"


def test_failures_and_retries_are_replayed_as_they_were(pipeline: Pipeline, sandbox: SandboxServer) -> None:
    connect(pipeline, "instagram", "2001")
    connect(pipeline, "instagram", "2002")
    sandbox.faults.switch_on("instagram", "2001", "refused_metric", metric="views")
    sandbox.faults.switch_on("instagram", "2002", "throttled", reset_seconds=7200)
    pipeline.collector("instagram").run(CollectionRequest("insights", WORK["insights"], "run"))
    original = tables(pipeline)
    forget(pipeline)
    pipeline.replayer("instagram").run("insights", TODAY)
    states = {(r["account_id"], r["metric"], r["date"], r["window"]): r["state"] for r in original["collection_status"]}
    again = tables(pipeline)["collection_status"]
    assert {(r["account_id"], r["metric"], r["date"], r["window"]): r["state"] for r in again} == states
    assert tables(pipeline)["insight_readings"] == original["insight_readings"]


def test_what_a_mistaken_parser_read_is_replaced(pipeline: Pipeline) -> None:
    connect(pipeline, "x", "3001")
    pipeline.collector("x").run(CollectionRequest("counters", WORK["counters"], "run"))
    original = tables(pipeline)
    spec = TABLES["counter_readings"]
    wrong = [{**row, "value": -1.0} for row in original["counter_readings"]]
    pipeline.engine.merge(
        "counter_readings",
        "merge/counter_readings.sql",
        pa.Table.from_pylist(wrong, schema=spec.schema),
        _day_of_x(),
    )
    assert tables(pipeline)["counter_readings"] != original["counter_readings"]
    pipeline.replayer("x").run("counters", TODAY)
    assert tables(pipeline)["counter_readings"] == original["counter_readings"]


def _day_of_x() -> Partitions:
    return Partitions(equals={"platform": "x"}, one_of=("date", [NOW.date()]))


def test_a_window_without_responses_replays_nothing(pipeline: Pipeline) -> None:
    earlier = Window(TODAY.start - timedelta(days=9), TODAY.start)
    assert pipeline.replayer("youtube").run("insights", earlier).accounts == []
