"""`metrics-pipeline replay`: today's parsers over recorded responses."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import typer

from metrics_pipeline.cli.app import DataDir, err, out, use_data_dir
from metrics_pipeline.cli.arguments import parse_window
from metrics_pipeline.errors import UserError
from metrics_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command("replay")(replay)


def replay(
    platform: Annotated[str, typer.Argument(help="instagram, x, youtube, ...")],
    first: Annotated[str, typer.Option("--from", help="First day on which was asked, YYYY-MM-DD (UTC).")],
    end: Annotated[str | None, typer.Option("--to", help="Day after the last one; default: one day.")] = None,
    collection: Annotated[str, typer.Option(help="counters or insights; default: both.")] = "both",
    data_dir: DataDir = None,
) -> None:
    """Run the parsers again over the raw responses of [--from, --to), after a parser was corrected.

    Nothing is asked of the platform. Responses are kept for METRICS_API_RESPONSES_DAYS days.
    """
    if collection not in ("both", "counters", "insights"):
        raise UserError(f"--collection {collection!r} is unknown: counters, insights or both.")
    window = parse_window(first, end)
    use_data_dir(data_dir)

    from metrics_pipeline.cli.progress import steps_bar
    from metrics_pipeline.pipeline import Pipeline

    replayer = Pipeline(load_settings()).replayer(platform)
    kinds = ("counters", "insights") if collection == "both" else (collection,)
    with steps_bar(err, len(kinds)) as advance:
        for kind in kinds:
            name = cast(Literal["counters", "insights"], kind)
            summary = advance(f"{platform} {kind}", replayer.run, name, window)
            turns = len(summary.accounts)
            if not turns:
                out.print(f"{platform} {kind}: no response of {window} is kept.", markup=False)
                continue
            failed = sum(a.problem is not None for a in summary.accounts)
            out.print(
                f"{platform} {kind}: {turns} turns replayed, {summary.readings} readings, "
                f"{summary.rows_gained} new rows, {failed} turns ended early as before.",
                markup=False,
            )
    out.print(
        f"Next: metrics-pipeline backfill daily_metrics weekly_metrics monthly_metrics --from {first} ...", markup=False
    )
