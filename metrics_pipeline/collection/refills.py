"""Account days whose last attempt failed, and that a new attempt could fill now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import pyarrow as pa

from metrics_pipeline.catalog.relations import catalog_relations
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.holds import EVERY_ACCOUNT, current_holds
from metrics_pipeline.pipeline import Pipeline
from metrics_pipeline.windows import Window

# A failed attempt is worth another one after this long; a refusal only after a new token.
RETRY_AFTER = timedelta(hours=1)

_ACTIVE: dict[str, pa.DataType] = {
    "workspace_id": pa.string(),
    "account_id": pa.string(),
    "platform": pa.string(),
    "credentials_updated_at": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Refill:
    """Days [first_day, last_day] of one platform to read again for these accounts."""

    platform: str
    accounts: tuple[str, ...]
    first_day: date
    last_day: date
    cause: Literal["failed", "not_permitted"]


def find_refills(pipeline: Pipeline, window: Window, now: datetime) -> list[Refill]:
    """Refills per platform and cause for the days of the window, newest days first.

    An account that is left alone for now would only spend its tries in vain.
    """
    held = {(hold.platform, hold.account) for hold in current_holds(pipeline.control, now)}
    active = [
        {
            "workspace_id": a.workspace_id,
            "account_id": a.account_id,
            "platform": a.platform,
            "credentials_updated_at": a.credentials_updated_at,
        }
        for a in list_accounts(pipeline.control)
        if a.status == "active"
        and not {(a.platform, EVERY_ACCOUNT), (a.platform, (a.workspace_id, a.account_id))} & held
    ]
    rows = pipeline.engine.query(
        "collection/refills.sql",
        {"start": window.first_day, "end": window.end_day, "retry_before": now - RETRY_AFTER},
        {
            **catalog_relations(pipeline.catalog),
            "active_accounts": pa.Table.from_pylist(active, schema=pa.schema(_ACTIVE)),
        },
    ).to_pylist()
    return [
        Refill(r["platform"], tuple(r["accounts"]), r["first_day"], r["last_day"], r["cause"])
        for r in rows
        if r["platform"] in pipeline.catalog.platforms
    ]
