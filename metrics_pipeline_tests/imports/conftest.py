"""A pipeline with an empty lake, and files to import into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from metrics_pipeline.imports.readings import Checked, check_file
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.settings import load_settings

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
HEADER = "workspace_id,platform,account_id,post_id,metric,date,value,kind,read_at,metadata"

Lines = Callable[..., Path]
Check = Callable[[Path], Checked]


@pytest.fixture(scope="session")
def empty_stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with empty tables: copied, because making one takes longer than most tests."""
    directory = tmp_path_factory.mktemp("empty") / "data"
    pipeline = Pipeline(load_settings(data_dir=directory))
    assert pipeline.lake.is_local
    pipeline.control.dispose()
    return directory


@pytest.fixture
def pipeline(empty_stores: Path, tmp_path: Path) -> Pipeline:
    shutil.copytree(empty_stores, tmp_path / "data")
    return Pipeline(load_settings(data_dir=tmp_path / "data", now=NOW))


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """Write a CSV file of the given data lines under the full header, or another one."""

    def write(*data: str, header: str = HEADER, name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *data]) + "\n")
        return path

    return write


@pytest.fixture
def check(pipeline: Pipeline) -> Check:
    return lambda path: check_file(pipeline, path)


def problems(checked: Checked) -> dict[int, str]:
    """Line -> reason."""
    return {row["line"]: row["problem"] for row in checked.rows.problems.to_pylist()}


def stored(pipeline: Pipeline, table: str, columns: Sequence[str] | None = None) -> list[dict[str, object]]:
    """All rows of a lake table in a fixed order."""
    with pipeline.engine.session() as session:
        rows: pa.Table = session.run(f"select * from {table} order by all").read_all()
    return rows.select(list(columns or rows.schema.names)).to_pylist()
