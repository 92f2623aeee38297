"""Extraction as the pipeline runs it: its settings, its lake, its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metrics_pipeline.application.lake_tables import declared_tables
from metrics_pipeline.errors import UserError
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window

if TYPE_CHECKING:
    from metrics_pipeline.application.extraction import Extracted


@dataclass(frozen=True)
class ApplicationFlow:
    """What assets and commands ask of the application database."""

    pipeline: Pipeline

    @property
    def is_connected(self) -> bool:
        """Whether a URL is set; nothing is connected to find out."""
        return self.pipeline.settings.application_database_url is not None

    def extract(self, name: str, window: Window) -> Extracted:
        """Read one declared table.

        Raises:
            UserError: no database is connected, or the table is not as declared.
            RunFailedError: the database does not answer.
        """
        # the drivers are loaded where a database is read, not wherever definitions are
        from metrics_pipeline.application.connection import application_engine
        from metrics_pipeline.application.extraction import Extractor

        settings = self.pipeline.settings
        declared = {table.name: table for table in declared_tables(settings)}
        if name not in declared:
            raise UserError(f"{name} is no declared table any more: reload the code location.")
        source = application_engine(settings)
        try:
            extractor = Extractor(source, self.pipeline.engine, settings.application_batch_rows)
            return extractor.extract(declared[name], window, settings.clock.now())
        finally:
            source.dispose()

    def examine(self) -> tuple[list[str], list[str]]:
        """The declared tables that are there, and a sentence for each that is not or differs; no row is read.

        Raises:
            UserError, RunFailedError: as `extract`.
        """
        from metrics_pipeline.application.connection import application_engine, reading
        from metrics_pipeline.application.source import inspect

        settings = self.pipeline.settings
        source = application_engine(settings)
        found: list[str] = []
        problems: list[str] = []
        with reading(source) as connection:
            for declared in declared_tables(settings):
                try:
                    table = inspect(connection, declared)
                except UserError as error:
                    problems.append(str(error))
                    continue
                found.append(declared.name)
                problems += [f"{declared.name}.{difference}" for difference in table.differences]
        source.dispose()
        return found, problems
