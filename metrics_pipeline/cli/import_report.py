"""What a person sees of a file that was checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import csv
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from metrics_pipeline.cli.app import err, out
from metrics_pipeline.errors import UserError
from metrics_pipeline.imports.readings import Checked
from metrics_pipeline.imports.source_files import Progress as Advance

# Enough to see what is wrong with a file, few enough to read; --report has all.
SHOWN_PROBLEMS = 20
SHOWN_ACCOUNTS = 20


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


@contextmanager
def reading_bar(console: Console, file: Path) -> Iterator[Advance]:
    """A bar over the bytes of a file; silent where nobody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"Reading {file.name}", total=file.stat().st_size)
        yield lambda size: bar.advance(task, size)


def show_checked(checked: Checked) -> None:
    """Bad rows on stderr; what was left out or is worth knowing on stdout."""
    problems = checked.rows.problems
    for row in problems.slice(0, SHOWN_PROBLEMS).to_pylist():
        err.print(f"line {row['line']}: {row['problem']}", markup=False)
    if problems.num_rows:
        hidden = problems.num_rows - SHOWN_PROBLEMS
        rest = f", {hidden} not shown (--report FILE writes all)" if hidden > 0 else ""
        err.print(f"{plural(problems.num_rows, 'bad row')}{rest}.", markup=False)
    if checked.rows.without_value:
        out.print(f"{plural(checked.rows.without_value, 'row')} without value skipped.", markup=False)
    if checked.extra_columns:
        out.print(f"Ignored unknown columns: {', '.join(checked.extra_columns)}.", markup=False)
    if checked.early_rows:
        out.print(
            f"{plural(checked.early_rows, 'row')} of a day that is not over: counted from the end of that day on.",
            markup=False,
        )
    for workspace, platform, account in checked.unconnected[:SHOWN_ACCOUNTS]:
        out.print(
            f"Account {account} ({platform}, workspace {workspace}) is not connected: its numbers are history only.",
            markup=False,
        )
    if len(checked.unconnected) > SHOWN_ACCOUNTS:
        out.print(f"{len(checked.unconnected) - SHOWN_ACCOUNTS} more accounts are not connected.", markup=False)


def show_bad_rows(problems: Sequence[tuple[int, str]]) -> None:
    """The first bad rows by line, and how many there are, on stderr; nothing where all are good."""
    for line, problem in problems[:SHOWN_PROBLEMS]:
        err.print(f"line {line}: {problem}", markup=False)
    if problems:
        err.print(f"{plural(len(problems), 'bad row')}.", markup=False)


def write_problems(path: Path, problems: pa.Table) -> None:
    """All bad rows as CSV: line, problem.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        csv.write_csv(problems, path)
    except OSError as error:
        raise UserError(f"The report {path} cannot be written: {error.strerror or error}.") from None
