"""What accounts are called and whether they are connected, kept as versions in the lake table account_history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine as ControlEngine

from metrics_pipeline.control.account_events import forget_changes, platforms_with_changes, status_changes
from metrics_pipeline.lake.account_tables import ACCOUNT_HISTORY
from metrics_pipeline.lake.engine import Engine
from metrics_pipeline.lake.lake import Lake
from metrics_pipeline.lake.maintenance import purge_workspace
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.windows import DAY


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


def merge_news(engine: Engine, platform: str, facts: pa.Table) -> int:
    """merge_facts for what the current versions do not hold already: most hourly runs bring nothing new.

    A profile that stays the same is confirmed once a day.
    """
    if facts.num_rows == 0:
        return 0
    history = engine.lake.table("account_history")
    current = history.to_pyarrow_table(filters=[("platform", "=", platform), ("is_current", "=", True)])
    known = {(v["workspace_id"], v["account_id"]): v for v in current.to_pylist()}
    if all(_is_held(known.get((f["workspace_id"], f["account_id"])), f) for f in facts.to_pylist()):
        return 0
    return merge_facts(engine, platform, facts)


def _is_held(version: Mapping[str, Any] | None, fact: Mapping[str, Any]) -> bool:
    """Whether an account's current version says what a fact says; the answer no may be wrong, it only costs time."""
    if version is None:
        return False
    read_at, changed_at = fact["profile_read_at"], fact["status_at"]
    if read_at is not None:
        first, last = version["profile_read_at"], version["profile_confirmed_at"]
        is_same = all(fact[name] in (None, version[name]) for name in ("name", "account_type"))
        if first is None or not is_same or not first <= read_at < last + DAY:
            return False
    if changed_at is None:
        return True
    # numbers begin anew with a new control database, instants do not
    number, since = version["status_number"], version["status_at"]
    return since is not None and changed_at <= since and bool(fact["status_number"] <= number)


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
    return forget_changes(control, workspace_id) + sum(purge_workspace(lake, workspace_id).values())


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
