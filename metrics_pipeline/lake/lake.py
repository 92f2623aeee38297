"""The lake: Delta tables under one location, written partition by partition with optimistic commits.

Every writer opens its target before it reads any input and commits on that same handle: a write by path would
silently accept what another process committed in between. A refused commit reopens and redoes the whole step.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import CommitFailedError, DeltaError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.changes import author
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import TABLES
from metrics_pipeline.settings import Settings

ArrowData = pa.Table | pa.RecordBatchReader
# Rows are sorted, and who looks up one tenant or person opens the row groups that may hold them: of 131,072 rows that
# takes 4 ms a file, of the default million 17 ms.
_WRITER = WriterProperties(compression="ZSTD", max_row_group_size=131_072)


@dataclass(frozen=True)
class Addition:
    """Rows to append, and what the commit says of them."""

    rows: pa.Table
    metadata: Mapping[str, str] = field(default_factory=dict)


def commit_retries() -> Retrying:
    """Five tries, 0.1 to 2 s apart with jitter: two writers of one partition settle well inside that."""
    return Retrying(
        retry=retry_if_exception_type(CommitFailedError),
        stop=stop_after_attempt(5),
        wait=wait_random_exponential(multiplier=0.1, min=0.1, max=2),
        reraise=True,
    )


def replace_partitions(
    target: DeltaTable,
    predicate: str,
    rows: ArrowData,
    metadata: Mapping[str, str] | None = None,
    transaction: Transaction | None = None,
) -> None:
    """Replace what a predicate over partition columns names, in one commit on this handle.

    Raises:
        CommitFailedError: somebody else changed those partitions since the handle was opened, or any under the
            same name of a transaction.
    """
    write_deltalake(
        target,
        rows,
        mode="overwrite",
        predicate=predicate,
        writer_properties=_WRITER,
        commit_properties=CommitProperties(
            custom_metadata={**author(), **(metadata or {})},
            app_transactions=None if transaction is None else [transaction],
        ),
    )


class Lake:
    """All tables of `lake/tables.py`, and declared ones, under one location, a local path or an object-store URL.

    A declared table takes the place of one of the same name. Object stores take their credentials from the
    environment (AWS_*, GOOGLE_*, AZURE_*), as delta-rs reads them.
    """

    def __init__(self, location: str, declared: Iterable[TableSpec] = ()) -> None:
        self.location = location.rstrip("/")
        self.tables: dict[str, TableSpec] = {**TABLES, **{spec.name: spec for spec in declared}}

    @classmethod
    def open(cls, settings: Settings, declared: Iterable[TableSpec] = ()) -> Lake:
        """The configured lake, its tables created where they do not exist yet.

        Raises:
            UserError: the location cannot be written.
        """
        lake = cls(settings.lake_location, declared)
        lake.initialise()
        return lake

    @property
    def is_local(self) -> bool:
        return "://" not in self.location

    def uri(self, name: str) -> str:
        return f"{self.location}/{name}"

    def initialise(self) -> None:
        """Create missing tables and add missing columns; safe when several processes start at once."""
        try:
            with self._creation_lock():
                for spec in self.tables.values():
                    self._initialise_table(spec)
        except (PermissionError, FileExistsError, NotADirectoryError, DeltaError) as error:
            raise UserError(
                f"The lake at {self.location} cannot be written ({error.__class__.__name__}): "
                "check METRICS_DATA_DIR or METRICS_LAKE_URL and its permissions."
            ) from error

    @contextmanager
    def _creation_lock(self) -> Iterator[None]:
        if not self.is_local:  # object stores refuse the second creator of version 0 by themselves
            yield
            return
        directory = Path(self.location)
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / ".lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _initialise_table(self, spec: TableSpec) -> None:
        if not DeltaTable.is_deltatable(self.uri(spec.name)):
            DeltaTable.create(
                self.uri(spec.name),
                schema=spec.schema,
                mode="ignore",
                partition_by=list(spec.partition_by),
                name=spec.name,
                description=spec.description,
                configuration=dict(spec.properties),
            )
            return
        table = self.table(spec.name)
        have = {f.name for f in table.schema().fields}
        missing = [c.name for c in spec.columns if c.name not in have]
        if missing:  # an added column is the one migration a narrow table needs; it reads as null before
            added = DeltaSchema.from_arrow(pa.schema([spec.schema.field(name) for name in missing]))
            table.alter.add_columns(list(added.fields))
        if spec.properties.items() - table.metadata().configuration.items():
            table.alter.set_table_properties(spec.properties)

    def table(self, name: str) -> DeltaTable:
        """A fresh handle on the newest version."""
        return DeltaTable(self.uri(name))

    def exists(self, name: str) -> bool:
        """Whether the table was made; for readers that make none."""
        return bool(DeltaTable.is_deltatable(self.uri(name)))

    def version(self, name: str) -> int:
        return self.table(name).version()

    def file_uris(self, name: str, *, version: int | None = None, at: datetime | None = None) -> list[str]:
        """The Parquet files of a version (default newest), or of the version current at an instant."""
        table = self.table(name) if version is None else DeltaTable(self.uri(name), version=version)
        if at is not None:
            table.load_as_version(at)
        return table.file_uris()

    def rows_per_day(self, name: str, first: date, end: date) -> dict[date, int]:
        """Rows stored for each day in [first, end), from the table's log: no file is opened."""
        added = pa.table(self.table(name).get_add_actions(flatten=True))
        days = added[f"partition.{self.tables[name].day_column}"].to_pylist()
        counts: dict[date, int] = {}
        for day, rows in zip(days, added["num_records"].to_pylist(), strict=True):
            if isinstance(day, date) and first <= day < end:
                counts[day] = counts.get(day, 0) + int(rows or 0)
        return counts

    def replace(
        self,
        name: str,
        partitions: Partitions,
        produce: Callable[[DeltaTable], ArrowData | None],
        metadata: Mapping[str, str] | None = None,
    ) -> int:
        """Replace whole partitions in one commit and return the table version it made.

        `produce` is called with the open target and reads whatever it needs; after a conflict it is called
        again with a newer handle. None from it means that nothing is to be written. Rows outside the partitions are
        refused by Delta.
        """
        spec = self.tables[name]
        predicate = partitions.predicate(spec)
        for attempt in commit_retries():
            with attempt:
                target = self.table(name)
                rows = produce(target)
                if rows is None:
                    return target.version()
                replace_partitions(target, predicate, rows, metadata)
                return target.version()
        raise AssertionError("unreachable: the last attempt raises")

    def append(self, name: str, data: ArrowData) -> None:
        """Append rows; for tables whose rows are unique by construction."""
        write_deltalake(self.table(name), data, mode="append", writer_properties=_WRITER)

    def append_once(self, name: str, data: pa.Table, app_id: str, version: int) -> bool:
        """Append exactly once per (app_id, version); False if that version is in the table already.

        Versions of one app_id strictly increase. The check and the append are on one handle, so a second
        process that tries the same version at the same time is refused and then sees it present.
        """
        for attempt in commit_retries():
            with attempt:
                target = self.table(name)
                done = target.transaction_version(app_id)
                if done is not None and done >= version:
                    return False
                properties = CommitProperties(app_transactions=[Transaction(app_id, version)])
                write_deltalake(target, data, mode="append", writer_properties=_WRITER, commit_properties=properties)
                return True
        raise AssertionError("unreachable: the last attempt raises")

    def append_following(
        self, name: str, app_id: str, version: int, produce: Callable[[DeltaTable, int], Addition | None]
    ) -> int | None:
        """Append what follows the last version of `app_id` in the table; the table version made, None if none was.

        `produce` gets the open target and that last version (-1 for the first time) and reads and filters on this
        handle; after a conflict it is called again with a newer one. So two processes that bring overlapping pieces
        of one numbered stream leave each piece once.
        """
        for attempt in commit_retries():
            with attempt:
                target = self.table(name)
                done = target.transaction_version(app_id)
                done = -1 if done is None else done
                addition = produce(target, done)
                if addition is None or done >= version:
                    return None
                properties = CommitProperties(
                    custom_metadata={**author(), **addition.metadata}, app_transactions=[Transaction(app_id, version)]
                )
                write_deltalake(
                    target, addition.rows, mode="append", writer_properties=_WRITER, commit_properties=properties
                )
                return target.version()
        raise AssertionError("unreachable: the last attempt raises")

    def delete(self, name: str, predicate: str, note: Callable[[DeltaTable], Mapping[str, str]] = lambda _: {}) -> int:
        """Delete rows by any predicate and return how many; other partitions' writers are not disturbed.

        `note` gets the open target and says what the commit is to remember; after a conflict it is asked again.
        """
        for attempt in commit_retries():
            with attempt:
                target = self.table(name)
                properties = CommitProperties(custom_metadata={**author(), **note(target)})
                return int(target.delete(predicate, commit_properties=properties)["num_deleted_rows"])
        raise AssertionError("unreachable: the last attempt raises")
