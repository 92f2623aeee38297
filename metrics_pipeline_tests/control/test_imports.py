"""The journal of imported files."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from metrics_pipeline.control.imports import (
    ImportRecord,
    find_by_sha256,
    get_import,
    list_imports,
    mark_reverted,
    new_import_id,
    record_import,
)
from metrics_pipeline.errors import UserError
from metrics_pipeline_tests.control.conftest import NOW


def record(import_id: str, sha256: str = "a" * 64, kind: str = "readings", hours: int = 0) -> ImportRecord:
    return ImportRecord(
        import_id=import_id,
        kind=kind,
        file_name="march.csv",
        sha256=sha256,
        rows_accepted=3_000_000_000,
        rows_rejected=2,
        rows_unchanged=1,
        first_date=date(2026, 3, 1),
        last_date=None,
        created_at=NOW + timedelta(hours=hours),
        details={"reasons": {"no such metric": 2}},
    )


def test_what_was_recorded_is_read_back(engine: Engine) -> None:
    one, two = record(new_import_id()), record(new_import_id(), hours=1)
    record_import(engine, one)
    record_import(engine, two)
    assert list_imports(engine) == [two, one]
    assert get_import(engine, one.import_id) == one


def test_the_same_content_is_found_until_it_is_reverted(engine: Engine) -> None:
    record_import(engine, record("first"))
    record_import(engine, record("second", hours=1))
    record_import(engine, record("events", kind="events", hours=2))
    found = find_by_sha256(engine, "a" * 64, "readings")
    assert found is not None
    assert found.import_id == "second"

    assert mark_reverted(engine, "second", now=NOW).reverted_at == NOW
    found = find_by_sha256(engine, "a" * 64, "readings")
    assert found is not None
    assert found.import_id == "first"
    assert find_by_sha256(engine, "b" * 64) is None


def test_an_import_is_reverted_once(engine: Engine) -> None:
    record_import(engine, record("first"))
    mark_reverted(engine, "first", now=NOW)
    with pytest.raises(UserError, match="reverted already, on 2026-03-05 12:00 UTC"):
        mark_reverted(engine, "first", now=NOW)
    with pytest.raises(UserError, match="no import 'nope'; see: metrics-pipeline import list"):
        mark_reverted(engine, "nope", now=NOW)
