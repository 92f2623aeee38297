"""Checks that tell somebody: missing partitions, tokens that end, broken tables, anomalies."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import pytest
from sqlalchemy import update

from metrics_pipeline.assets.aggregates import DAILY_KEYS, MONTHLY_KEY, WEEKLY_KEY
from metrics_pipeline.assets.anomalies import ANOMALIES_KEY
from metrics_pipeline.assets.collection import platform_asset_key
from metrics_pipeline.assets.reconciliation import RECONCILIATIONS_KEY
from metrics_pipeline.assets.snapshots import SNAPSHOT_KEYS
from metrics_pipeline.automation.alerts import Alerts
from metrics_pipeline.automation.jobs import ANOMALIES, MISSING_PARTITIONS, RECONCILE
from metrics_pipeline.automation.ranges import range_tags
from metrics_pipeline.control.accounts import add_account
from metrics_pipeline.control.alerts import firing_keys
from metrics_pipeline.control.database import writing
from metrics_pipeline.control.models import Credential
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.tables import DAILY_METRICS, WEEKLY_METRICS
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.aggregation.day_rows import Day, table_from
from metrics_pipeline_tests.aggregation.readings import World, insight
from metrics_pipeline_tests.automation.conftest import Load, instant
from metrics_pipeline_tests.automation.receivers import Webhook

NOW = instant("2026-03-18T10:30")
DAILY = (*DAILY_KEYS.values(), ANOMALIES_KEY, RECONCILIATIONS_KEY, SNAPSHOT_KEYS["daily"])
WEEKLY, MONTHLY = (WEEKLY_KEY, SNAPSHOT_KEYS["weekly"]), (MONTHLY_KEY, SNAPSHOT_KEYS["monthly"])
INSIGHTS = platform_asset_key("x", "insights")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    hook = Webhook()
    monkeypatch.setenv("METRICS_ALERT_WEBHOOK_URL", hook.url)
    yield hook
    hook.close()


@pytest.fixture
def pipeline(load: Load, webhook: Webhook) -> Pipeline:
    return load(NOW)


def connect(pipeline: Pipeline) -> None:
    now = pipeline.settings.clock.now()
    add_workspace(pipeline.control, "Acme", "acme", now=now)
    add_account(pipeline.control, pipeline.ring, "acme", "x", "1", "x-1", token="token", now=now)


def built(instance: dg.DagsterInstance, assets: tuple[dg.AssetKey, ...], *keys: str) -> None:
    for asset in assets:
        for key in keys:
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=key))


def days(first: str, last: str) -> list[str]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [f"{start + timedelta(days=n)}" for n in range((end - start).days + 1)]


def look(pipeline: Pipeline, instance: dg.DagsterInstance) -> dict[str, list[str]]:
    """What the hourly job finds missing, by asset, and its alerts delivered."""
    job = build_definitions(pipeline, fixed=True).resolve_job_def(MISSING_PARTITIONS)
    result = job.execute_in_process(instance=instance)
    Alerts.of(pipeline).deliver()
    return {
        e.asset_key.to_user_string(): str(e.metadata["spans"].value).splitlines()
        for e in result.get_asset_check_evaluations()
        if not e.passed
    }


def test_a_partition_that_nobody_built_is_told_until_it_exists(
    pipeline: Pipeline, instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    connect(pipeline)
    lost, others = DAILY_KEYS["account"], tuple(key for key in DAILY if key != DAILY_KEYS["account"])
    built(instance, (*others, INSIGHTS), *days("2026-03-01", "2026-03-17"))
    built(instance, (lost,), *days("2026-03-01", "2026-03-09"), *days("2026-03-12", "2026-03-14"))
    built(instance, (lost,), "2026-03-16", "2026-03-17")
    built(instance, WEEKLY, "2026-03-02", "2026-03-09")
    built(instance, MONTHLY, "2026-02-01")
    expected = {"daily_metrics/account": ["- 2026-03-15", "- 2026-03-10 to 2026-03-11"]}
    assert look(pipeline, instance) == expected
    assert look(pipeline, instance) == expected
    assert len(webhook.received) == 1
    assert (
        "Partitions of daily_metrics/account are missing: 2026-03-15, 2026-03-10 to 2026-03-11" in webhook.received[0]
    )
    built(instance, (DAILY_KEYS["account"],), "2026-03-10", "2026-03-11", "2026-03-15")
    assert look(pipeline, instance) == {}
    assert webhook.received[1:] == ["Recovered: no partition of daily_metrics/account is missing."]


def test_a_period_has_some_hours_before_it_is_missing(load: Load, instance: dg.DagsterInstance) -> None:
    early, late = load(instant("2026-03-18T05:59")), load(instant("2026-03-18T06:00"))
    built(instance, DAILY, *days("2026-03-01", "2026-03-16"))
    assert look(early, instance) == {}
    assert set(look(late, instance)) == {key.to_user_string() for key in DAILY}


def test_nothing_is_expected_before_the_first_day_ever_built(pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
    assert look(pipeline, instance) == {}, "nothing is connected, nothing was built"
    built(instance, (DAILY_KEYS["content"],), "2026-03-16")
    assert look(pipeline, instance) == {"daily_metrics/content": ["- 2026-03-17"]}
    connect(pipeline)
    assert look(pipeline, instance)["platforms/x/insights"] == ["- 2026-03-04 to 2026-03-17"]
    assert look(pipeline, instance)["weekly_metrics"] == ["- 2026-03-02 to 2026-03-09"]
    assert "platforms/youtube/insights" not in look(pipeline, instance)


def run_check(pipeline: Pipeline, instance: dg.DagsterInstance, asset: dg.AssetKey, name: str) -> bool:
    definitions = build_definitions(pipeline, fixed=True)
    check = dg.AssetCheckKey(asset, name)
    job = dg.define_asset_job("one_check", selection=dg.AssetSelection.checks(check))
    resolved = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job])).resolve_job_def("one_check")
    (evaluation,) = resolved.execute_in_process(instance=instance).get_asset_check_evaluations()
    Alerts.of(pipeline).deliver()
    return evaluation.passed


def test_a_token_that_ends_is_told_per_account_until_it_is_renewed(
    pipeline: Pipeline, instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    connect(pipeline)
    add_account(pipeline.control, pipeline.ring, "acme", "x", "2", "x-2", token="token", now=NOW)

    def ends(account: str, at_day: int) -> None:
        with writing(pipeline.control) as session:
            row = update(Credential).where(Credential.account_id == account)
            session.execute(row.values(valid_until=NOW + timedelta(days=at_day)))

    ends("x-1", 30)
    ends("x-2", 3)
    for _ in range(2):
        assert not run_check(pipeline, instance, INSIGHTS, "tokens_last")
    assert len(webhook.received) == 1
    assert "acme/x-2" in webhook.received[0]
    ends("x-1", 5)
    assert not run_check(pipeline, instance, INSIGHTS, "tokens_last")
    assert len(webhook.received) == 2
    assert "acme/x-1" in webhook.received[1]
    ends("x-1", 60)
    ends("x-2", 60)
    assert run_check(pipeline, instance, INSIGHTS, "tokens_last")
    assert firing_keys(pipeline.control, "token:") == set()


def test_a_broken_table_is_told_and_so_is_its_repair(
    pipeline: Pipeline, instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    row = dict.fromkeys(WEEKLY_METRICS.schema.names)
    row |= {"week_start": date(2026, 3, 9), "workspace_id": "acme", "platform": "x", "entity_type": "account"}
    row |= {"entity_id": "x-1", "metric": "views"}
    twice = WEEKLY_METRICS.schema.empty_table().from_pylist([row, row], schema=WEEKLY_METRICS.schema)
    pipeline.lake.append("weekly_metrics", twice)
    assert not run_check(pipeline, instance, WEEKLY_KEY, "keys_unique")
    assert not run_check(pipeline, instance, WEEKLY_KEY, "keys_unique")
    pipeline.lake.delete("weekly_metrics", "true")
    assert run_check(pipeline, instance, WEEKLY_KEY, "keys_unique")
    assert webhook.received == [
        "Check keys_unique of weekly_metrics failed. Rows against it: 1. Expected: No two rows share a key.",
        "Recovered: check keys_unique of weekly_metrics passes.",
    ]


def checked(
    at: Pipeline, instance: dg.DagsterInstance, job: str, keys: tuple[str, str], check: str
) -> dg.AssetCheckEvaluation:
    """What a check says after a run over a range, whose alerts are delivered."""
    definition = build_definitions(at, fixed=True).resolve_job_def(job)
    result = definition.execute_in_process(instance=instance, tags=range_tags(keys))
    Alerts.of(at).deliver()
    return next(e for e in result.get_asset_check_evaluations() if e.asset_check_key.name == check)


def test_numbers_that_drift_apart_are_told_once_and_so_is_that_they_meet_again(
    load: Load, pipeline: Pipeline, instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    day = date(2026, 3, 9)
    World(insights=[insight("views", day, 10.0)]).write(pipeline.engine)
    pipeline.builder.daily("account", Window.of_day(day), NOW)
    pipeline.builder.daily("workspace", Window.of_day(day), NOW)
    pipeline.builder.weekly(Window.of_day(day), NOW)
    with pipeline.engine.session() as session:
        rows = session.run("select * replace (value + 4 as value) from weekly_metrics").read_all()
    week = Partitions(between=("week_start", day, day + timedelta(days=7)))
    pipeline.lake.replace("weekly_metrics", week, lambda _: rows.cast(WEEKLY_METRICS.schema))

    def close(at: Pipeline) -> dg.AssetCheckEvaluation:
        return checked(at, instance, RECONCILE, ("2026-03-01", "2026-03-18"), "reconciled")

    evaluation = close(pipeline)
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
    close(pipeline)
    pipeline.builder.weekly(Window.of_day(day), NOW)
    assert close(pipeline).passed
    assert webhook.received == [
        "2 numbers have drifted apart: week 2026-03-09, days and period: views of acme, instagram, account (all) is 14 "
        "against 10 (28.6 %). week 2026-03-09, days and period: views of acme, instagram, workspace (all) is 14 "
        "against 10 (28.6 %).",
        "Numbers that had drifted apart meet again.",
    ]


def test_anomalies_of_the_last_days_are_told_once_and_older_ones_only_shown(
    load: Load, pipeline: Pipeline, instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    first = NOW.date() - timedelta(days=70)
    rows = [Day(first + timedelta(days=n), "acme", "x", "account", "x-1", "x-1", "views", 300.0) for n in range(70)]
    rows[-1].value = 3.0  # yesterday
    rows[-6].value = 9000.0
    pipeline.lake.append("daily_metrics", table_from(rows, DAILY_METRICS.schema))

    def close(at: Pipeline) -> dg.AssetCheckEvaluation:
        return checked(at, instance, ANOMALIES, ("2026-03-01", "2026-03-17"), "anomalies_found")

    evaluation = close(pipeline)
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.WARN
    assert evaluation.metadata["anomalies"].value == 2
    close(load(NOW + timedelta(days=1)))
    assert webhook.received == [
        "Anomalies on 2026-03-17 (1): acme, x: Views of account x-1 on 2026-03-17 came to 3; "
        "the last 8 Tuesdays had a median of 300 (from 300 to 300)."
    ]
