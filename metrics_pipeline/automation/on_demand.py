"""Collecting one account or one post at once, as after publishing: the hourly collector, narrowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metrics_pipeline.assets.collection import platform_asset_key, scope_config
from metrics_pipeline.automation.backfill import Backfiller
from metrics_pipeline.control.accounts import AccountRecord
from metrics_pipeline.errors import UserError
from metrics_pipeline.lake.session import Parameter
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.platforms.registry import known_platform
from metrics_pipeline.windows import HOUR, Window


@dataclass(frozen=True)
class Collected:
    """What one request gave: its Dagster run, and the readings and posts that came with it."""

    run_id: str
    readings: int
    posts: int


def collect_now(
    pipeline: Pipeline, account: AccountRecord, posts: Sequence[str] = (), *, everything: bool = False
) -> Collected:
    """Read an account's counters of the running hour, or nothing but some of its posts.

    Raises:
        UserError: the account is disabled, or its platform is not collected.
        RunFailedError: nothing could be read.
    """
    known_platform(account.platform)
    if account.status == "disabled":
        raise UserError(
            f"Account {account.account_id} is disabled; enable it with: metrics-pipeline account enable "
            f"{account.account_id} --workspace {account.workspace_id}"
        )
    now = pipeline.settings.clock.now()
    asset = platform_asset_key(account.platform, "counters")
    config = scope_config(
        asset,
        workspaces=[account.workspace_id],
        accounts=[account.account_id],
        posts=list(posts),
        everything=everything,
    )
    hour = now.replace(minute=0, second=0, microsecond=0)
    backfiller = Backfiller(pipeline)
    (step,) = backfiller.plan([asset], Window(hour, hour + HOUR))
    run_id = backfiller.run(step, config)
    parameters: dict[str, Parameter] = {"platform": account.platform, "today": now.date(), "run_id": run_id}
    (row,) = pipeline.engine.query("collection/read_by_run.sql", parameters).to_pylist()
    return Collected(run_id, row["readings"], row["posts"])
