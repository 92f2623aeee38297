"""The one DuckDB database that a process answers requests from: guarded, and read-only by what it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
from deltalake.exceptions import DeltaError

from metrics_pipeline.api.lake_tables import LakeTables
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.catalog.loader import catalog
from metrics_pipeline.catalog.relations import catalog_relations
from metrics_pipeline.lake.connect import connect_duckdb
from metrics_pipeline.lake.session import Days, Session
from metrics_pipeline.lake.spill import spill_directory

MEMORY = "1GB"
LONGEST_MILLISECONDS = 20_000


class ReadConnection:
    """Sessions over the newest known versions of tables, one for each question; used from several threads.

    The database opens no file outside the lake, keeps to a limit of memory and time, and writes no temporary files.
    """

    def __init__(self, tables: LakeTables) -> None:
        self.tables = tables
        self._database = connect_duckdb(spill_directory(tables.lake.location), MEMORY)
        self._relations = catalog_relations(catalog())
        self._guard()

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

    @contextmanager
    def session(self, *names: str, days: Mapping[str, Days] | None = None) -> Iterator[Session]:
        """A session that may read these tables, and the relations of the catalogue.

        days: tables of which only some days (first, end) are wanted: no file of others is opened.

        Raises:
            LakeUnavailable: a table is not there or cannot be read.
        """
        try:
            handles = self.tables.tables(*names)
            if missing := [name for name in names if name not in handles]:
                raise LakeUnavailable(f"the table {missing[0]} is not there yet")
            with Session(
                self.tables.lake, self._relations, days, pinned=handles, connection=self._database.cursor()
            ) as session:
                yield session
        except (
            duckdb.IOException,
            duckdb.InterruptException,
            duckdb.OutOfMemoryException,
            DeltaError,
            OSError,
        ) as error:
            raise LakeUnavailable(type(error).__name__) from error
