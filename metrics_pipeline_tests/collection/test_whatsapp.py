"""WhatsApp from its answers to days: what it forgets stays, and a template that goes leaves a tombstone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from metrics_pipeline.aggregation.build import EntityType
from metrics_pipeline.collection.request import CollectionKind, CollectionRequest
from metrics_pipeline.collection.summary import CollectionSummary, Verdict
from metrics_pipeline.connection import connect
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.server import SandboxServer
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import HOUR, Window

WABA = "1020000000000005"
SOON = datetime(2026, 11, 13, 2, 30, tzinfo=UTC)
LATER = SOON + timedelta(days=9)
DAYS = Window.of_days(date(2026, 11, 10), date(2026, 11, 12))
KINDS: tuple[EntityType, ...] = ("post", "account", "workspace")
FIGURES = (
    "select entity_type, entity_id, metric, date, value from daily_metrics "
    "where platform = 'whatsapp' and value is not null and date < '2026-11-12'"
)


def at(instant: datetime, sandbox: SandboxServer, home: Path) -> Pipeline:
    settings = load_settings(data_dir=home, now=instant, whatsapp_base_url=sandbox.base_url("whatsapp"))
    return Pipeline(settings)


def collect(pipeline: Pipeline, collection: CollectionKind, window: Window) -> CollectionSummary:
    return pipeline.collector("whatsapp").run(CollectionRequest(collection, window, f"run-{pipeline.settings.now}"))


def daily(pipeline: Pipeline) -> dict[tuple[object, ...], float]:
    for kind in KINDS:
        pipeline.builder.daily(kind, DAYS, pipeline.settings.clock.now())
    return {row[:4]: row[4] for row in connect(pipeline.settings.data_dir).sql(FIGURES).fetchall()}


def test_reads_outlive_their_expiry_and_templates_their_deletion(sandbox: SandboxServer, tmp_path: Path) -> None:
    early = at(SOON, sandbox, tmp_path)
    add_workspace(early.control, "W", "w", now=SOON)
    add_account(early.control, early.ring, "w", "whatsapp", WABA, "shop", "token", now=SOON)
    hour = Window(SOON.replace(minute=0), SOON.replace(minute=0) + HOUR)
    assert collect(early, "counters", hour).verdict is Verdict.COMPLETED
    assert collect(early, "insights", DAYS).verdict is Verdict.COMPLETED
    before = daily(early)
    reads = {key: value for key, value in before.items() if key[0] == "post" and key[2] == "messages_read"}
    assert len(reads) > 10

    late = at(LATER, sandbox, tmp_path)
    templates = sorted({str(key[1]) for key in reads})
    sandbox.faults.switch_on("whatsapp", WABA, "deleted_post", post_id=templates[-1])
    assert collect(late, "insights", DAYS).verdict is Verdict.COMPLETED
    after = daily(late)
    assert {key: after[key] for key in reads} == reads
    sent = [key for key in before if key[2] == "messages_sent" and key[0] == "account"]
    assert sent
    assert all(after[key] >= before[key] for key in sent)
    assert {key[2] for key in after if key[0] == "account"} >= {"delivery_rate", "message_cost", "button_clicks"}
    assert not [key for key in after if key[0] != "post" and key[2] in ("messages_read", "read_rate")]

    hour = Window(LATER.replace(minute=0), LATER.replace(minute=0) + HOUR)
    assert collect(late, "counters", hour).verdict is Verdict.COMPLETED
    gone = connect(tmp_path).sql("select post_id from posts where deleted_at is not null").fetchall()
    assert (templates[-1],) in gone
    for collection, window in (("insights", DAYS), ("counters", hour)):
        assert late.replayer("whatsapp").run(collection, window).rows_gained == 0  # type: ignore[arg-type]  # literals
