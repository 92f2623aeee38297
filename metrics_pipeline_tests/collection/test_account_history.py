"""Names, types and disconnects are kept; what is removed keeps its numbers, and a purge leaves nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from metrics_pipeline.collection.account_history import purge, record_changes
from metrics_pipeline.collection.request import CollectionRequest
from metrics_pipeline.connection import attach_all
from metrics_pipeline.control.account_status import remove_account
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace, remove_workspace
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.server import PLATFORMS, SandboxServer
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window, midnight

NOW = datetime(2026, 3, 16, 10, 50, tzinfo=UTC)
DAY = timedelta(days=1)
RENAMED = {"name": "new_name", "account_type": "creator"}
# Their names stand in calls of their own, which are not made.
NAMELESS = {"linkedin", "whatsapp"}
TYPED = {"facebook", "pinterest", "x"}

Version = dict[str, object]


@pytest.fixture
def pipeline(tmp_path: Path, sandbox: SandboxServer) -> Pipeline:
    sandbox.faults.clear()
    urls: dict[str, object] = {f"{p}_base_url": sandbox.base_url(p) for p in PLATFORMS}
    # every post at every hour: Threads names a profile in its posts only
    cadence = {"default": "5d:1h"}
    pipeline = Pipeline(load_settings(data_dir=tmp_path, now=NOW - DAY, cadence=cadence, **urls))
    add_workspace(pipeline.control, "W", "w", now=NOW - DAY)
    return pipeline


def connect(pipeline: Pipeline, platform: str, account_id: str = "a", workspace: str = "w") -> str:
    external_id = f"UC{account_id}" if platform == "youtube" else f"47{ord(account_id[0])}"
    token = f"sandbox~{external_id}"
    add_account(pipeline.control, pipeline.ring, workspace, platform, external_id, account_id, token, now=NOW - DAY)
    return external_id


def collect(pipeline: Pipeline, platform: str, now: datetime = NOW) -> None:
    """The counters of the running hour, by a process of its own."""
    later = Pipeline(pipeline.settings.model_copy(update={"now": now}))
    hour = Window(now.replace(minute=0), now.replace(minute=0) + HOUR)
    later.collector(platform).run(CollectionRequest("counters", hour, f"run-{now:%d%H}"))


def rows(pipeline: Pipeline, statement: str) -> list[Version]:
    connection = attach_all(pipeline.lake)
    return connection.sql(statement).to_arrow_table().to_pylist()  # type: ignore[no-any-return]


def history(pipeline: Pipeline, account_id: str = "a") -> list[tuple[object, ...]]:
    versions = rows(pipeline, f"from account_history where account_id = '{account_id}' order by valid_from")
    return [(v["valid_from"], v["valid_to"], v["status"], v["name"], v["account_type"]) for v in versions]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_renamed_account_has_two_versions(pipeline: Pipeline, sandbox: SandboxServer, platform: str) -> None:
    external_id = connect(pipeline, platform)
    collect(pipeline, platform, NOW - HOUR)
    before = history(pipeline)
    sandbox.faults.switch_on(platform, external_id, "renamed", since=NOW - timedelta(minutes=5), **RENAMED)
    collect(pipeline, platform)
    collect(pipeline, platform, NOW + HOUR)
    connected = (NOW - DAY, NOW - HOUR, "connected", None, None)
    if platform in NAMELESS:
        assert history(pipeline) == before == [(NOW - DAY, None, "connected", None, None)]
        return
    old_name = before[1][3]
    assert old_name not in (None, "new_name")
    now = history(pipeline)
    assert now[0] == connected
    assert now[1][:4] == (NOW - HOUR, NOW, "connected", old_name)
    assert now[2][:3] == (NOW, None, "connected")
    assert str(now[2][3]).lower().replace(" ", "_") == "new_name"
    assert (now[2][4] == "creator") == (platform in TYPED)
    assert len(now) == 3
    current = rows(pipeline, "from accounts")
    assert [(a["account_id"], a["external_id"], a["name_since"]) for a in current] == [("a", external_id, NOW)]


def test_a_replay_brings_back_what_was_read(pipeline: Pipeline, sandbox: SandboxServer) -> None:
    external_id = connect(pipeline, "pinterest")
    collect(pipeline, "pinterest", NOW - HOUR)
    sandbox.faults.switch_on("pinterest", external_id, "renamed", since=NOW - timedelta(minutes=5), **RENAMED)
    collect(pipeline, "pinterest")
    before = history(pipeline)
    assert len(before) == 3
    for _again in range(2):
        pipeline.replayer("pinterest").run("counters", Window.of_day(NOW.date()))
        assert history(pipeline) == before
    pipeline.lake.delete("account_history", "workspace_id = 'w'")
    pipeline.replayer("pinterest").run("counters", Window.of_day(NOW.date()))
    record_changes(pipeline.engine, pipeline.control)
    assert history(pipeline) == before


def test_a_disconnect_is_dated_and_a_connection_again_too(pipeline: Pipeline, sandbox: SandboxServer) -> None:
    external_id = connect(pipeline, "x")
    collect(pipeline, "x", NOW - HOUR)
    sandbox.faults.switch_on("x", external_id, "token_expired")
    collect(pipeline, "x")
    statuses = [(version[0], version[2]) for version in history(pipeline)]
    assert statuses == [(NOW - DAY, "connected"), (NOW - HOUR, "connected"), (NOW, "needs_reauth")]
    assert rows(pipeline, "select status, status_since, name is null as nameless from accounts") == [
        {"status": "needs_reauth", "status_since": NOW, "nameless": False}
    ]


def test_several_processes_write_one_history(pipeline: Pipeline) -> None:
    for account_id in ("a", "b"):
        connect(pipeline, "x", account_id)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _n: collect(pipeline, "x"), range(4)))
    assert len(history(pipeline)) == len(history(pipeline, "b")) == 2
    version = pipeline.lake.version("account_history")
    record_changes(pipeline.engine, pipeline.control)
    assert pipeline.lake.version("account_history") == version, "nothing new is no commit"


def with_numbers(pipeline: Pipeline, sandbox: SandboxServer) -> None:
    """Two days of an account whose one post is deleted in between, with days and weeks built."""
    connect(pipeline, "x")
    for hour in (23, 47):
        collect(pipeline, "x", midnight(date(2026, 3, 14)) + hour * HOUR)
    post = rows(pipeline, "select post_id from posts order by published_at desc limit 1")[0]["post_id"]
    sandbox.faults.switch_on("x", "4797", "deleted_post", post_id=post)
    collect(pipeline, "x")
    window = Window.of_days(date(2026, 3, 14), date(2026, 3, 17))
    for level in ("account", "post", "workspace"):
        pipeline.builder.daily(level, window, NOW)
    pipeline.builder.weekly(window, NOW)


NUMBERS = {
    "days": "select * from daily_metrics where entity_type <> 'workspace' and value is not null order by all",
    "weeks": "select * from weekly_metrics where value is not null order by all",
    "posts": "select post_id, deleted_at from posts order by post_id",
    "readings": "select * from counter_readings order by all",
    "view": "from account_daily order by all",
}


@pytest.mark.parametrize("what", ["account", "workspace"])
def test_what_is_removed_keeps_its_numbers_and_is_called_removed(
    pipeline: Pipeline, sandbox: SandboxServer, what: str
) -> None:
    with_numbers(pipeline, sandbox)
    before = {name: rows(pipeline, statement) for name, statement in NUMBERS.items()}
    assert all(before.values())
    deleted = [post for post in before["posts"] if post["deleted_at"] is not None]
    assert [post["deleted_at"] for post in deleted] == [NOW]
    assert [day for day in before["days"] if day["entity_id"] == deleted[0]["post_id"]], "a deleted post keeps its days"
    moment = NOW + HOUR
    if what == "account":
        remove_account(pipeline.control, "a", now=moment)
    else:
        remove_workspace(pipeline.control, "w", now=moment)
    record_changes(pipeline.engine, pipeline.control)
    assert {name: rows(pipeline, statement) for name, statement in NUMBERS.items()} == before
    last = rows(pipeline, "from account_history where is_current")
    assert [(v["status"], v["valid_from"], v["reason"]) for v in last] == [
        ("removed", moment, f"the {what} was removed")
    ]
    assert last[0]["name"] is not None


def test_a_purge_leaves_no_history(pipeline: Pipeline, sandbox: SandboxServer) -> None:
    add_workspace(pipeline.control, "V", "v", now=NOW)
    connect(pipeline, "x", "z", "v")
    with_numbers(pipeline, sandbox)
    remove_workspace(pipeline.control, "w", now=NOW)
    assert purge(pipeline.lake, pipeline.control, "w") > 0
    record_changes(pipeline.engine, pipeline.control)
    assert rows(pipeline, "select distinct workspace_id from account_history") == [{"workspace_id": "v"}]
    assert rows(pipeline, "select 1 from daily_metrics where workspace_id = 'w'") == []
