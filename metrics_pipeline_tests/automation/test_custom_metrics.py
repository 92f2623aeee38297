"""Values of custom metrics follow definitions and rows: the sensor, the assets, what stays and what moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa
import pytest

from metrics_pipeline.assets.collection import OUTCOME_TAG
from metrics_pipeline.automation.ranges import keys_of_tags
from metrics_pipeline.connection import attach_all
from metrics_pipeline.control.workspaces import add_workspace
from metrics_pipeline.custom_metrics.flow import CustomMetricFlow
from metrics_pipeline.custom_metrics.registry.actors import cli_actor
from metrics_pipeline.definitions import build_definitions
from metrics_pipeline.lake.application_tables import APPLICATION_READS, ORDERS
from metrics_pipeline.lake.event_tables import EVENTS
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline_tests.automation.conftest import Load, instant

NOW = instant("2026-03-18T10:20")
DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(17)]
REVENUE = {"name": "revenue", "type": "simple", "dataset": "orders", "agg": "sum", "expr": "amount_cents / 100"}
WINDOW = {"name": "revenue_7d", "type": "cumulative", "input_metric": "revenue", "window": "7 days"}
ORDER_COUNT = {"name": "order_count", "type": "simple", "dataset": "orders", "agg": "count"}
EVENT_COUNT = {"name": "event_count", "type": "simple", "dataset": "events", "agg": "count", "fill_nulls_with": 0}


def put_orders(pipeline: Pipeline, days: list[date], cents: int) -> None:
    """Two orders of that amount on each of these days, which were read whole."""
    rows = [
        {"date": day, "workspace_id": "acme", "id": f"{day}-{n}", "customer_id": f"c{n}", "amount_cents": cents}
        | {"created_at": instant(f"{day}T09:00"), "extracted_at": NOW}
        for day in days
        for n in range(2)
    ]
    reads = [
        {"table_name": "orders", "date": day, "last_read_at": instant(f"{day}T00:00") + timedelta(2)} for day in DAYS
    ]
    lake = pipeline.lake
    lake.replace("app_orders", Partitions(one_of=("date", days)), lambda _: pa.Table.from_pylist(rows, ORDERS.schema))
    lake.replace(
        "application_reads", Partitions(), lambda _: pa.Table.from_pylist(reads, schema=APPLICATION_READS.schema)
    )


class Sensing:
    """The sensor with the cursor it keeps, and the runs it asks for."""

    def __init__(self, pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
        self.pipeline, self.instance = pipeline, instance
        self.flow = CustomMetricFlow(pipeline)
        self.definitions = build_definitions(pipeline, fixed=True)
        self.cursor: str | None = None

    def define(self, *documents: Mapping[str, object]) -> None:
        self.flow.registry.create_all(cli_actor("acme"), list(documents))

    def look(self) -> dict[str, tuple[str, str]]:
        """What is asked for now, and run: job -> first and last partition."""
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            answer = self.definitions.resolve_sensor_def("custom_metrics_changed")(context)
            self.cursor = context.cursor
        if not isinstance(answer, dg.SensorResult):
            return {}
        self.cursor = answer.cursor
        asked: dict[str, tuple[str, str]] = {}
        for request in answer.run_requests or []:
            job = self.definitions.resolve_job_def(str(request.job_name))
            assert job.execute_in_process(
                instance=self.instance, tags=dict(request.tags), run_config=request.run_config
            ).success
            keys = keys_of_tags(request.tags)
            assert keys is not None
            asked[str(request.job_name)] = keys
        return asked

    def values(self, metric: str, grain: str = "day") -> list[tuple[object, ...]]:
        """(first day, version, value, state) of the current rows."""
        query = (
            "select period_start, version, value, state from custom_metric_values "
            f"where definition_name = '{metric}' and grain = '{grain}' and is_current order by 1"
        )
        return attach_all(self.pipeline.lake).sql(query).fetchall()


@pytest.fixture
def sensing(load: Load) -> Iterator[Sensing]:
    pipeline = load(NOW)
    add_workspace(pipeline.control, "Acme", "acme", now=NOW)
    put_orders(pipeline, DAYS, 1000)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Sensing(pipeline, instance)


def test_a_metric_is_computed_over_its_history_once_and_then_follows_its_rows(sensing: Sensing) -> None:
    assert sensing.look() == {}
    sensing.define(REVENUE, WINDOW, ORDER_COUNT)

    first = sensing.look()

    assert first == {
        "custom_metrics_daily": ("2026-03-01", "2026-03-18"),
        "custom_metrics_weekly": ("2026-02-23", "2026-03-16"),
        "custom_metrics_monthly": ("2026-03-01", "2026-03-01"),
    }
    assert sensing.values("revenue")[:2] == [
        (date(2026, 3, 1), 1, 20.0, "value"),
        (date(2026, 3, 2), 1, 20.0, "value"),
    ]
    assert sensing.values("revenue", "month") == [(date(2026, 3, 1), 1, 340.0, "value")]
    assert sensing.look() == {}

    put_orders(sensing.pipeline, [date(2026, 3, 5)], 5000)
    late = sensing.look()

    # a window of seven days reaches seven days on
    assert late["custom_metrics_daily"] == ("2026-03-05", "2026-03-12")
    assert late["custom_metrics_weekly"] == ("2026-03-02", "2026-03-09")
    assert (date(2026, 3, 11), 1, 220.0, "value") in sensing.values("revenue_7d")
    assert (date(2026, 3, 12), 1, 140.0, "value") in sensing.values("revenue_7d")
    assert sensing.look() == {}


def test_a_new_version_is_computed_and_the_values_of_the_old_one_stay(sensing: Sensing) -> None:
    sensing.define(REVENUE, WINDOW)
    sensing.look()

    sensing.define(REVENUE | {"expr": "amount_cents"})
    asked = sensing.look()

    assert asked["custom_metrics_daily"] == ("2026-03-01", "2026-03-18")
    assert {row[1] for row in sensing.values("revenue")} == {2}
    # of the running month the seven days up to today, which has no orders yet
    assert sensing.values("revenue_7d", "month") == [(date(2026, 3, 1), 2, 12000.0, "value")]
    old = "select count(*), sum(value) from custom_metric_values where version = 1 and grain = 'day' and not is_current"
    [(count, total)] = attach_all(sensing.pipeline.lake).sql(old + " and definition_name = 'revenue'").fetchall()
    assert (count, total) == (18, 340.0)


def test_what_was_running_is_computed_again_when_the_day_has_turned(sensing: Sensing, load: Load) -> None:
    sensing.define(ORDER_COUNT)
    sensing.look()

    later = Sensing(load(NOW + timedelta(days=1)), sensing.instance)
    later.cursor = sensing.cursor

    assert later.look()["custom_metrics_daily"] == ("2026-03-18", "2026-03-19")


def test_one_metric_that_fails_is_told_and_holds_up_no_other(sensing: Sensing, monkeypatch: pytest.MonkeyPatch) -> None:
    sensing.define(ORDER_COUNT, REVENUE | {"dimensions": ["customer_id"]})
    monkeypatch.setenv("METRICS_CUSTOM_METRIC_GROUPS", "3")
    narrow = Sensing(Pipeline.from_environment(), sensing.instance)

    narrow.look()

    assert len(narrow.values("order_count")) == 18
    assert narrow.values("revenue") == []
    runs = sensing.instance.get_runs(dg.RunsFilter(job_name="custom_metrics_daily"))
    assert [run.tags.get(OUTCOME_TAG) for run in runs] == ["PARTIAL"]
    checks = narrow.instance.get_records_for_run(runs[0].run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    told = [str(record.event_log_entry.dagster_event) for record in checks.records]
    assert any("acme: revenue version 1" in text and "34 parts" in text for text in told)


def test_values_outlive_the_events_they_were_counted_from(load: Load) -> None:
    """Events of a day expire; its value stays, and is not counted anew from the nothing that is left."""
    early = load(instant("2026-02-03T10:00"), EVENTS_DAYS="30")
    add_workspace(early.control, "Acme", "acme", now=NOW)
    event = {"workspace_id": "acme", "event_id": "e1", "event_type": "like", "session_id": "s", "is_bot": False}
    day = date(2026, 2, 2)
    row = event | {"date": day, "event_ts": instant("2026-02-02T08:00"), "received_at": instant("2026-02-02T08:00")}
    only = Partitions(one_of=("date", [day]))
    early.lake.replace("events", only, lambda _: pa.Table.from_pylist([row], EVENTS.schema))
    with dg.DagsterInstance.ephemeral() as instance:
        first = Sensing(early, instance)
        first.define(EVENT_COUNT)
        first.look()
        before = first.values("event_count")

        late = Sensing(load(NOW), instance)
        late.cursor = first.cursor
        none = EVENTS.schema.empty_table()
        late.pipeline.lake.replace("events", only, lambda _: none)
        late.look()

    assert (day, 1, 1.0, "value") in before
    assert (day, 1, 1.0, "value") in late.values("event_count")
    assert (date(2026, 2, 25), 1, 0.0, "zero") in late.values("event_count")
