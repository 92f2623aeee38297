"""`metrics-pipeline backfill`: run assets over a stretch of time."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.cli.arguments import parse_window
from metrics_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command("backfill")(backfill)


def backfill(
    assets: Annotated[list[str], typer.Argument(help="Asset keys or prefixes: weekly_metrics, daily_metrics/account.")],
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD (UTC).")],
    end: Annotated[str | None, typer.Option("--to", help="Day after the last one; default: one day.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show partitions and planned calls, run nothing.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Build or collect assets over [--from, --to): every period that overlaps, in dependency order.

    Runs are recorded in Dagster. The same backfill again changes nothing, and repairs one that was interrupted.
    """
    window = parse_window(first, end)
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.automation.backfill import plan_backfill
    from metrics_pipeline.automation.planned_calls import planned_calls
    from metrics_pipeline.cli.progress import steps_bar
    from metrics_pipeline.pipeline import Pipeline

    pipeline = Pipeline(settings)
    backfiller, steps = plan_backfill(pipeline, assets, window)
    if dry_run:
        for step in steps:
            calls = planned_calls(pipeline, step)
            planned = f", about {calls} calls" if calls is not None else ""
            out.print(f"{step.name}: {len(step.keys)} partitions, {step.span}{planned}", markup=False)
        out.print(f"Dry run: {len(steps)} runs, nothing was started.", markup=False)
        return
    started = time.monotonic()
    with steps_bar(err, len(steps)) as advance:
        for step in steps:
            advance(f"{step.name} {step.span}", backfiller.run, step)
    partitions = sum(len(step.keys) for step in steps)
    out.print(f"Done: {partitions} partitions in {len(steps)} runs, {time.monotonic() - started:.1f} s.", markup=False)
