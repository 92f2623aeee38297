"""`metrics-pipeline collect`: read one account or single posts at once, as after publishing."""

from __future__ import annotations

from typing import Annotated

import typer

from metrics_pipeline.cli.app import DataDir, out, use_data_dir
from metrics_pipeline.settings import load_settings


def register(app: typer.Typer) -> None:
    app.command("collect")(collect)


def collect(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT_ID")],
    workspace: Annotated[str | None, typer.Option("--workspace", help="Its workspace, where not unique.")] = None,
    post: Annotated[
        list[str] | None, typer.Option("--post", help="Read this post and nothing else; may be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Read every post, also those not due yet.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Read an account now, without waiting for its next slot: what is due, everything, or single posts.

    A recorded Dagster run of the hourly collector. The next scheduled run goes on as if this one had not been.
    """
    use_data_dir(data_dir)
    settings = load_settings()

    from metrics_pipeline.automation.on_demand import collect_now
    from metrics_pipeline.control.accounts import get_account
    from metrics_pipeline.pipeline import Pipeline

    pipeline = Pipeline(settings)
    account = get_account(pipeline.control, account_id, workspace)
    done = collect_now(pipeline, account, post or (), everything=everything)
    what = f"{done.posts} posts" if post else f"the account and {done.posts} posts"
    out.print(f"Read {done.readings} numbers of {what} (run {done.run_id}).", markup=False)
