"""A small installation with everything in it, made by the pipeline's own steps: every route has something to answer."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from metrics_pipeline.aggregation.build import EntityType
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.control.account_status import disable
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.alerts import Telling
from metrics_pipeline.control.erasures import request_erasure
from metrics_pipeline.control.job_pages import WORKSPACE_TAG
from metrics_pipeline.control.job_runs import FailureAlerts, JobRunRecord, record_run
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.custom_metrics.flow import CustomMetricFlow
from metrics_pipeline.custom_metrics.registry.actors import cli_actor
from metrics_pipeline.events.content_fields import inbox_row, parse_attributes
from metrics_pipeline.events.inbox import open_inbox
from metrics_pipeline.events.ingestion import Ingestion
from metrics_pipeline.events.model import Handover
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings, load_settings
from metrics_pipeline.windows import Window, midnight
from metrics_pipeline_tests.aggregation.readings import Row, World, counter, insight, post, status

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
FIRST = date(2026, 2, 23)
DAYS = 23
WINDOW = Window.of_days(FIRST, NOW.date() + timedelta(days=1))
# Near each other for whatever compares by pattern, by prefix, without case or byte by byte.
WORKSPACES = ("acme", "acm_", "ACME")
ACCOUNTS = {"a": "instagram", "a.1": "x"}
POSTS = ("p1", "p%2F1", "p_1")
LONG = "é" * 200
CONTENT = ("c1", "c.1", "c%2F1", "ц-1", "..c", LONG)
CREATORS = ("anna", "ann_", "anna%2Fb", "ana.ü")
USERS = ("u1", "u_", "u%2F1", "ü.1", LONG)
METRICS = ("views", "watch_per_view", "views_wow")
_SERIES = ("likes", "comments", "shares", "views", "reach")
_LEVELS: tuple[EntityType, ...] = ("post", "account", "content", "creator", "campaign", "workspace")


def settings_of(directory: Path, **more: object) -> Settings:
    """Of an installation that lives at NOW; tables are looked for anew at each request."""
    return load_settings(
        data_dir=directory,
        now=NOW,
        pipeline_start=date(2026, 2, 1),
        collection_start=FIRST,
        api_refresh_seconds=0.0,
        trending_floor=1.0,
        **more,
    )


def fill(settings: Settings) -> None:
    """Register, read, take events in, build: all of it for every workspace, with numbers of its own."""
    pipeline = Pipeline(settings)
    for number, workspace in enumerate(WORKSPACES):
        register(pipeline, workspace, NOW)
        send(pipeline, workspace, random.Random(number))
        define(pipeline, workspace)
    read(pipeline, {workspace: random.Random(number) for number, workspace in enumerate(WORKSPACES)})
    build(pipeline)
    pipeline.control.dispose()


def register(pipeline: Pipeline, workspace: str, now: datetime) -> None:
    control = pipeline.control
    add_workspace(control, workspace, workspace, now=now)
    for account, platform in ACCOUNTS.items():
        add_account(control, pipeline.ring, workspace, platform, f"{workspace}-{account}", account, "token", now=now)
    add_account(control, pipeline.ring, workspace, "x", f"{workspace}-off", "off", "token", now=now)
    disable(control, "off", workspace, now=now)
    request_erasure(control, pipeline.ring, workspace, f"gone-from-{workspace}", now=now)
    for number in range(3):
        run = JobRunRecord(
            f"{workspace}-run-{number}", "collect_x_counters", "s", "COMPLETED", "the command line",
            now - timedelta(hours=number), ended_at=now, rows=number, tags={WORKSPACE_TAG: workspace},
        )  # fmt: skip
        record_run(control, run, FailureAlerts(Telling((), timedelta(days=1)), 1), now=now)


def read(pipeline: Pipeline, of: dict[str, random.Random]) -> None:
    """Series and counters of accounts and posts, as collectors merge them."""
    world = World()
    for workspace, rng in of.items():
        for account, platform in ACCOUNTS.items():
            place = {"workspace": workspace, "account": account, "platform": platform}
            for n in range(DAYS):
                _read_day(world, FIRST + timedelta(days=n), n, rng, place)
            for post_id in POSTS:
                published = midnight(FIRST) + timedelta(hours=5)
                row = post(post_id, published, title=f"{workspace} {post_id}", account=account, platform=platform)
                world.posts.append({**row, "workspace_id": workspace})
    world.write(pipeline.engine)


def _read_day(world: World, day: date, n: int, rng: random.Random, place: dict[str, str]) -> None:
    noon = midnight(day) + timedelta(hours=11)
    world.counters.append(counter("followers", noon, 1000 + 3 * n + rng.randrange(9), kind="gauge", **place))
    for post_id in POSTS:
        for metric, growth in (("views", 50), ("likes", 7)):
            value = n * growth + rng.randrange(growth)
            world.counters.append(counter(metric, noon, value, post_id=post_id, **place))
    for metric in _SERIES:
        if rng.random() < 0.1:
            world.statuses.append(status(metric, day, "failed", reason="timed out", read_at=noon, **place))
            continue
        read_at = min(midnight(day) + timedelta(days=1, hours=3), NOW - timedelta(minutes=5))
        world.insights.append(insight(metric, day, rng.randrange(500), read_at=read_at, **place))
        world.statuses.append(status(metric, day, "value", read_at=read_at, **place))


def send(pipeline: Pipeline, workspace: str, rng: random.Random, count: int = 260) -> None:
    """Attributes of content, and events over the days, most of them of the last hours."""
    rows = []
    for number, content in enumerate(CONTENT):
        given: Row = {"creatorId": CREATORS[number % len(CREATORS)], "contentType": "video", "durationSeconds": 60.0,
                      "caption": f"{workspace} {number}", "publishedAt": "2026-02-25T09:00:00Z"}  # fmt: skip
        rows.append(inbox_row(workspace, content, parse_attributes(content, given), NOW - timedelta(days=2)))
    inbox = open_inbox(pipeline.settings)
    inbox.append(rows)
    inbox.close()
    events = [_event(rng, n, workspace) for n in range(count)]
    for n, view in enumerate(events[: count // 4]):  # many people at once: it trends
        at = NOW - timedelta(minutes=rng.randrange(1, 240))
        events[n] = {**view, "event_type": "view_start", "content_id": CONTENT[0], "creator_id": CREATORS[0],
                     "session_id": f"burst-{n}", "client_ts": at.isoformat()}  # fmt: skip
    with Ingestion.open(pipeline.settings) as ingestion:
        done = ingestion.submit_blocking(Handover(workspace, NOW, take_old=True), events)
    assert {result.status for result in done} == {"accepted"}


def _event(rng: random.Random, n: int, workspace: str) -> Row:
    is_recent = rng.random() < 0.5
    at = NOW - timedelta(minutes=rng.randrange(1, 600) if is_recent else rng.randrange(600, 20 * 1440))
    content = rng.choice(CONTENT[:2] if is_recent else CONTENT)
    kind = rng.choice(
        ("view_start", "view_start", "view_progress", "view_complete", "impression", "like", "share", "comment")
    )
    return {
        "event_type": kind, "content_id": content, "session_id": f"s{rng.randrange(60)}",
        "event_id": f"{workspace}-{n}",
        "creator_id": CREATORS[CONTENT.index(content) % len(CREATORS)], "user_id": rng.choice((*USERS, None)),
        "client_ts": at.isoformat(), "country": rng.choice(("DE", "FR", None)), "watch_time": float(rng.randrange(60)),
        "progress": rng.random(), "source_type": rng.choice(("for_you", "search", None)),
    }  # fmt: skip


def define(pipeline: Pipeline, workspace: str) -> None:
    """Metrics of people's own: the same in every workspace, but for their labels; one that everybody sees."""
    views: Row = {"name": METRICS[0], "type": "simple", "dataset": "events", "agg": "count", "label": workspace,
                  "filter": "event_type = 'view_start'", "dimensions": ["country"]}  # fmt: skip
    watched = {**views, "name": "watched", "agg": "sum", "expr": "watch_time", "visibility": "public"}
    ratio = {"name": METRICS[1], "type": "ratio", "numerator": "watched", "denominator": METRICS[0], "tags": ["demo"]}
    inputs = [{"name": METRICS[0], "alias": "now"}, {"name": METRICS[0], "alias": "past", "offset_window": "1 week"}]
    derived = {"name": METRICS[2], "type": "derived", "expr": "now - past", "input_metrics": inputs}
    flow = CustomMetricFlow(pipeline)
    flow.registry.create_all(cli_actor(workspace), [views, watched, ratio, derived])


def build(pipeline: Pipeline, window: Window = WINDOW) -> None:
    """What the daemon would build."""
    flow = ContentFlow(pipeline)
    flow.drain()
    flow.refresh()
    flow.rebuild_dirty_days()
    flow.refresh()
    for level in _LEVELS:
        pipeline.builder.daily(level, window, NOW)
    pipeline.builder.weekly(window, NOW)
    pipeline.builder.monthly(window, NOW)
    for length in ("daily", "weekly", "monthly"):
        pipeline.builder.snapshots(length, window, NOW)
