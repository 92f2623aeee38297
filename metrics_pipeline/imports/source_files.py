"""Which file it is, and in which format: problems of the whole file end here, as one sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.file_format import FileFormat

# Told how many more bytes (or rows, for Parquet the whole file at once) were read.
Progress = Callable[[int], None]


_SUFFIXES = {
    ".csv": FileFormat.CSV,
    ".parquet": FileFormat.PARQUET,
    ".ndjson": FileFormat.NDJSON,
    ".jsonl": FileFormat.NDJSON,
}
_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class Columns:
    """The columns a kind of import file may have; `required` ones are in every file."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)

    def check(self, path: Path, found: Sequence[str]) -> None:
        """Raises:
        UserError: a required column is missing, or a column is there twice.
        """
        missing = [name for name in self.required if name not in found]
        if missing:
            raise UserError(
                f"{path.name} has no column {', '.join(missing)}; it needs {', '.join(self.required)} "
                f"and may have {', '.join(self.optional)}."
            )
        twice = sorted({name for name in self.names if list(found).count(name) > 1})
        if twice:
            raise UserError(f"{path.name} has the column {', '.join(twice)} twice.")

    def unread(self, found: Sequence[str]) -> list[str]:
        """Columns nobody reads, in their order."""
        return [name for name in dict.fromkeys(found) if name and name not in self.names]


@dataclass(frozen=True)
class RawRows:
    """A file as text: `rows` has `line` and every known column as strings, null where a row lacks it.

    broken: lines that could not be read as a row at all, with the reason. extra_columns: there, and not read.
    """

    rows: pa.Table
    broken: list[tuple[int, str]]
    extra_columns: list[str]


def raw_schema(columns: Columns) -> pa.Schema:
    types: dict[str, pa.DataType] = {"line": pa.int64(), **dict.fromkeys(columns.names, pa.string())}
    return pa.schema(types)


def checked_file(path: Path, chosen: FileFormat | None = None) -> FileFormat:
    """The format of a file that is there, readable and not empty.

    Raises:
        UserError: it is not, or its format is unknown or plainly another one.
    """
    try:
        if not path.is_file():
            reason = "is no file" if path.exists() else "does not exist"
            raise UserError(f"{path} {reason}.")
        with path.open("rb") as handle:
            head = handle.read(len(_PARQUET_MAGIC))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if not head:
        raise UserError(f"{path} is empty.")
    found = chosen or _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise UserError(
            f"The format of {path.name} is unknown: name it .csv, .parquet, .ndjson or .jsonl, "
            "or add --format csv, parquet or ndjson."
        )
    if (head == _PARQUET_MAGIC) != (found is FileFormat.PARQUET):
        really = "a Parquet file" if head == _PARQUET_MAGIC else "no Parquet file"
        raise UserError(f"{path.name} is {really}, though read as {found}; choose with --format.")
    return found


def file_sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def not_utf8(path: Path) -> UserError:
    return UserError(f"{path.name} is not UTF-8 text; save it as UTF-8 and import it again.")
