"""How the Dagster of these tests queues runs: as in production, where a daemon takes them out of the queue.

Here no daemon runs: those of one workspace are started at once, all others stay in the queue, which costs nothing.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from metrics_pipeline.control.job_pages import WORKSPACE_TAG

STARTED_AT_ONCE = "live"


class Queue(QueuedRunCoordinator):
    """Dagster's own queue, emptied for one workspace."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Queue:
        return cls(inst_data=inst_data)

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        queued = super().submit_run(context)
        if context.dagster_run.tags.get(WORKSPACE_TAG) == STARTED_AT_ONCE:
            return self._instance.launch_run(queued.run_id, context.workspace)
        return queued
