"""How many platform calls a step will take, before anything is spent."""

from __future__ import annotations

from metrics_pipeline.automation.backfill import Step
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.pipeline import Pipeline


def planned_calls(pipeline: Pipeline, step: Step) -> int | None:
    """Calls of a collecting step, from the calls that its accounts' last runs took per partition.

    None for a step that calls nobody, or for which nothing has been collected yet.
    """
    asset = step.assets[0]
    if asset.path[0] != "platforms":
        return None
    platform, collection = asset.path[1], asset.path[2]
    accounts = [a for a in list_accounts(pipeline.control, platform=platform) if a.status == "active"]
    rows = pipeline.engine.query(
        "collection/calls_per_partition.sql",
        {"platform": platform, "collection": collection, "unit": "hour" if collection == "counters" else "day"},
    ).to_pylist()
    if not rows or rows[0]["calls_per_partition"] is None:
        return None
    per_partition = float(rows[0]["calls_per_partition"])
    return round(per_partition * len(accounts) * len(step.keys))
