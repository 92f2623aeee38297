"""The demo's numbers once more, asked for over HTTP as an application would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from metrics_pipeline.api.server import ApiServer
from metrics_pipeline.client import MetricsClient
from metrics_pipeline.control.api_keys import READ, Rights, create_key, revoke_key
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import DAY

_WEEK = (
    "select week_start, value from weekly_metrics where workspace_id = 'acme' and platform = 'instagram' "
    "and entity_type = 'workspace' and metric = 'followers' order by week_start desc limit 1"
)
_VIEWS = (
    "select min(date), max(date), sum(value) from daily_metrics where workspace_id = 'acme' and platform = 'app' "
    "and entity_type = 'workspace' and metric = 'views'"
)
_ITEM = (
    "select content_id, views from content_metrics where workspace_id = 'acme' order by views desc, content_id limit 1"
)


@dataclass(frozen=True)
class Compared:
    """One number, from the interface and from the tables."""

    request: str
    over_http: float | None
    in_sql: float | None


def read_back(settings: Settings, connection: duckdb.DuckDBPyConnection) -> list[Compared]:
    """Three numbers from a server of our own, beside what SQL says of them.

    Raises:
        RunFailedError: they are not the same.
    """
    with _client(settings) as client:
        found = list(_numbers(client, connection))
    for each in found:
        if each.over_http != each.in_sql:
            raise RunFailedError(f"{each.request} is {each.over_http} over HTTP and {each.in_sql} in SQL.")
    return found


def _numbers(client: MetricsClient, connection: duckdb.DuckDBPyConnection) -> Iterator[Compared]:
    if (week := connection.execute(_WEEK).fetchone()) is not None:
        answer = client.workspace_metrics(
            "acme", metric="followers", platform="instagram", granularity="week", start=week[0], end=week[0] + DAY
        )
        name = f'workspace_metrics("acme", metric="followers", platform="instagram"), week of {week[0]}'
        yield Compared(name, answer.data.series[0].points[0].value, week[1])
    first, last, views = connection.execute(_VIEWS).fetchall()[0]
    if first is not None:
        answer = client.workspace_metrics("acme", metric="views", platform="app", start=first, end=last + DAY)
        total = answer.data.series[0].total
        name = f'workspace_metrics("acme", metric="views", platform="app"), {first} to {last}'
        yield Compared(name, None if total is None else total.value, views)
    if (item := connection.execute(_ITEM).fetchone()) is not None:
        metrics = client.content(item[0]).data.metrics
        yield Compared(f'content("{item[0]}"), views', None if metrics is None else metrics.views, item[1])


@contextmanager
def _client(settings: Settings) -> Iterator[MetricsClient]:
    """A client with a key that ends with it."""
    pipeline, now = Pipeline(settings), settings.clock.now()
    record, key = create_key(pipeline.control, pipeline.ring, Rights("acme", [READ], [], "demo"), now=now)
    try:
        with ApiServer(settings) as server, MetricsClient(server.url, key.reveal()) as client:
            yield client
    finally:
        revoke_key(pipeline.control, record.key_id, now=now)
