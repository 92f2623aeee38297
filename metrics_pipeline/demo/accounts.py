"""Who appears in the demo: three companies and their accounts."""

from __future__ import annotations

from datetime import datetime

from metrics_pipeline.control.accounts import add_account, list_accounts
from metrics_pipeline.control.workspaces import add_workspace, list_workspaces
from metrics_pipeline.pipeline import Pipeline

WORKSPACES = {"acme": "Acme Outdoor", "bistro": "Bistro Nord", "cinema": "Cinema Lumen"}
# Three platforms: every further one adds two assets and some 15 seconds to a demo that should take about a minute.
ACCOUNTS: tuple[tuple[str, str, str], ...] = (
    ("acme", "instagram", "17841400000000001"),
    ("acme", "instagram", "17841400000000002"),
    ("acme", "x", "2244994945"),
    ("acme", "youtube", "UCacmeoutdoor000000000001"),
    ("bistro", "instagram", "17841400000000003"),
    ("bistro", "x", "783214001"),
    ("bistro", "youtube", "UCbistronord0000000000001"),
    ("cinema", "instagram", "17841400000000004"),
    ("cinema", "x", "783214002"),
    ("cinema", "youtube", "UCcinemalumen000000000001"),
)


def demo_platforms() -> list[str]:
    """The platforms that the demo has accounts on."""
    return sorted({platform for _, platform, _ in ACCOUNTS})


def register_accounts(pipeline: Pipeline, now: datetime) -> int:
    """Register what is not registered yet; returns the number of accounts."""
    have = {w.workspace_id for w in list_workspaces(pipeline.control)}
    for workspace_id, name in WORKSPACES.items():
        if workspace_id not in have:
            add_workspace(pipeline.control, name, workspace_id, now=now)
    known = {(a.workspace_id, a.platform, a.external_id) for a in list_accounts(pipeline.control)}
    for workspace_id, platform, external_id in ACCOUNTS:
        if (workspace_id, platform, external_id) not in known:
            # some platforms know an account by its token; the simulated TikTok is told whose it is by the token itself
            token = f"sandbox-token-{workspace_id}-{platform}~{external_id}"
            add_account(pipeline.control, pipeline.ring, workspace_id, platform, external_id, token=token, now=now)
    return len(ACCOUNTS)
