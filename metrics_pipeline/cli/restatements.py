"""`metrics-pipeline restatements`: what became of numbers that were already there."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.cli.arguments import parse_day
from metrics_pipeline.cli.sql import SqlFormat, print_answer
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings

if TYPE_CHECKING:
    from metrics_pipeline.aggregation.restatements import Grain, Report, Row

_GRAINS = ("day", "week", "month")
_NAMED = 2  # runs and imports a line of the table names before it only counts


def register(app: typer.Typer) -> None:
    app.command("restatements")(restatements)


def restatements(
    since: Annotated[
        str, typer.Option(help="What was known then: 2026-10-01 (the end of that day, UTC) or an instant.")
    ],
    until: Annotated[str | None, typer.Option(help="Compared with what was known then; default: now.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day of the periods, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day after the last one.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Only this workspace.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account and its posts.")] = None,
    metric: Annotated[str | None, typer.Option(help="Only this metric, such as views.")] = None,
    grain: Annotated[str | None, typer.Option(help="Only day, week or month.")] = None,
    limit: Annotated[int, typer.Option(help="How many rows, the largest relative change first.", min=1)] = 20,
    output: Annotated[SqlFormat, typer.Option("--format", help="json is an array of row objects.")] = SqlFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Show which daily, weekly and monthly numbers changed after they were there, by how much, and who brought it."""
    use_data_dir(data_dir)
    start, stop = (
        parse_day(text, option) if text is not None else None for text, option in ((first, "--from"), (end, "--to"))
    )
    if start is not None and stop is not None and stop <= start:
        raise UserError(f"--to {stop} must lie after --from {start}: the end is not included.")

    from metrics_pipeline.aggregation.as_of_functions import Known
    from metrics_pipeline.aggregation.restatements import Wanted, report
    from metrics_pipeline.application.lake_tables import open_lake
    from metrics_pipeline.catalog.loader import catalog
    from metrics_pipeline.connection import as_of_statements, attach_all, attach_cadence
    from metrics_pipeline.pipeline_start import pipeline_start

    if metric is not None and metric not in catalog().metrics:
        raise UserError(f"--metric {metric!r} is not in the catalogue: docs/metric_list.md has them all.")
    settings = load_settings()
    begin, now = pipeline_start(settings, fix=False), settings.clock.now()
    known = Known(begin, now)
    earlier = known.instant(since, "--since")
    later = known.instant(until, "--until") if until is not None else now
    if earlier >= later:
        raise UserError(f"--until {until or 'now'} has to lie after --since {since}.")
    wanted = Wanted(start, stop, workspace, account, metric, _grain(grain))
    lake = open_lake(settings)
    connection = attach_all(lake, settings)
    attach_cadence(connection, settings)
    statements = as_of_statements(lake, settings, begin, now)
    found = report(connection, statements, earlier, later, wanted, limit)
    rows = [_line(row) for row in found.rows] if output is SqlFormat.TABLE else list(found.rows)
    if rows:
        print_answer(list(rows[0]), [tuple(row.values()) for row in rows], output)
    elif output is SqlFormat.JSON:
        print_answer([], [], output)
    (out if output is SqlFormat.TABLE else err).print(_summary(found, limit), markup=False)


def _grain(text: str | None) -> Grain | None:
    if text is None:
        return None
    for grain in ("day", "week", "month"):
        if text == grain:
            return grain
    raise UserError(f"--grain {text!r} is none; there are {', '.join(_GRAINS)}.")


def _line(row: Row) -> Row:
    """A row as a line of the table: fewer columns, ids cut short."""
    change, read = row["relative_change"], row["read_at"]
    brought = row["brought_by"]
    names = [_short(name) for name in brought[:_NAMED]] if isinstance(brought, list) else []
    more = int(str(row["brought_by_count"])) - len(names)
    return {
        "grain": row["grain"],
        "from": row["period_start"],
        "workspace": row["workspace_id"],
        "platform": row["platform"],
        "entity": row["entity_id"],
        "metric": row["metric"],
        "then": row["value_then"],
        "now": row["value_now"],
        "relative": None if change is None else f"{100 * float(str(change)):+.1f} %",
        "kind": row["kind"],
        "complete_then": row["was_complete"],
        "read_at": read.replace(microsecond=0) if isinstance(read, datetime) else read,
        "brought_by": ", ".join(names) + (f" and {more} more" if more > 0 else ""),
    }


def _short(origin: str) -> str:
    kind, _, name = origin.partition(" ")
    return f"{kind} {name[:8]}" if name else kind


def _summary(found: Report, limit: int) -> str:
    if found.compared_from is None:
        return "Nothing was learnt in between: no number changed."
    if not found.of:
        return "There is no number of a period that had ended by then, or that anything was learnt about since."
    if not found.changed:
        return f"None of {found.of:,} numbers changed; before {_day(found.compared_from)} nothing was learnt."
    kinds = ((found.restated, "restated"), (found.late, "arrived late"), (found.withdrawn, "withdrawn"))
    parts = ", ".join(f"{count:,} {kind}" for count, kind in kinds if count)
    sizes = ""
    if found.median is not None and found.largest is not None:
        sizes = f" Median change {100 * found.median:.1f} %, largest {100 * found.largest:.1f} %."
    shown = f" The first {limit} are shown." if found.changed > limit else ""
    return (
        f"{found.changed:,} of {found.of:,} numbers changed ({parts}).{sizes}{shown} "
        f"Nothing was learnt about days before {_day(found.compared_from)}."
    )


def _day(day: date) -> str:
    return day.isoformat()
