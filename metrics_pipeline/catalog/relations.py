"""The catalogue as relations: what the SQL joins beside the lake."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import pyarrow as pa
from pyarrow.json import ParseOptions, read_json

from metrics_pipeline.catalog.loader import Catalog
from metrics_pipeline.windows import HOUR

_METRICS: dict[str, pa.DataType] = {
    "metric": pa.string(),
    "additivity": pa.string(),
    "across_entities": pa.string(),
    "comparable": pa.bool_(),
    "numerator": pa.string(),
    "denominator": pa.string(),
    "derived": pa.bool_(),
    "levels": pa.list_(pa.string()),
    "snapshot": pa.list_(pa.string()),
}
_SOURCES: dict[str, pa.DataType] = {
    "platform": pa.string(),
    "level": pa.string(),
    "metric": pa.string(),
    "kind": pa.string(),
    "restatement_days": pa.int64(),
    "rule": pa.string(),
    "optional": pa.bool_(),
    "adds_up": pa.bool_(),
}


_CADENCE: dict[str, pa.DataType] = {
    "platform": pa.string(),
    "level": pa.string(),
    "from_hours": pa.int64(),
    "to_hours": pa.int64(),
    "every_hours": pa.int64(),
}


def catalog_relations(catalog: Catalog) -> dict[str, pa.Table]:
    """`metric_catalog` and `source_catalog`: what SQL reads of the catalogue."""
    metrics: list[dict[str, object]] = [
        {
            "metric": m.name,
            "additivity": m.additivity,
            "across_entities": m.across_entities,
            "comparable": m.comparable_across_platforms,
            "numerator": m.numerator,
            "denominator": m.denominator,
            "derived": m.derived,
            "levels": list(m.levels),
            "snapshot": list(m.snapshot),
        }
        for m in catalog.metrics.values()
    ]
    sources: list[dict[str, object]] = [
        {
            "platform": spec.platform,
            "level": s.level,
            "metric": s.metric,
            "kind": s.kind,
            "restatement_days": s.restatement_days,
            "rule": s.rule,
            "optional": s.optional,
            "adds_up": s.adds_up,
        }
        for spec in catalog.platforms.values()
        for s in spec.sources
    ]
    return {
        "metric_catalog": _from_json(metrics, pa.schema(_METRICS)),
        "source_catalog": _from_json(sources, pa.schema(_SOURCES)),
    }


def cadence_relation(catalog: Catalog, settings: Mapping[str, str]) -> dict[str, pa.Table]:
    """`reading_cadence`: the planned hours between two readings, of accounts, and of posts by their age."""
    rows: list[dict[str, object]] = []
    for spec in catalog.platforms.values():
        cadence = spec.cadence_under(settings)
        rows.append(_planned(spec.platform, "account", 0, None, cadence.account_hours))
        youngest = 0
        for stage in cadence.stages:
            oldest = stage.younger_than // HOUR
            # what was read although it is older than planned is judged by the slowest stage
            is_last = stage.younger_than == cadence.max_age
            rows.append(_planned(spec.platform, "post", youngest, None if is_last else oldest, stage.every_hours))
            youngest = oldest
    return {"reading_cadence": _from_json(rows, pa.schema(_CADENCE))}


def _planned(platform: str, level: str, from_hours: int, to_hours: int | None, every_hours: int) -> dict[str, object]:
    return {
        "platform": platform,
        "level": level,
        "from_hours": from_hours,
        "to_hours": to_hours,
        "every_hours": every_hours,
    }


def _from_json(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    """An Arrow table by way of JSON: building arrays from Python lists would import pandas, 0.8 s of every command."""
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    return (
        read_json(io.BytesIO(lines), parse_options=ParseOptions(explicit_schema=schema))
        if rows
        else schema.empty_table()
    )
