"""What a metric name in a file means: which metric of the catalogue, in which unit, and of which kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import pyarrow as pa

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.catalog.models import Metric, SourceMetric

KINDS = ("series", "counter", "gauge")
# Where a name stands for several sources and the file gives no kind: a day's own number before a total.
_PREFERENCE = ("series", "gauge", "counter", "unique_counter")

_COLUMNS: dict[str, pa.DataType] = {
    "platform": pa.string(),
    "name": pa.string(),
    "level": pa.string(),
    "given_kind": pa.string(),
    "metric": pa.string(),
    "kind": pa.string(),
    "scale": pa.float64(),
    "breaks": pa.list_(pa.struct([("date", pa.date32()), ("version", pa.int32())])),
    "problem": pa.string(),
}


@dataclass(frozen=True, slots=True)
class NameUse:
    """A metric name as rows of a file use it; given_kind is None where they leave it to the catalogue."""

    platform: str | None
    name: str | None
    level: str
    given_kind: str | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """kind: series, counter, unique_counter or gauge. scale: from the unit of the file to the catalogue's."""

    metric: str
    kind: str
    scale: float
    source: SourceMetric | None


def meaning(catalog: Catalog, use: NameUse) -> Meaning | str:
    """What the name means, or in words why such rows cannot be imported."""
    platform, name = use.platform or "", use.name or ""
    shown = repr(name[:60])
    if use.given_kind is not None and use.given_kind not in KINDS:
        return f"bad kind {use.given_kind[:60]!r}, not one of {', '.join(KINDS)}"
    resolved = catalog.resolve(platform, name, use.level)
    if resolved is None:
        other = "account" if use.level == "post" else "post"
        if catalog.resolve(platform, name, other) is not None:
            return f"metric {shown} exists at {other} level only"
        return f"unknown metric {shown}: neither in the catalogue nor a name of {platform}"
    metric = catalog.metrics[resolved[0]]
    if metric.derived:
        return f"metric {shown} is computed from others and cannot be imported"
    if use.level not in metric.levels:
        return f"metric {shown} does not exist at {use.level} level"
    source = _source(catalog, platform, name, metric, use)
    kind = use.given_kind or (source.kind if source else "series")
    if kind == "gauge" and metric.additivity == "additive":
        return f"bad kind 'gauge': {metric.name} adds up over days, so it is a counter (a total) or a series"
    if kind == "counter" and metric.additivity != "additive":
        # what is no sum has no difference between two days either: its last value is the day's
        kind = "unique_counter" if metric.additivity == "unique" else "gauge"
    scale = source.scale if source is not None and name not in catalog.metrics else 1.0
    return Meaning(metric.name, kind, scale, source)


def _source(catalog: Catalog, platform: str, name: str, metric: Metric, use: NameUse) -> SourceMetric | None:
    """The platform's source behind the name: of the given kind if there is one, by its own name before others."""
    spec = catalog.platforms.get(platform)
    named = [s for s in (spec.select(use.level) if spec else []) if s.metric == metric.name]
    if name not in catalog.metrics:
        named = [s for s in named if s.source == name]
    return min(
        named,
        key=lambda s: (
            use.given_kind is not None and s.kind.removeprefix("unique_") != use.given_kind,
            s.source != name,
            _PREFERENCE.index(s.kind),
        ),
        default=None,
    )


def names_relation(catalog: Catalog, uses: Iterable[NameUse]) -> pa.Table:
    """`names`: the meaning of every name a file uses, or what is wrong with it."""
    return pa.Table.from_pylist([_row(use, meaning(catalog, use)) for use in uses], schema=pa.schema(_COLUMNS))


def _row(use: NameUse, found: Meaning | str) -> dict[str, object]:
    row: dict[str, object] = {
        "platform": use.platform,
        "name": use.name,
        "level": use.level,
        "given_kind": use.given_kind,
    }
    if isinstance(found, str):
        return {**row, "problem": found}
    breaks = found.source.definition_breaks if found.source else []
    return {
        **row,
        "metric": found.metric,
        "kind": found.kind,
        "scale": found.scale,
        "breaks": [{"date": b.date, "version": b.version} for b in breaks],
    }


def uses_of(distinct: pa.Table) -> list[NameUse]:
    """The rows of sql/imports/reading_names.sql."""
    return [NameUse(**cast("dict[str, str]", row)) for row in distinct.to_pylist()]
