"""Imports a file of readings: check every line, write what is good, note it in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine as ControlEngine
from sqlalchemy.exc import IntegrityError

from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.imports import ImportRecord, find_by_sha256, list_imports, record_import
from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.file_format import FileFormat
from metrics_pipeline.imports.readers import READERS
from metrics_pipeline.imports.reading_rows import READING_COLUMNS, CheckedReadings, check_readings, lake_rows
from metrics_pipeline.imports.reading_store import TouchedDays, store_readings, touched_days
from metrics_pipeline.imports.source_files import Progress, checked_file, file_sha256
from metrics_pipeline.pipeline import Pipeline

KIND = "readings"


@dataclass(frozen=True)
class Checked:
    """A file that was read and checked; nothing is written yet.

    earlier: the import that brought the same content before. unconnected: accounts of the file, as
    (workspace, platform, account), that nobody registered. early_rows: readings of a day that is not over, which
    count from their read_at on.
    """

    path: Path
    sha256: str
    rows: CheckedReadings
    extra_columns: list[str]
    earlier: ImportRecord | None
    unconnected: list[tuple[str, str, str]] = field(default_factory=list)
    early_rows: int = 0


def check_file(
    pipeline: Pipeline,
    path: Path,
    chosen: FileFormat | None = None,
    progress: Progress = lambda _: None,
) -> Checked:
    """Read and check a file.

    Raises:
        UserError: the file as a whole cannot be used.
    """
    file_format = checked_file(path, chosen)
    sha256 = file_sha256(path)
    raw = READERS[file_format](path, READING_COLUMNS, progress)
    if raw.rows.num_rows == 0 and not raw.broken:
        raise UserError(f"{path.name} has no rows.")
    now = pipeline.settings.clock.now()
    rows = check_readings(pipeline.engine, pipeline.catalog, raw, now)
    return Checked(
        path=path,
        sha256=sha256,
        rows=rows,
        extra_columns=raw.extra_columns,
        earlier=find_by_sha256(pipeline.control, sha256, KIND),
        unconnected=_unconnected(pipeline.control, rows.accepted),
        early_rows=rows.accepted.filter(pc.field("read_at") > pa.scalar(now)).num_rows,
    )


def store_checked(pipeline: Pipeline, checked: Checked) -> ImportRecord:
    """Write the good rows of a checked file and record the import.

    The id follows from the content, so an import that was interrupted continues under its own id.

    Raises:
        UserError: another process imports the same file at this moment.
    """
    rows = checked.rows
    import_id = _import_id(pipeline.control, checked.sha256)
    tables = lake_rows(pipeline.engine, rows.accepted, import_id)
    gained = store_readings(pipeline.engine, tables)
    record = ImportRecord(
        import_id=import_id,
        kind=KIND,
        file_name=checked.path.name,
        sha256=checked.sha256,
        rows_accepted=rows.accepted.num_rows + rows.repeated,
        rows_rejected=rows.problems.num_rows,
        rows_unchanged=rows.accepted.num_rows + rows.repeated - gained,
        first_date=pc.min(rows.accepted["date"]).as_py(),
        last_date=pc.max(rows.accepted["date"]).as_py(),
        created_at=pipeline.settings.clock.now(),
        details={"without_value": rows.without_value, "touched": [_noted(days) for days in touched_days(tables)]},
    )
    try:
        record_import(pipeline.control, record)
    except IntegrityError:
        raise UserError(f"{checked.path.name} was imported at this moment by another process.") from None
    return record


def touched_of(record: ImportRecord) -> list[TouchedDays]:
    """The partitions an import wrote, as its record remembers them."""
    noted = record.details.get("touched")
    return [_remembered(entry) for entry in noted] if isinstance(noted, list) else []


def _noted(days: TouchedDays) -> dict[str, str]:
    return {
        "table": days.table,
        "platform": days.platform,
        "first": days.first.isoformat(),
        "last": days.last.isoformat(),
    }


def _remembered(entry: Mapping[str, str]) -> TouchedDays:
    first, last = date.fromisoformat(entry["first"]), date.fromisoformat(entry["last"])
    return TouchedDays(entry["table"], entry["platform"], first, last)


def _import_id(control: ControlEngine, sha256: str) -> str:
    """`imp-` and the start of the content's hash, with a number from the second import of the content on."""
    before = sum(1 for record in list_imports(control) if record.sha256 == sha256)
    return f"imp-{sha256[:10]}" + (f"-{before + 1}" if before else "")


def _unconnected(control: ControlEngine, accepted: pa.Table) -> list[tuple[str, str, str]]:
    key = ["workspace_id", "platform", "account_id"]
    in_file = {tuple(row.values()) for row in accepted.select(key).group_by(key).aggregate([]).to_pylist()}
    connected = {(a.workspace_id, a.platform, a.account_id) for a in list_accounts(control)}
    return sorted((w, p, a) for w, p, a in in_file - connected)
