"""One declared table from the application's database into the lake: of a window of days, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from metrics_pipeline.application.connection import reading
from metrics_pipeline.application.days_read import remember_reads
from metrics_pipeline.application.pages import Misfits, PageReader
from metrics_pipeline.application.source import SourceTable, inspect
from metrics_pipeline.catalog.application import ApplicationTable
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.day_merge import merge_days
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.windows import Window


@dataclass
class Extracted:
    """What an extraction did.

    rows: read and placed. changed: every day whose rows differ now; beside: those of them outside the window.
    undated: rows that have no day yet and are left in the database. is_changed: also of a table without days.
    """

    table: str
    rows: int = 0
    changed: tuple[date, ...] = ()
    beside: tuple[date, ...] = ()
    is_changed: bool = False
    undated: int = 0
    misfits: Misfits = field(default_factory=Misfits)
    undeclared: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()

    def line(self) -> str:
        """The extraction's log line."""
        days = (
            f", {len(self.changed)} days changed, {len(self.beside)} of them beside the window" if self.changed else ""
        )
        undated = f", {self.undated} rows have no day yet" if self.undated else ""
        return f"{self.table}: {self.rows} rows read{days}{undated}"


@dataclass(frozen=True)
class Extractor:
    """Reads declared tables. `batch_rows` rows are held at a time."""

    source: sa.Engine
    engine: Engine
    batch_rows: int

    def extract(self, declared: ApplicationTable, window: Window, now: datetime) -> Extracted:
        """Read the rows of the window's days, and those that changed in it, and put each into its own day.

        A snapshot table is read whole. The same again changes nothing; a crash anywhere leaves the table as it was.

        Raises:
            UserError: the table, a column or the key is not as declared.
            RunFailedError: the database does not answer.
        """
        spec = self.engine.lake.tables[declared.lake_name]
        self._check_types(spec)
        part = None if declared.snapshot else window
        done = Extracted(declared.name)

        def read(file: Path) -> None:
            with reading(self.source) as connection:
                table = inspect(connection, declared)
                reader = PageReader(table, spec, part, now)
                _spool(connection, table, reader, part, file, self.batch_rows)
                reader.misfits.add_keyless(_count(connection, table.without_key()), declared.key)
                done.misfits, done.undeclared, done.differences = reader.misfits, table.undeclared, table.differences
                done.undated = _count(connection, table.without_day()) if declared.day else 0

        days = [] if part is None else part.days()
        merged = merge_days(self.engine, spec, days, read)
        done.rows, done.changed, done.is_changed = merged.rows, merged.changed, merged.is_changed
        done.beside = tuple(sorted(set(merged.changed) - set(days)))
        remember_reads(self.engine, declared.name, days, now)
        return done

    def _check_types(self, spec: TableSpec) -> None:
        """A column declared with another type than before cannot be read beside its earlier rows."""
        stored = pa.schema(self.engine.lake.table(spec.name).schema())  # type: ignore[arg-type]  # Arrow's C interface
        for wanted in spec.schema:
            have = stored.field(wanted.name).type
            if have != wanted.type:
                raise UserError(
                    f"{spec.name}.{wanted.name} holds {have} and is declared as {wanted.type} now: declare a new name "
                    "for the column, with source for the old one."
                )


def _spool(
    connection: sa.Connection,
    table: SourceTable,
    reader: PageReader,
    window: Window | None,
    file: Path,
    limit: int,
) -> None:
    """Write every row of the window to a Parquet file, a page at a time."""
    after: Sequence[object] | None = None
    with pq.ParquetWriter(file, reader.schema, compression="zstd", compression_level=1) as writer:
        while True:
            page = connection.execute(table.page(window, after, limit)).fetchall()
            if page:
                writer.write_batch(reader.batch(page))
                after = reader.key_of(page[-1])
            if len(page) < limit:
                return


def _count(connection: sa.Connection, statement: sa.Select[int]) -> int:
    return connection.execute(statement).scalar_one()
