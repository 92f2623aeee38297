"""A source of every kind that can be had here, a lake beside it, and what it holds after a reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from metrics_pipeline.application.connection import application_engine
from metrics_pipeline.application.extraction import Extracted, Extractor
from metrics_pipeline.application.lake_tables import open_lake
from metrics_pipeline.catalog.application import ApplicationTable, load_application
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.settings import load_settings
from metrics_pipeline.windows import DAY, Window

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@dataclass
class Source:
    """A database that tests write to, and the pipeline's reader of it."""

    url: str
    directory: Path
    tables: Path | None = None
    batch_rows: int = 3

    def __post_init__(self) -> None:
        self._writer = sa.create_engine(self.url.replace("postgresql://", "postgresql+psycopg://"))
        self.settings = load_settings(
            data_dir=self.directory / "data",
            application_database_url=self.url,
            application_tables=self.tables,
            application_batch_rows=self.batch_rows,
        )
        self.lake: Lake = open_lake(self.settings)
        self.engine = Engine(self.lake)

    @property
    def dialect(self) -> str:
        return str(self._writer.dialect.name)

    def execute(self, *statements: str) -> None:
        with self._writer.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def insert(self, table: str, rows: Sequence[dict[str, object]]) -> None:
        with self._writer.begin() as connection:
            for row in rows:
                names = ", ".join(row)
                marks = ", ".join(f":{name}" for name in row)
                connection.execute(sa.text(f"insert into {table} ({names}) values ({marks})"), row)

    def declared(self, name: str) -> ApplicationTable:
        return {table.name: table for table in load_application(self.tables)}[name]

    def read(self, name: str, first: date, end: date | None = None, now: datetime = NOW) -> Extracted:
        """Read the days from `first` up to, not including, `end`; without it the one day."""
        source = application_engine(self.settings)
        window = Window.of_days(first, end or first + DAY)
        return Extractor(source, self.engine, self.batch_rows).extract(self.declared(name), window, now)

    def rows(self, table: str, columns: str = "*") -> list[dict[str, object]]:
        order = ", ".join(self.lake.tables[table].keys)
        with self.engine.session() as session:
            found = session.run(f"select {columns} from {table} order by {order}").read_all()
        return [dict(row) for row in found.to_pylist()]


MakeSource = Callable[..., Source]


@pytest.fixture(params=["sqlite", "postgres"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSource:
    """`source(declaration)`: an empty database of this kind; a declaration is the text of a YAML file."""

    def make(declaration: str | None = None, batch_rows: int = 3) -> Source:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'application.db'}"
            sa.create_engine(url).connect().close()
        else:
            url = request.getfixturevalue("postgres_url")()
        tables = None
        if declaration is not None:
            tables = tmp_path / "tables.yaml"
            tables.write_text(declaration)
        return Source(url, tmp_path, tables, batch_rows)

    return make
