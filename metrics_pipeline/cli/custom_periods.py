"""`metrics-pipeline period ...`: calendars of a workspace's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.arguments import parse_day
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

if TYPE_CHECKING:
    from metrics_pipeline.custom_metrics.registry.periods import Calendars, DayRange

group = typer.Typer(help="Calendars of a workspace's own, such as fiscal periods.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The calendar's name, such as fiscal_2026.")]
WorkspaceOption = Annotated[str, typer.Option("--workspace", help="The workspace it belongs to.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="period")


@group.command("add")
def add(
    name: Name,
    workspace: WorkspaceOption,
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", help="LABEL=START..END, such as P1=2026-01-04..2026-02-01; repeatable."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="CSV with columns label, start, end, instead of --range.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a calendar. The end of a range is not included; ranges do not overlap. It never changes."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor

    if (file is None) == (not range_):
        raise UserError("Say the ranges: --range LABEL=START..END, or --file CSV.")
    ranges = list(_of_file(file) if file is not None else map(_of_text, range_ or []))
    made = _calendars(data_dir).add_calendar(cli_actor(workspace), name, ranges)
    first, last = made.ranges[0].start, made.ranges[-1].end
    out.print(f"Added {name}: {len(made.ranges)} ranges, {first} to before {last}.", markup=False)


@group.command("list")
def list_(workspace: WorkspaceOption, output: Format = ListFormat.TABLE, data_dir: DataDir = None) -> None:
    """List the ranges of every calendar."""
    rows = [
        {
            "name": calendar.name,
            "label": each.label,
            "start": each.start.isoformat(),
            "end": each.end.isoformat(),
            "created_at": calendar.created_at,
        }
        for calendar in _calendars(data_dir).calendars(workspace)
        for each in calendar.ranges
    ]
    print_rows(rows, output, empty="No calendars. Make one with: metrics-pipeline period add NAME --workspace ID")


@group.command("remove")
def remove(name: Name, workspace: WorkspaceOption, data_dir: DataDir = None) -> None:
    """Take a calendar out of use; its name stays its own."""
    from metrics_pipeline.custom_metrics.registry.actors import cli_actor
    from metrics_pipeline.custom_metrics.registry.refusals import MetricNotFoundError

    try:
        _calendars(data_dir).remove_calendar(cli_actor(workspace), name)
    except MetricNotFoundError:
        raise UserError(
            f"There is no calendar {name[:80]!r}; see: metrics-pipeline period list --workspace {workspace}"
        ) from None
    out.print(f"Removed {name}.", markup=False)


def _calendars(data_dir: Path | None) -> Calendars:
    from metrics_pipeline.control.database import open_control
    from metrics_pipeline.custom_metrics.registry.periods import Calendars

    use_data_dir(data_dir)
    settings = load_settings()
    return Calendars(open_control(settings), settings.clock)


def _of_text(text: str) -> DayRange:
    label, is_named, days = text.rpartition("=")
    start, is_range, end = days.partition("..")
    if not (is_named and is_range):
        raise UserError(f"--range {text[:80]!r} is none: write LABEL=START..END, such as P1=2026-01-04..2026-02-01.")
    return _range(label, start, end, "--range")


def _of_file(file: Path) -> Iterator[DayRange]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                if None in row or None in row.values() or not {"label", "start", "end"} <= set(row):
                    raise UserError(f"{file} has no columns label, start and end in every line.")
                yield _range(row["label"], row["start"].strip(), row["end"].strip(), "--file")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read: {error}.") from None


def _range(label: str, start: str, end: str, option: str) -> DayRange:
    from metrics_pipeline.custom_metrics.registry.periods import DayRange

    return DayRange(label, parse_day(start, option), parse_day(end, option))
