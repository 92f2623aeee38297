"""Which days a change of an application's row reaches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metrics_pipeline.aggregation.dirty import dirty_days, versions_now
from metrics_pipeline.lake.application_tables import CONVERSATIONS, MESSAGES
from metrics_pipeline.lake.day_merge import merge_days
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.settings import Settings

NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)
SETTINGS = Settings(now=NOW)


def extract(engine: Engine, spec: TableSpec, day: date, **row: object) -> None:
    rows = pa.Table.from_pylist([{"date": day, "workspace_id": "w", "extracted_at": NOW, **row}], schema=spec.schema)

    def read(file: Path) -> None:
        pq.write_table(rows, file)

    merge_days(engine, spec, [], read)


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def test_a_conversation_that_closes_counts_from_then_on(engine: Engine) -> None:
    opened: dict[str, object] = {"id": "c", "opened_at": at(1, 9)}
    extract(engine, CONVERSATIONS, date(2026, 1, 9), **opened)
    since = versions_now(engine.lake, SETTINGS)
    extract(engine, CONVERSATIONS, date(2026, 1, 9), **opened, closed_at=at(3, 16))
    assert sorted(dirty_days(engine.lake, SETTINGS, since).days) == [date(2026, 3, n) for n in (16, 17, 18)]


def test_a_conversation_that_was_never_there_counts_from_its_opening(engine: Engine) -> None:
    opened: dict[str, object] = {"id": "c", "opened_at": at(1, 9)}
    extract(engine, CONVERSATIONS, date(2026, 1, 9), **opened)
    since = versions_now(engine.lake, SETTINGS)
    extract(engine, CONVERSATIONS, date(2026, 1, 12), **opened | {"id": "d", "opened_at": at(1, 12)})
    assert min(dirty_days(engine.lake, SETTINGS, since).days) == date(2026, 1, 12)


@pytest.mark.parametrize("replies", [7, 3])
def test_a_message_reaches_those_it_may_answer_and_all_days_after(engine: Engine, replies: int) -> None:
    settings = Settings(now=NOW, reply_window_days=replies)
    since = versions_now(engine.lake, settings)
    extract(engine, MESSAGES, date(2026, 3, 12), id="m", sent_at=at(3, 12), direction="inbound")
    found = sorted(dirty_days(engine.lake, settings, since).days)
    assert (found[0], found[-1]) == (date(2026, 3, 12 - replies), date(2026, 3, 18))
