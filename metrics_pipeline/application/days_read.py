"""Which days of the application's tables were read, and when: no row of a day means nothing without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import pyarrow as pa

from metrics_pipeline.lake.application_tables import APPLICATION_READS
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions


def remember_reads(engine: Engine, table: str, days: Sequence[date], now: datetime) -> None:
    """Note that these days were read whole; days to come were not, and a table that has no days is not noted."""
    rows = [{"table_name": table, "date": day, "last_read_at": now} for day in days if day <= now.date()]
    if rows:
        incoming = pa.Table.from_pylist(rows, schema=APPLICATION_READS.schema)
        engine.merge(APPLICATION_READS.name, "merge/application_reads.sql", incoming, Partitions(), only_changes=True)
