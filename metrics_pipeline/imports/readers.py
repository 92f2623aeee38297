"""Which reader reads which format: every one gives the file as text columns with line numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from metrics_pipeline.imports.csv_rows import read_csv
from metrics_pipeline.imports.file_format import FileFormat
from metrics_pipeline.imports.ndjson_rows import read_ndjson
from metrics_pipeline.imports.parquet_rows import read_parquet
from metrics_pipeline.imports.source_files import Columns, Progress, RawRows

READERS: Mapping[FileFormat, Callable[[Path, Columns, Progress], RawRows]] = {
    FileFormat.CSV: read_csv,
    FileFormat.NDJSON: read_ndjson,
    FileFormat.PARQUET: read_parquet,
}
