"""Messaging metrics as Dagster runs them: the daily close with the state after it, and a backfill of both."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from metrics_pipeline.assets.aggregates import DAILY_KEYS
from metrics_pipeline.assets.messaging import CAMPAIGN_METRICS_KEY, CONTACT_METRICS_KEY
from metrics_pipeline.automation.application import EXTRACT_APPLICATION
from metrics_pipeline.automation.backfill import plan_backfill
from metrics_pipeline.automation.jobs import DAILY_CLOSE
from metrics_pipeline.automation.ranges import range_tags
from metrics_pipeline.connection import attach_all
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.sandbox.application import grow
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.automation.conftest import Load, instant

NOW = instant("2026-03-18T03:00")
ONLY_ORDERS = """
tables:
  orders: {key: id, day: created_at, changes: created_at, columns: {id: string, created_at: timestamp}}
"""


def test_the_daily_close_ends_with_campaigns_and_contacts(load: Load, tmp_path: Path) -> None:
    grow(tmp_path / "application.db", NOW, days=5, seed=7)
    pipeline = load(NOW, APPLICATION_DATABASE_URL=f"sqlite:///{tmp_path / 'application.db'}")
    definitions = build_definitions(pipeline, fixed=True)
    with dg.DagsterInstance.ephemeral() as instance:
        for job in (EXTRACT_APPLICATION, DAILY_CLOSE):
            tags = range_tags(("2026-03-14", "2026-03-18"))
            result = definitions.resolve_job_def(job).execute_in_process(instance=instance, tags=tags)
            assert result.success
            assert [e.asset_key for e in result.get_asset_check_evaluations() if not e.passed] == []
        built = [e.asset_key for e in result.get_asset_materialization_events() if e.asset_key]
    assert built.index(CAMPAIGN_METRICS_KEY) > max(n for n, key in enumerate(built) if key == DAILY_KEYS["campaign"])
    assert built.index(CONTACT_METRICS_KEY) > max(n for n, key in enumerate(built) if key == DAILY_KEYS["workspace"])

    reader = attach_all(pipeline.lake)
    sent = "select sum(value) from daily_metrics where metric = 'messages_sent' and entity_type = 'workspace'"
    wanted = "select count(*) from app_messages where direction = 'outbound' and sent_at is not null"
    assert reader.sql(sent).fetchall() == reader.sql(wanted).fetchall()
    campaigns = "select sum(messages_sent) from campaign_metrics"
    wanted = "select count(*) from app_messages where campaign_id is not null and sent_at is not null"
    assert reader.sql(campaigns).fetchall() == reader.sql(wanted).fetchall()
    days = reader.sql("select bool_and(is_complete) from daily_metrics where date < '2026-03-18' and platform = 'app'")
    assert days.fetchall() == [(True,)]
    columns = "select sum(messages_sent), max(contacts_total) from workspace_daily where date = '2026-03-17'"
    assert None not in reader.sql(columns).fetchall()[0]


def test_a_backfill_builds_states_once_after_their_days(load: Load) -> None:
    names = ["contact_metrics", "daily_metrics/campaign", "campaign_metrics"]
    _, steps = plan_backfill(load(NOW), names, Window.of_days(NOW.date(), NOW.date().replace(day=19)))
    assert [(step.name, step.span) for step in steps] == [
        ("daily_metrics", "2026-03-18"),
        ("campaign_metrics, contact_metrics", "the whole table"),
    ]


def test_without_the_tables_everything_loads_and_builds(load: Load, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(ONLY_ORDERS)
    pipeline = load(NOW, APPLICATION_TABLES=str(tmp_path / "own.yaml"))
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(pipeline, fixed=True).resolve_job_def(DAILY_CLOSE)
        assert job.execute_in_process(instance=instance, tags=range_tags(("2026-03-17", "2026-03-18"))).success
    assert attach_all(pipeline.lake).sql("select count(*) from daily_metrics").fetchall() == [(0,)]
