"""Social platform metrics, collected, rolled up and explained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect"]


def connect(data_dir: str | Path | None = None, as_of: str | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with every table and view attached, as of now or of an instant: `connection.connect`."""
    from metrics_pipeline.connection import connect as open_connection

    return open_connection(data_dir, as_of)
