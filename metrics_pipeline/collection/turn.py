"""One account's turn: what an adapter makes of it, and a reason for everything it did not reach."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Collection
from dataclasses import replace
from datetime import date

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.collection.request import CollectionKind
from metrics_pipeline.platforms.contract import Account, AccountResult, Adapter, CollectionContext, Outcome
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.outcomes import COUNTERS, SERIES, expected_outcomes, state_of
from metrics_pipeline.windows import Window

log = logging.getLogger("metrics_pipeline.collection")


async def take_turn(
    adapter: Adapter,
    collection: CollectionKind,
    account: Account,
    window: Window,
    context: CollectionContext,
    result: AccountResult,
) -> PlatformError | None:
    """Let the adapter fill `result`; what ended the turn early, or None."""
    try:
        if collection == "counters":
            await adapter.counters(account, context, result)
        else:
            await adapter.insights(account, window, context, result)
    except PlatformError as error:
        return error
    except Exception as error:  # noqa: BLE001
        # The one boundary that isolates an account: a parser's mistake costs this account, not the run, and
        # stands in collection_status. Only the kind of error is told: its text may quote an answer.
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s/%s: %s\n%s", account.workspace_id, account.account_id, type(error).__name__, frames)
        return PlatformError(Act.CONFIG, f"the adapter failed unexpectedly ({type(error).__name__}); see the log")
    return None


def explain_gaps(
    spec: PlatformSpec,
    collection: CollectionKind,
    window: Window,
    result: AccountResult,
    error: PlatformError,
    *,
    levels: Collection[str] = ("account", "post"),
) -> None:
    """Add an outcome for everything that was asked for and not reached because of `error`.

    What was reached of the posts may be a part of them, so the error stands at their outcomes as well.
    """
    result.outcomes = [
        replace(o, reason=o.reason or f"cut short: {error}", error_class=error.act.value) if o.level == "post" else o
        for o in result.outcomes
    ]
    reached = {(o.level, o.metric, o.date) for o in result.outcomes}
    kinds = COUNTERS if collection == "counters" else SERIES
    days: list[date] = [window.start.date()] if collection == "counters" else window.days()
    for level, metric, day in expected_outcomes(spec, kinds, days):
        if level in levels and (level, metric, day) not in reached:
            result.outcomes.append(Outcome(level, metric, day, state_of(error), str(error), error.act.value))


def optional_metrics(spec: PlatformSpec, collection: CollectionKind) -> frozenset[str]:
    """Metrics that a collection may lack without anything being wrong."""
    sources = [s for s in spec.sources if (s.kind == "series") == (collection == "insights")]
    needed = {s.metric for s in sources if not s.optional}
    return frozenset(s.metric for s in sources if s.metric not in needed)
