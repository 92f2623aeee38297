"""Live updates of real-time figures: what changed of the last minute, at most once a second."""

from __future__ import annotations

import time
from collections.abc import Collection

from metrics_pipeline.api.live.messages import Channel, Data, Draft
from metrics_pipeline.api.realtime.counts import Counts
from metrics_pipeline.api.realtime.figures import readings_of
from metrics_pipeline.clock import Clock
from metrics_pipeline.realtime.fed import FED
from metrics_pipeline.realtime.kinds import Kind

REALTIME = "realtime"
WINDOW_SECONDS = 60
LEAST_SECONDS = 1.0
# A little less than the feed's rounds are apart, or every second one would be left out.
_SLACK_SECONDS = 0.1
_SHARE = 0.95


class Telling:
    """Remembers what was told, so that only changes are. Used by whoever feeds the connections."""

    def __init__(self, counts: Counts, clock: Clock) -> None:
        self._counts, self._clock = counts, clock
        self._told: dict[str, Data] = {}
        self._told_at = 0.0

    async def __call__(self, workspaces: Collection[str]) -> list[Draft]:
        """What is new for those who listen to these workspaces."""
        now = time.monotonic()
        if now - self._told_at < LEAST_SECONDS - _SLACK_SECONDS:
            return []
        self._told_at = now
        self._told = {known: told for known, told in self._told.items() if known in workspaces}
        drafts = []
        for workspace_id in sorted(workspaces):
            figures = await self._figures(workspace_id)
            before = self._told.get(workspace_id)
            self._told[workspace_id] = figures
            if before != figures and (before is not None or any(map(_is_something, figures.values()))):
                data = {"window_seconds": WINDOW_SECONDS, "figures": figures}
                drafts.append(Draft.of(Channel(workspace_id), REALTIME, self._clock.now(), data))
        return drafts

    async def _figures(self, workspace_id: str) -> Data:
        readings = await readings_of(self._counts, workspace_id, [(fed, WINDOW_SECONDS) for fed in FED])
        figures: Data = {}
        for fed, reading in zip(FED, readings, strict=True):
            if fed.kind is Kind.HISTOGRAM:
                figures[fed.name] = {
                    "count": reading.figures.count or 0,
                    "mean": reading.figures.value,
                    "p95": reading.figures.percentiles.get(_SHARE),
                }
            else:
                figures[fed.name] = reading.figures.value or 0
        return figures


def _is_something(figure: object) -> bool:
    return bool(figure.get("count") if isinstance(figure, dict) else figure)
