"""Metrics of one's own: defining them, trying them out, and their values. Scopes `read` and `define`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Unpack

from metrics_pipeline.client.answers import CustomValuesAnswer
from metrics_pipeline.client.asking import Asking, json_body
from metrics_pipeline.client.link import Ask, segment
from metrics_pipeline.client.pages import rows_of
from metrics_pipeline.client.reading import Names, PageOptions, SpanOptions
from metrics_pipeline.shapes.definitions import (
    ChangedMetricsAnswer,
    CustomGranularity,
    CustomMetric,
    CustomMetricAnswer,
    CustomMetricsAnswer,
    MetricStatus,
    MetricType,
    TriedMetricsAnswer,
)

_PATH = "/v1/metric-definitions"
Document = Mapping[str, object]


class DefinitionOptions(PageOptions, total=False):
    """Which metrics. owner: user:ID or team:ID. text: somewhere in name, label, description or a tag."""

    owner: str
    tag: str
    type: MetricType
    status: MetricStatus
    text: str


class ValuesOptions(SpanOptions, total=False):
    """What to ask of a metric's values. dimension: one field of its definition or several."""

    granularity: CustomGranularity
    calendar: str
    dimension: Names
    version: int
    workspace_id: str


class Defining(Asking):
    """The part of the client that is about custom metrics."""

    def define(
        self, *definitions: Document, effective_from: date | None = None, note: str | None = None
    ) -> ChangedMetricsAnswer:
        """Make metrics, or change those of these names: all of them or none. What is stored already stays as it is.

        effective_from: the day from which new versions count; without it they count for all periods.

        Raises:
            ApiError: `errors` says of each fault where it is, its code and why; nothing was stored.
        """
        body = _body(definitions)
        query = {"effective_from": effective_from, "note": note}
        return self._ask(ChangedMetricsAnswer, Ask("POST", _PATH, query, body=lambda: body))

    def validate(self, *definitions: Document) -> TriedMetricsAnswer:
        """What definitions would be: how formulas are read, what they cost, their last periods. Nothing is stored.

        Raises:
            ApiError: as for `define`.
        """
        body = _body(definitions)
        return self._ask(TriedMetricsAnswer, Ask("POST", f"{_PATH}:validate", body=lambda: body))

    def definition(
        self, name: str, *, version: int | None = None, workspace_id: str | None = None
    ) -> CustomMetricAnswer:
        """One metric, by name or id, or an earlier version of it."""
        path = f"{_PATH}/{segment(name)}"
        return self._get(CustomMetricAnswer, path, version=version, workspace_id=workspace_id)

    def definitions(self, **options: Unpack[DefinitionOptions]) -> CustomMetricsAnswer:
        """A page of the metrics that the key may see, by name."""
        return self._get(CustomMetricsAnswer, _PATH, **options)

    def iter_definitions(self, **options: Unpack[DefinitionOptions]) -> Iterator[CustomMetric]:
        """Every metric that the key may see."""
        return rows_of(partial(self.definitions, **options))

    def custom_values(self, name: str, **options: Unpack[ValuesOptions]) -> CustomValuesAnswer:
        """The values of a metric, by name or id; the last 30 days by default."""
        return self._get(CustomValuesAnswer, f"{_PATH}/{segment(name)}/values", **options)


def _body(definitions: tuple[Document, ...]) -> bytes:
    if not definitions:
        raise ValueError("Name at least one definition.")
    return json_body({"metrics": list(definitions)})
