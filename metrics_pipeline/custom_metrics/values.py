"""Answers as rows of `custom_metric_values`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.custom_metrics.calculating import Calculated
from metrics_pipeline.lake.custom_metric_tables import CUSTOM_METRIC_VALUES


def value_rows(answers: Iterable[Calculated], now: datetime, run_id: str | None) -> pa.Table:
    """Every answer's cells, each with its period, its definition's version and what it was computed from."""
    schema = CUSTOM_METRIC_VALUES.schema
    return pa.concat_tables([schema.empty_table(), *(_rows(answer, now, run_id) for answer in answers)])


def _rows(answer: Calculated, now: datetime, run_id: str | None) -> pa.Table:
    asked, rows = answer.asked, answer.rows
    periods, version = asked.question.periods, asked.version
    firsts = pa.array([period.first for period in periods], pa.date32())
    ends = pa.array([period.end for period in periods], pa.date32())
    generations = pa.array(answer.period_generations, pa.string())
    constants: dict[str, object] = {
        "grain": asked.question.grain,
        "workspace_id": version.workspace_id,
        "definition_id": version.metric_id,
        "definition_name": version.name,
        "version": version.version,
        "content_hash": version.content_hash,
        "is_current": True,
        "approximate": answer.approximate,
        "computed_at": now,
        "run_id": run_id,
    }
    schema = CUSTOM_METRIC_VALUES.schema
    columns: list[pa.Array[Any] | pa.ChunkedArray[Any]] = []
    for field in schema:
        if field.name == "period_start":
            columns.append(pc.take(firsts, rows["period"].combine_chunks()))
        elif field.name == "period_end":
            columns.append(pc.take(ends, rows["period"].combine_chunks()))
        elif field.name == "generation":
            columns.append(pc.take(generations, rows["period"].combine_chunks()))
        elif field.name in constants:
            columns.append(pa.repeat(pa.scalar(constants[field.name], field.type), rows.num_rows))
        else:
            columns.append(rows[field.name].cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)
