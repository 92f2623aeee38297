"""Extraction as Dagster runs it: assets, days beside the window, warnings, the schedule, the gap filler, doctor."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from metrics_pipeline.assets.application import application_key
from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline.automation.application import EXTRACT_APPLICATION
from metrics_pipeline.automation.backfill import plan_backfill
from metrics_pipeline.automation.gaps import gap_requests
from metrics_pipeline.automation.jobs import DAYS_TAG
from metrics_pipeline.automation.ranges import keys_of_tags, range_tags
from metrics_pipeline.connection import attach_all
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.doctor import examine
from metrics_pipeline.partitions import partition_sets
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.sandbox.application import grow
from metrics_pipeline.windows import Window
from metrics_pipeline_tests.automation.conftest import Load, instant, tick

NOW = instant("2026-03-18T10:30")
OWN = """
tables:
  orders:
    key: id
    day: created_at
    changes: created_at
    columns: {id: string, customer_id: string, amount_cents: bigint, created_at: timestamp}
  tickets:
    source: Support Tickets
    key: number
    day: opened
    columns: {number: {type: bigint, source: 'No'}, opened: timestamp, urgent: boolean}
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "application.db"
    grow(file, NOW, days=4, seed=7)
    return file


@pytest.fixture
def pipeline(load: Load, database: Path) -> Pipeline:
    return load(NOW, APPLICATION_DATABASE_URL=f"sqlite:///{database}")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(pipeline: Pipeline, instance: dg.DagsterInstance, *keys: str) -> dg.ExecuteInProcessResult:
    job = build_definitions(pipeline, fixed=True).resolve_job_def(EXTRACT_APPLICATION)
    return job.execute_in_process(instance=instance, tags=range_tags(keys), raise_on_error=False)


def figures(result: dg.ExecuteInProcessResult, table: str) -> dict[str, object]:
    events = result.asset_materializations_for_node(f"app__{table}")
    return {name: value.value for name, value in events[-1].metadata.items()}


def test_one_run_reads_every_table_and_names_the_days_it_changed(
    pipeline: Pipeline, instance: dg.DagsterInstance, database: Path
) -> None:
    assert run(pipeline, instance, "2026-03-15", "2026-03-18").success
    with closing(sqlite3.connect(database)) as source:
        wanted = source.execute("select count(*) from messages where coalesce(sent_at, failed_at) is not null")
        assert pipeline.lake.rows_per_day("app_messages", NOW.date().replace(day=1), NOW.date().replace(day=30)).keys()
        reader = attach_all(pipeline.lake)
        assert reader.sql("select count(*) from app_messages").fetchall() == wanted.fetchall()
        assert reader.sql("select count(*) from app_licences").fetchall() == [(150,)]
        at = "2026-03-18 09:00:00"
        source.execute(
            "update messages set read_at = ?, status = 'read' where id = (select id from messages where sent_at < "
            "'2026-03-16' and direction = 'outbound' and read_at is null limit 1)",
            (at,),
        )
        source.commit()

    again = run(pipeline, instance, "2026-03-18")

    assert again.success
    found = figures(again, "messages")
    assert found["days_changed"] == found["days_beside_the_window"] == "2026-03-15"
    tags = instance.get_run_by_id(again.run_id)
    assert tags is not None
    assert tags.tags[DAYS_TAG] == "2026-03-15/2026-03-15"
    assert OUTCOME_TAG not in tags.tags
    newest = instance.get_latest_materialization_event(application_key("messages"))
    assert newest is not None
    assert newest.asset_materialization is not None
    beside = instance.fetch_materializations(
        dg.AssetRecordsFilter(application_key("messages"), asset_partitions=["2026-03-15"]), limit=1
    )
    assert beside.records[0].run_id == again.run_id, "the lineage of the day leads to the run that changed it"


def test_a_value_that_does_not_fit_is_a_warning_and_a_missing_column_a_failure_of_its_table(
    pipeline: Pipeline, instance: dg.DagsterInstance, database: Path
) -> None:
    with closing(sqlite3.connect(database)) as source:
        source.execute("update orders set amount_cents = 'secret' where id = (select min(id) from orders)")
        source.execute("alter table contacts rename column blocked_at to barred_at")
        source.execute("alter table orders add column coupon text")
        source.commit()

    result = run(pipeline, instance, "2026-03-15", "2026-03-18")

    assert not result.success
    assert [e.step_key for e in result.all_events if e.is_step_failure] == ["app__contacts"]
    assert figures(result, "orders")["rows_left_out"] == 1
    assert figures(result, "orders")["undeclared_columns"] == "coupon"
    record = instance.get_run_by_id(result.run_id)
    assert record is not None
    assert record.tags[OUTCOME_TAG] == "PARTIAL"
    checks = {e.asset_key.path[-1]: e.passed for e in result.get_asset_check_evaluations()}
    assert checks == {
        "messages": True,
        "campaigns": True,
        "conversations": True,
        "licences": True,
        "assets": True,
        "orders": False,
    }
    findings = {finding.subject: finding for finding in examine(pipeline)}
    assert "contacts has no column blocked_at" in findings["application database"].text
    assert findings["application database"].verdict == "warning"


def test_a_table_of_ones_own_appears_and_the_known_ones_stay(
    load: Load, instance: dg.DagsterInstance, database: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    with closing(sqlite3.connect(database)) as source:
        source.execute('create table "Support Tickets" ("No" integer primary key, opened timestamp, urgent integer)')
        source.execute("insert into \"Support Tickets\" values (1, '2026-03-17 08:00:00', 1)")
        source.commit()
    pipeline = load(
        NOW, APPLICATION_DATABASE_URL=f"sqlite:///{database}", APPLICATION_TABLES=str(tmp_path / "own.yaml")
    )

    backfiller, steps = plan_backfill(pipeline, ["app"], Window.of_day(instant("2026-03-17").date()))

    assert [step.assets for step in steps] == [(application_key("orders"), application_key("tickets"))]
    for step in steps:
        backfiller.run(step)
    reader = attach_all(pipeline.lake)
    assert reader.sql("select date, number, urgent, workspace_id from app_tickets").fetchall() == [
        (instant("2026-03-17").date(), 1, True, None)
    ]
    assert reader.sql("select count(*) from app_messages").fetchall() == [(0,)]


def test_the_snapshot_is_a_step_of_its_own(pipeline: Pipeline) -> None:
    _, steps = plan_backfill(pipeline, ["app"], Window.of_day(instant("2026-03-17").date()))
    assert [(len(step.assets), step.span) for step in steps] == [(1, "the whole table"), (6, "2026-03-17")]


def test_every_night_before_the_close_and_only_with_a_database(load: Load, database: Path) -> None:
    at = instant("2026-03-18T02:40")
    idle = tick(load(at), "application_daily", at)
    assert isinstance(idle, dg.SkipReason)
    assert "METRICS_APPLICATION_DATABASE_URL" in str(idle.skip_message)

    asked = tick(load(at, APPLICATION_DATABASE_URL=f"sqlite:///{database}"), "application_daily", at)
    assert isinstance(asked, dg.RunRequest)
    assert keys_of_tags(asked.tags) == ("2026-03-15", "2026-03-18")


def test_days_that_were_never_read_are_asked_for_by_the_gap_filler(
    pipeline: Pipeline, instance: dg.DagsterInstance
) -> None:
    found = gap_requests(pipeline, instance, partition_sets(pipeline.settings), NOW)
    assert [(r.job_name, keys_of_tags(r.tags)) for r in found] == [(EXTRACT_APPLICATION, ("2026-03-04", "2026-03-17"))]


def test_doctor_names_the_tables_and_never_the_password(load: Load, database: Path) -> None:
    def finding(pipeline: Pipeline) -> tuple[str, str]:
        found = next(f for f in examine(pipeline) if f.subject == "application database")
        return found.verdict, found.text

    assert finding(load(NOW))[0] == "ok"
    verdict, text = finding(load(NOW, APPLICATION_DATABASE_URL=f"sqlite:///{database}"))
    assert (verdict, text.startswith("messages, campaigns")) == ("ok", True)
    verdict, text = finding(load(NOW, APPLICATION_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/d"))
    assert verdict == "failed"
    assert "hunter2" not in text


def test_a_table_without_partitions_counts_as_built_only_after_a_run(pipeline: Pipeline) -> None:
    backfiller, steps = plan_backfill(pipeline, ["app/licences"], Window.of_day(NOW.date()))

    before = [backfiller.is_materialized(step) for step in steps]
    for step in steps:
        backfiller.run(step)

    assert before == [False]
    assert [backfiller.is_materialized(step) for step in steps] == [True]
    assert attach_all(pipeline.lake).sql("select count(*) from app_licences").fetchall() == [(150,)]
