"""The one DuckDB database that a process answers requests from: guarded, and read-only by what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import TypeVar

import duckdb
from deltalake.exceptions import DeltaError

from metrics_pipeline.api.problems import LakeUnavailable, Problem
from metrics_pipeline.api.reading.lake_tables import LakeTables
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.relations import catalog_relations
from metrics_pipeline.connection import AsOf, attach_known
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.connect import connect_duckdb
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Session
from metrics_pipeline.lake.spill import spill_directory
from metrics_pipeline.pipeline_start import pipeline_start
from metrics_pipeline.settings import Settings

MEMORY = "1GB"
LONGEST_MILLISECONDS = 20_000
# Statements of one request run one after the other, of so many requests side by side; the others wait their turn.
SIDE_BY_SIDE = 4
INVALID_AS_OF = (
    "as_of is a day such as 2026-10-01, which stands for its end, or an instant with its offset; it may not lie in the "
    "future or before the pipeline's first day."
)

Result = TypeVar("Result")


class ReadConnection:
    """Sessions over the newest known versions of tables, one for each question; used from several threads.

    The database opens no file outside the lake, keeps to a limit of memory and time, and writes no temporary files.
    """

    def __init__(self, tables: LakeTables) -> None:
        self.tables = tables
        self._database = connect_duckdb(spill_directory(tables.lake.location), MEMORY)
        self._relations = catalog_relations(catalog())
        # threads of their own: who waits for the lake keeps no thread from who does not
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="lake")
        self._guard()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do work that reads the lake, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for the threads. The database goes with the last cursor: closing it under one would be refused."""
        self._threads.shutdown()

    def _guard(self) -> None:
        lake = self.tables.lake
        if lake.is_local:
            self._database.execute(f"set allowed_directories = ['{lake.location.replace(chr(39), chr(39) * 2)}/']")
        for setting in (
            # the footers of files, which never change, are read once
            "parquet_metadata_cache = true",
            "enable_external_access = false",
            "python_enable_replacements = false",
            f"max_execution_time = {LONGEST_MILLISECONDS}",
            "max_temp_directory_size = '0GB'",
            "lock_configuration = true",
        ):
            self._database.execute(f"set {setting}")

    def within(self, days: tuple[date, date], *names: str) -> dict[str, Partitions]:
        """The partitions of the days first <= day < end, of those of these tables that have days."""
        specs = {name: self.tables.lake.tables[name] for name in names}
        return {
            name: Partitions(between=(spec.day_column, *days))
            for name, spec in specs.items()
            if spec.day_column is not None and spec.day_column in spec.partition_by
        }

    @contextmanager
    def session(self, *names: str, only: Mapping[str, Partitions] | None = None) -> Iterator[Session]:
        """A session that may read these tables, and the relations of the catalogue.

        only: the partitions that are wanted of some tables: no file of others is opened. A table that the
        pipeline has not made yet has no rows.

        Raises:
            LakeUnavailable: a table cannot be read.
        """
        with told():
            handles = self.tables.tables(*names)
            with Session(
                self.tables.lake, self._relations, only, pinned=handles, connection=self._database.cursor()
            ) as session:
                if len(handles) < len(set(names)):
                    # a lake that was just begun: statements name tables beside those that were asked for
                    lake = self.tables.lake.tables
                    session.leave_out(*(name for name in lake if self.tables.table(name) is None))
                yield session

    @contextmanager
    def known_session(self, settings: Settings, as_of: AsOf) -> Iterator[Session]:
        """A session in which days, weeks and months are those known at an instant; takes about a second to make.

        Raises:
            Problem: 422, it is no instant that has numbers.
            LakeUnavailable: a table is not there or cannot be read.
        """
        with told():
            try:
                connection = attach_known(self.tables.lake, settings, pipeline_start(settings, fix=False), as_of)
            except UserError:  # its text repeats what was sent
                raise Problem(422, "invalid_as_of", INVALID_AS_OF) from None
            with Session(self.tables.lake, connection=connection, attached=self.tables.lake.tables) as session:
                yield session


@contextmanager
def told() -> Iterator[None]:
    """One error for whatever keeps the lake from being read."""
    try:
        yield
    except (duckdb.IOException, duckdb.InterruptException, duckdb.OutOfMemoryException, DeltaError, OSError) as error:
        raise LakeUnavailable(type(error).__name__) from error
