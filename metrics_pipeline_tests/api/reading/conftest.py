"""A server over a lake that the tests fill, at a fixed instant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.aggregation.day_rows import Day, table_from
from metrics_pipeline_tests.aggregation.readings import Row, rows_of
from metrics_pipeline_tests.api.conftest import Client

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
TODAY = NOW.date()
FIRST = date(2026, 3, 1)
READ_AT = datetime(2026, 3, 18, 11, tzinfo=UTC)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """At NOW."""
    return settings.model_copy(update={"now": NOW})


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = Lake(settings.lake_location)
    lake.initialise()
    return lake


@pytest.fixture
def server(settings: Settings, lake: Lake) -> Iterator[ApiServer]:
    with ApiServer(settings) as running:
        yield running


@pytest.fixture
def reader(client: Client, key: Callable[..., str]) -> httpx.Client:
    """A client with a key of workspace acme that may read."""
    return client(key("acme", "read"))


def days_of(
    values: Mapping[int, float | None] | Sequence[float],
    *,
    workspace: str = "acme",
    platform: str = "instagram",
    kind: str = "account",
    entity: str = "a",
    metric: str = "views",
    **columns: Any,
) -> list[Day]:
    """A series: a value for each day by its number after FIRST."""
    numbered = values if isinstance(values, Mapping) else dict(enumerate(values))
    account = entity if kind in ("account", "post") else None
    return [
        Day(
            FIRST + timedelta(days=number),
            workspace,
            platform,
            kind,
            entity,
            columns.get("account_id", account),
            metric,
            value,
            state="unknown" if value is None else "zero" if value == 0 else "value",
            last_read_at=READ_AT,
            **{"is_complete": value is not None} | {k: v for k, v in columns.items() if k != "account_id"},
        )
        for number, value in numbered.items()
    ]


def write_days(lake: Lake, days: Sequence[Day]) -> None:
    lake.append("daily_metrics", table_from(days, lake.tables["daily_metrics"].schema))


def write(lake: Lake, table: str, rows: Sequence[Row]) -> None:
    lake.append(table, rows_of(table, rows))


def data_of(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def points_of(answer: httpx.Response, metric: str = "views", platform: str = "instagram") -> dict[str, float | None]:
    [series] = [s for s in data_of(answer)["series"] if (s["metric"], s["platform"]) == (metric, platform)]
    return {point["start"]: point["value"] for point in series["points"]}


def is_close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


def arrow_of(answer: httpx.Response) -> pa.Table:
    from io import BytesIO

    from pyarrow import parquet

    return parquet.read_table(BytesIO(answer.content))
