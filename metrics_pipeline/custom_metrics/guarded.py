"""The database that statements of users' metrics run in: it can read the files it was given and do nothing else.

The formula language is the first wall, this is the second. It opens no file but those of the tables and days that are
asked for, not even for reading; it writes nothing, loads nothing, and its limits cannot be lifted by a statement.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from metrics_pipeline.custom_metrics.compiler.statement import DAYS, PERIODS, Statement
from metrics_pipeline.errors import RunFailedError
from metrics_pipeline.lake.connect import attach_table, connect_duckdb
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.lake.table_spec import TableSpec

Reads = Mapping[str, tuple[date, date] | None]
# DuckDB's own limit comes first; the timer is for what does not look at it.
_GRACE_SECONDS = 1.0


class OverLimitsError(RunFailedError):
    """A statement needed more time or memory than it may have; nothing was stored."""


class NotComputedError(RunFailedError):
    """The engine refuses a statement, or a value in it."""


class NoQueryError(RunFailedError):
    """Something else than one query was to be run."""


@dataclass(frozen=True, slots=True)
class Limits:
    """memory: as DuckDB writes it, such as 1GB. seconds: for one statement."""

    memory: str
    seconds: float


def partitions_of(spec: TableSpec, days: tuple[date, date] | None) -> Partitions | None:
    """The partitions of those days; None where the table has no days, or all are meant."""
    if days is None or spec.day_column is None or spec.day_column not in spec.partition_by:
        return None
    return Partitions(between=(spec.day_column, *days))


class GuardedLake:
    """Certain tables and days of the lake, closed to everything else. Use it with `with`."""

    def __init__(
        self,
        location: str,
        specs: Mapping[str, TableSpec],
        tables: Mapping[str, DeltaTable],
        reads: Reads,
        limits: Limits,
    ) -> None:
        self._limits = limits
        self._connection = connect_duckdb(spill_directory(location), limits.memory)
        files: list[str] = []
        for name, days in reads.items():
            spec = specs[name]
            if name not in tables:  # a lake that was just begun
                self._connection.register(name, spec.schema.empty_table())
                continue
            only = partitions_of(spec, days)
            wanted = None if only is None else only.predicate(spec)
            files += tables[name].file_uris(file_pruning_predicate=wanted)
            attach_table(self._connection, spec, tables[name], only)
        self._close_to_all_but(files)

    def _close_to_all_but(self, files: list[str]) -> None:
        local = [path for path in files if not urlsplit(path).netloc]
        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in local)
        for setting in (
            f"allowed_paths = [{listed}]",
            "parquet_metadata_cache = true",
            "enable_external_access = false",
            "python_enable_replacements = false",
            "max_temp_directory_size = '0GB'",
            f"max_execution_time = {int(self._limits.seconds * 1000)}",
            "lock_configuration = true",
        ):
            self._connection.execute(f"set {setting}")

    def run(self, statement: Statement) -> pa.Table:
        """The rows of a compiled statement.

        Raises:
            OverLimitsError: it took too long, or too much memory.
            NoQueryError: it is no query.
            NotComputedError: the engine cannot run it.
        """
        self._see_that_it_only_reads(statement.text)
        self._connection.register(PERIODS, statement.periods)
        self._connection.register(DAYS, statement.days)
        with self._timed():
            rows: pa.Table = self._connection.sql(
                statement.text, params=dict(statement.parameters) or None
            ).to_arrow_table()
        return rows

    def _see_that_it_only_reads(self, text: str) -> None:
        """The files that may be read may be written as well, by COPY without a temporary file for one."""
        try:
            kinds = [statement.type for statement in self._connection.extract_statements(text)]
        except duckdb.ParserException:
            kinds = []
        if kinds != [duckdb.StatementType.SELECT]:
            raise NoQueryError("A calculation has to be one query.")

    @contextmanager
    def _timed(self) -> Iterator[None]:
        timer = threading.Timer(self._limits.seconds + _GRACE_SECONDS, self._connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise OverLimitsError(
                f"The calculation took longer than {self._limits.seconds:g} s: ask for fewer periods, or for a "
                "shorter window."
            ) from None
        except duckdb.OutOfMemoryException:
            raise OverLimitsError(
                f"The calculation needs more than {self._limits.memory} of memory: ask for fewer periods or parts."
            ) from None
        # of one metric, not of all: files that cannot be read are another thing
        except (duckdb.DataError, duckdb.NotSupportedError, duckdb.ProgrammingError) as error:
            raise NotComputedError(f"The calculation is not possible ({type(error).__name__}).") from None
        finally:
            timer.cancel()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> GuardedLake:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
