"""`metrics-pipeline plan` and `resume`: what a day costs, and going on after a platform asked to wait."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.cli.tables import Format, ListFormat, print_rows
from metrics_pipeline.settings import load_settings

EMPTY = "No accounts to collect. Add one with: metrics-pipeline account add"


def register(app: typer.Typer) -> None:
    app.command("plan")(plan)
    app.command("resume")(resume)


def plan(
    endpoints: Annotated[bool, typer.Option("--endpoints", help="Show each endpoint's calls.")] = False,
    posts_per_day: Annotated[
        float, typer.Option(help="What an account publishes a day of which nothing is known yet.", min=0.01)
    ] = 1.0,
    output: Format = ListFormat.TABLE,
    data_dir: DataDir = None,
) -> None:
    """Show the calls, quota units and US dollars that a day of collecting costs, before anything is spent.

    Worked out from the cadence, the posts known of each account and the platforms' documented prices.
    """
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.pipeline import Pipeline
    from metrics_pipeline.planning import hold_lines, plan_day

    pipeline = Pipeline(settings)
    plans = plan_day(pipeline, posts_per_day)
    if endpoints:
        rows: list[dict[str, object]] = [
            {"platform": p.spec.platform, "endpoint": endpoint, "calls_a_day": round(calls, 1)}
            for p in plans
            for endpoint, calls in p.cost.calls.items()
        ]
    else:
        rows = [p.shown() for p in plans]
    print_rows(rows, output, empty=EMPTY)
    if output is ListFormat.JSON or not plans:
        return
    out.print()
    for p in plans:
        if p.accounts_assumed:
            out.print(
                f"{p.spec.platform}: nothing is known yet of the posts of {p.accounts_assumed} accounts, "
                f"{posts_per_day:g} a day assumed",
                markup=False,
            )
    for line in [line for p in plans for line in p.warnings] + hold_lines(pipeline):
        out.print(line, markup=False)
    spent = sum(p.cost.usd for p in plans)
    out.print(f"About ${spent:,.2f} a day, ${spent * 30:,.2f} in 30 days.", markup=False)


def resume(
    platform: Annotated[str, typer.Argument(help="The platform's name, such as linkedin.")],
    data_dir: DataDir = None,
) -> None:
    """Ask a platform again that wanted to be left alone, after its quota was raised or its credits were topped up."""
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.control.holds import release_holds
    from metrics_pipeline.pipeline import Pipeline
    from metrics_pipeline.platforms.registry import known_platform

    released = release_holds(Pipeline(settings).control, known_platform(platform))
    out.print(
        f"{platform}: {released} holds forgotten, the next run asks again."
        if released
        else f"{platform}: nothing holds it back.",
        markup=False,
    )
