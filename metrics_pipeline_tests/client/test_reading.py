"""Reading through the client: the server's real answers, in the types that the client promises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from metrics_pipeline.api.reading.content_items import row_model
from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.client import ContentAttributes, EventBuffer, MetricsClient, NotFound
from metrics_pipeline.client.answers import ContentState
from metrics_pipeline.content_flow import ContentFlow
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.reading import conftest as reading
from metrics_pipeline_tests.api.reading.conftest import days_of, write_days

lake, server = reading.lake, reading.server
NOW = reading.NOW


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """At a fixed instant, which tables are looked for anew at each request."""
    return settings.model_copy(update={"now": NOW, "api_refresh_seconds": 0.0})


@pytest.fixture
def client(server: ApiServer, key: Callable[..., str]) -> Iterator[MetricsClient]:
    with MetricsClient(server.url, key("acme", "read", "ingest"), now=lambda: NOW) as opened:
        yield opened


def test_series_are_typed_and_make_a_frame(lake: Lake, client: MetricsClient) -> None:
    write_days(lake, days_of({0: 1.0, 1: 2.0, 2: None}) + days_of([5, 6, 7], metric="likes"))
    answer = client.account_metrics("a", metric=["views", "likes"], start=date(2026, 3, 1), end=date(2026, 3, 4))
    views = next(series for series in answer.data.series if series.metric == "views")
    assert [(point.start, point.value) for point in views.points] == [
        (date(2026, 3, 1), 1.0),
        (date(2026, 3, 2), 2.0),
        (date(2026, 3, 3), None),
    ]
    assert answer.meta.data_through == reading.READ_AT
    frame = answer.to_frame()
    assert frame.groupby("metric")["value"].sum().to_dict() == {"likes": 18.0, "views": 3.0}
    assert frame["start"].dtype == pd.DatetimeTZDtype("us", UTC) or frame["start"].dt.tz is not None
    assert "total" not in frame
    nothing = answer.model_copy(update={"data": answer.data.model_copy(update={"series": []})})
    assert list(nothing.to_frame()) == ["metric", "platform", "account_id", "start", "value"]


def test_an_unchanged_answer_is_not_sent_again(lake: Lake, client: MetricsClient) -> None:
    write_days(lake, days_of([1, 2, 3]))

    def read() -> float | None:
        return (
            client.account_metrics("a", metric="views", start="2026-03-02", end="2026-03-03")
            .data.series[0]
            .points[0]
            .value
        )

    assert [read(), read()] == [2.0, 2.0]
    write_days(lake, days_of({1: 4.0}))
    assert read() != 2.0


def test_what_was_sent_is_read_page_by_page(client: MetricsClient, settings: Settings) -> None:
    for number in range(5):
        client.put_content(
            f"c{number}", ContentAttributes(creator_id="anna", published_at=datetime(2026, 3, 17, tzinfo=UTC))
        )
    with EventBuffer(client, flush_every=None) as buffer:
        for number in range(5):
            buffer.track("view_start", f"c{number}", "s1", user_id="ben")
        assert buffer.flush()
    flow = ContentFlow(Pipeline(settings))
    flow.drain()
    flow.refresh()
    assert len(client.creator_content("anna", limit=2).data) == 2
    every = [f"c{number}" for number in range(5)]
    assert sorted(item.content_id for item in client.iter_creator_content("anna", limit=2)) == every
    found = client.content("c1").data
    assert found.metrics is not None
    assert (found.metrics.views, found.metrics.first_date) == (1, NOW.date())
    assert found.attributes is not None
    assert found.attributes.published_at == datetime(2026, 3, 17, tzinfo=UTC)
    hours = client.content_metrics("c1", metric="views", granularity="hour", start=NOW.date())
    assert {type(point.start) for series in hours.data.series for point in series.points} == {datetime}
    with pytest.raises(NotFound):
        client.content("c9")


def test_a_change_is_told_as_it_happens(lake: Lake, client: MetricsClient) -> None:
    write_days(lake, days_of([1, 2]))
    stream = client.live()
    assert next(stream).type == "snapshot"
    write_days(lake, days_of({2: 3.0}))
    told = next(event for event in stream if event.type == "metrics.updated")
    assert told.message["channel"] == "workspace:acme"


def test_shapes_of_content_are_those_of_the_tables() -> None:
    key = ("workspace_id", "content_id")
    attributes = {column.name for column in TABLES["content"].columns} - set(key)
    assert set(ContentAttributes.model_fields) == attributes
    row = row_model("ContentState", "content_metrics", key).model_fields
    for name, field in ContentState.model_fields.items():
        assert field.annotation == row[name].annotation, name


def test_the_client_loads_nothing_of_the_pipeline() -> None:
    code = "import sys, metrics_pipeline.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"dagster", "duckdb", "fastapi", "numpy", "pandas", "pyarrow", "sqlalchemy", "starlette"}
    assert heavy.isdisjoint(loaded)
    ours = {name.split(".")[1] for name in loaded if name.startswith("metrics_pipeline.")}
    assert ours == {"client", "shapes", "sqlite_wal"}
