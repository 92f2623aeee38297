"""What accounts are called and whether they are connected, kept as versions in the lake table account_history."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from sqlalchemy import Engine as ControlEngine

from metrics_pipeline.control.account_events import forget_changes, platforms_with_changes, status_changes
from metrics_pipeline.control.realtime_rows import forget_workspace as forget_realtime
from metrics_pipeline.lake.account_tables import ACCOUNT_HISTORY
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.maintenance import purge_workspace
from metrics_pipeline.lake.predicates import Partitions


def merge_facts(engine: Engine, platform: str, facts: pa.Table) -> int:
    """Merge what was read or changed into the versions of a platform's accounts; returns how many versions are new."""
    if facts.num_rows == 0:
        return 0
    return engine.merge(
        "account_history",
        "merge/account_history.sql",
        facts,
        Partitions(equals={"platform": platform}),
        only_changes=True,
    )


def record_changes(engine: Engine, control: ControlEngine, platforms: Iterable[str] | None = None) -> int:
    """Bring the changes of status into the lake, by default of every platform; returns how many versions are new.

    The control database keeps every change, so that a call that failed is made good by the next one.
    """
    return sum(
        merge_facts(engine, platform, status_facts(control, platform))
        for platform in (platforms_with_changes(control) if platforms is None else platforms)
    )


def purge(lake: Lake, control: ControlEngine, workspace_id: str) -> int:
    """Delete everything the lake holds of a workspace and what happened to its accounts; returns how many rows."""
    # the changes first: whoever brings changes into the lake meanwhile must not find them any more
    forgotten = forget_changes(control, workspace_id) + forget_realtime(control, workspace_id)
    return forgotten + sum(purge_workspace(lake, workspace_id).values())


def status_facts(control: ControlEngine, platform: str) -> pa.Table:
    """Every change of status of a platform's accounts, as rows to merge."""
    rows = [
        {
            "workspace_id": c.workspace_id,
            "platform": c.platform,
            "account_id": c.account_id,
            "external_id": c.external_id,
            "status": c.status,
            "reason": c.reason,
            "status_at": c.at,
            "status_number": c.number,
        }
        for c in status_changes(control, platform)
    ]
    return pa.Table.from_pylist(rows, schema=ACCOUNT_HISTORY.schema)
