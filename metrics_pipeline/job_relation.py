"""The jobs log as a relation beside the lake's tables: its rows are read when a query does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from metrics_pipeline.settings import Settings

if TYPE_CHECKING:
    from metrics_pipeline.control.job_runs import JobRunRecord

_INSTANT = pa.timestamp("us", tz="UTC")
COLUMNS: dict[str, pa.DataType] = {
    "run_id": pa.string(),
    "job": pa.string(),
    "assets": pa.list_(pa.string()),
    "first_partition": pa.string(),
    "last_partition": pa.string(),
    "state": pa.string(),
    "requested_by": pa.string(),
    "requested_at": _INSTANT,
    "started_at": _INSTANT,
    "ended_at": _INSTANT,
    "seconds": pa.float64(),
    "rows": pa.int64(),
    "accounts_ok": pa.int64(),
    "accounts_failed": pa.int64(),
    "accounts_skipped": pa.int64(),
    "error": pa.string(),
}
_SCHEMA = pa.schema([pa.field(name, kind) for name, kind in COLUMNS.items()])


class JobRuns:
    """An Arrow stream as often as it is asked for; the control database is opened by the first row that is read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        reader = pa.RecordBatchReader.from_batches(_SCHEMA, self._batches())
        stream: object = reader.__arrow_c_stream__(requested_schema)  # type: ignore[no-untyped-call]
        return stream

    def _batches(self) -> Iterator[pa.RecordBatch]:
        from metrics_pipeline.control.database import open_control
        from metrics_pipeline.control.job_runs import list_runs

        control = open_control(self._settings)
        try:
            yield _batch(list_runs(control))
        finally:
            control.dispose()


def _batch(runs: list[JobRunRecord]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([getattr(run, name) for run in runs], kind) for name, kind in COLUMNS.items()], schema=_SCHEMA
    )
