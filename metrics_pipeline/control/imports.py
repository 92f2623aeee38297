"""The journal of imported files: what came in, so that the same file changes nothing and one can be undone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Engine, select

from metrics_pipeline.control.database import reading, writing
from metrics_pipeline.control.models import Import
from metrics_pipeline.errors import UserError


@dataclass(frozen=True)
class ImportRecord:
    """One imported file. Rows unchanged were known already; dates are the first and last day, both included."""

    import_id: str
    kind: str
    file_name: str
    sha256: str
    rows_accepted: int
    rows_rejected: int
    rows_unchanged: int
    first_date: date | None
    last_date: date | None
    created_at: datetime
    reverted_at: datetime | None = None
    details: Mapping[str, object] = field(default_factory=dict)


def new_import_id() -> str:
    """An id to write into the imported rows before the import is recorded."""
    return f"imp-{secrets.token_hex(5)}"


def record_import(engine: Engine, record: ImportRecord) -> None:
    """Add a finished import to the journal."""
    with writing(engine) as session:
        session.add(
            Import(
                id=record.import_id,
                kind=record.kind,
                file_name=record.file_name,
                sha256=record.sha256,
                rows_accepted=record.rows_accepted,
                rows_rejected=record.rows_rejected,
                rows_unchanged=record.rows_unchanged,
                first_date=record.first_date,
                last_date=record.last_date,
                created_at=record.created_at,
                reverted_at=record.reverted_at,
                details=dict(record.details),
            )
        )


def list_imports(engine: Engine) -> list[ImportRecord]:
    """All imports, newest first, reverted ones included."""
    with reading(engine) as session:
        rows = session.scalars(select(Import).order_by(Import.created_at.desc(), Import.id))
        return [_record(row) for row in rows]


def get_import(engine: Engine, import_id: str) -> ImportRecord:
    """One import.

    Raises:
        UserError: there is none of this id.
    """
    with reading(engine) as session:
        row = session.get(Import, import_id)
        if row is None:
            raise UserError(_unknown(import_id))
        return _record(row)


def find_by_sha256(engine: Engine, sha256: str, kind: str | None = None) -> ImportRecord | None:
    """The newest import of a file with this content that was not reverted."""
    query = select(Import).where(Import.sha256 == sha256, Import.reverted_at.is_(None))
    if kind is not None:
        query = query.where(Import.kind == kind)
    with reading(engine) as session:
        row = session.scalars(query.order_by(Import.created_at.desc()).limit(1)).first()
        return _record(row) if row is not None else None


def mark_reverted(engine: Engine, import_id: str, *, now: datetime) -> ImportRecord:
    """Note that an import's rows were taken out.

    Raises:
        UserError: there is none of this id, or it was reverted before.
    """
    with writing(engine) as session:
        row = session.get(Import, import_id, with_for_update=True)
        if row is None:
            raise UserError(_unknown(import_id))
        if row.reverted_at is not None:
            raise UserError(f"Import {import_id} was reverted already, on {row.reverted_at:%Y-%m-%d %H:%M} UTC.")
        row.reverted_at = now
        return _record(row)


def _unknown(import_id: str) -> str:
    return f"There is no import {import_id[:80]!r}; see: metrics-pipeline import list"


def _record(row: Import) -> ImportRecord:
    return ImportRecord(
        import_id=row.id,
        kind=row.kind,
        file_name=row.file_name,
        sha256=row.sha256,
        rows_accepted=row.rows_accepted,
        rows_rejected=row.rows_rejected,
        rows_unchanged=row.rows_unchanged,
        first_date=row.first_date,
        last_date=row.last_date,
        created_at=row.created_at,
        reverted_at=row.reverted_at,
        details=row.details,
    )
