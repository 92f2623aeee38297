"""Rows on the screen: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from metrics_pipeline.cli.app import out

PIPE_WIDTH = 10_000
# Short words that read badly in two halves; other columns give way on a narrow terminal.
UNBROKEN = frozenset({"platform", "status"})


class ListFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


Format = Annotated[ListFormat, typer.Option("--format", help="A table, or a JSON array of objects.")]


def print_rows(rows: Sequence[Mapping[str, object]], output: ListFormat, *, empty: str) -> None:
    """Print rows that share their keys. JSON is always an array; a table without rows is the sentence `empty`."""
    if output is ListFormat.JSON:
        sys.stdout.write(json.dumps([{k: _json(v) for k, v in row.items()} for row in rows], indent=2) + "\n")
        return
    if not rows:
        out.print(empty, markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=name in UNBROKEN)
    for row in rows:
        # rich reads square brackets as style; what users typed is shown as it is.
        table.add_row(*(_cell(value).replace("[", "\\[") for value in row.values()))
    # Into a pipe or file one row stays one line, however wide.
    screen = out if out.is_terminal else Console(width=PIPE_WIDTH, highlight=False)
    screen.print(table, soft_wrap=False)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def _json(value: object) -> object:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
