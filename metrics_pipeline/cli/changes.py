"""`metrics-pipeline changes`: which run wrote what, and from which versions of which tables."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

if TYPE_CHECKING:
    from metrics_pipeline.lake.changes import Change

_SPANS_SHOWN = 3


def register(app: typer.Typer) -> None:
    app.command("changes")(changes)


def changes(
    table: Annotated[str | None, typer.Option(help="Only this table, such as daily_metrics.")] = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only what changed this day, its week or month."),
    ] = None,
    limit: Annotated[int, typer.Option(help="How many commits, newest first.", min=1)] = 20,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Show what changed: each commit with its days, its run, and the table versions it was built from."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.lineage import commits
    from metrics_pipeline.pipeline import Pipeline

    lake = Pipeline(settings).lake
    if table is not None and table not in lake.tables:
        raise UserError(f'There is no table {table!r}; `metrics-pipeline sql "show tables"` lists them.')
    tables = [table] if table else sorted(lake.tables)
    found = commits(lake, tables, None if day is None else day.date(), settings.week_start_index, limit)
    print_rows([_row(change) for change in found], output, empty="No commit is in the log.")


def _row(change: Change) -> dict[str, object]:
    from metrics_pipeline.windows import DAY, runs_of_days

    spans = [
        f"{w.first_day}" if w.end_day - w.first_day == DAY else f"{w.first_day} to {w.end_day - DAY}"
        for w in runs_of_days(change.days)
    ]
    more = f" and {len(spans) - _SPANS_SHOWN} more" if len(spans) > _SPANS_SHOWN else ""
    return {
        "at": change.at,
        "table": change.table,
        "version": change.version,
        "days": ", ".join(spans[:_SPANS_SHOWN]) + more,
        "run": change.run,
        "built_from": ", ".join(
            f"{name} {version}" for name, version in sorted(change.sources.items()) if name != change.table
        ),
    }
