"""How many platform calls a step will take, before anything is spent."""

from __future__ import annotations

from metrics_pipeline.automation.backfill import Step
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.planning import plan_day

HOURS_A_DAY = 24


def planned_calls(pipeline: Pipeline, step: Step) -> int | None:
    """Calls of a collecting step: its share of the plan of a day. None for a step that calls nobody."""
    asset = step.assets[0]
    if asset.path[0] != "platforms":
        return None
    platform, collection = asset.path[1], asset.path[2]
    plan = next((p for p in plan_day(pipeline) if p.spec.platform == platform), None)
    if plan is None:
        return 0
    a_day = plan.cost.by_collection[collection]
    if collection == "counters":
        return round(a_day * len(step.keys) / HOURS_A_DAY)
    # the plan of a day reads the days that may still be restated, a backfill its own
    return round(a_day * len(step.keys) / (plan.spec.restatement_days + 1))
