"""Writes a run's rows: each table in one commit, the collection's status last, so it never promises too much."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from metrics_pipeline.collection.account_history import merge_facts
from metrics_pipeline.collection.rows import Batch
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.predicates import Partitions


def merge_days(engine: Engine, table: str, platform: str, rows: pa.Table) -> int:
    """Merge rows into the platform's day partitions they fall in; returns how many rows the table gained."""
    if rows.num_rows == 0:
        return 0
    days: list[date] = [day for day in pc.unique(rows["date"]).to_pylist() if day is not None]
    partitions = Partitions(equals={"platform": platform}, one_of=("date", days))
    return engine.merge(table, f"merge/{table}.sql", rows, partitions)


def store_batch(engine: Engine, platform: str, collection: str, rows: Batch, changes: pa.Table | None = None) -> int:
    """Write everything a run brought, and changes of its accounts' status; returns how many readings are new."""
    if rows.responses.num_rows:
        engine.lake.append("api_responses", rows.responses)
    if rows.posts.num_rows:
        engine.merge("posts", "merge/posts.sql", rows.posts, Partitions(equals={"platform": platform}))
    merge_facts(engine, platform, rows.profiles if changes is None else pa.concat_tables([rows.profiles, changes]))
    table = "counter_readings" if collection == "counters" else "insight_readings"
    gained = merge_days(engine, table, platform, rows.readings)
    merge_days(engine, "collection_status", platform, rows.statuses)
    return gained
