"""The tables whose changes are told, and how their rows read as messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from metrics_pipeline.api.live.messages import AGGREGATES, METRICS, POST_METRICS
from metrics_pipeline.lake.table_spec import TableSpec
from metrics_pipeline.lake.tables import TABLES

# When a row was read or computed again is no news where it says the same.
_STAMPS = {"last_read_at", "computed_at", "generated_at"}
_POSTS = "('post', 'content')"


@dataclass(frozen=True)
class WatchedTable:
    """One table. The other fields are expressions over its columns; `span` is how its days are told."""

    name: str
    type: str
    span: Literal["days", "periods"] | None
    day: str
    entity_type: str = "entity_type"
    entity_id: str = "entity_id"
    account_id: str = "account_id"
    platform: str = "platform"
    metric: str = "metric"
    value: str = "value"

    @property
    def spec(self) -> TableSpec:
        return TABLES[self.name]

    @property
    def has_values(self) -> bool:
        return self.value != "null"

    def normalised(self, relation: str, stands: str) -> str:
        """The statement that gives a relation's rows in the columns that all tables share."""
        return (
            f"select {stands} as stands, workspace_id, {self.type} as type, {self.day} as day, "  # noqa: S608 - names of our own
            f"{self.entity_type} as entity_type, {self.entity_id} as entity_id, "
            f"cast({self.account_id} as varchar) as account_id, cast({self.platform} as varchar) as platform, "
            f"cast({self.metric} as varchar) as metric, cast({self.value} as double) as value from {relation}"
        )

    @property
    def facts(self) -> Sequence[str]:
        """The columns whose change is a change."""
        return [c.name for c in self.spec.columns if c.name not in _STAMPS]


WATCHED: tuple[WatchedTable, ...] = (
    # counter_readings is not watched: nothing is answered from it, and the hourly refresh brings it here
    WatchedTable(
        "daily_metrics", f"case when entity_type in {_POSTS} then '{POST_METRICS}' else '{METRICS}' end", "days", "date"
    ),
    WatchedTable(
        "content_metrics",
        f"'{POST_METRICS}'",
        None,
        "cast(null as date)",
        entity_type="'content'",
        entity_id="content_id",
        account_id="null",
        platform="'app'",
        metric="null",
        value="null",
    ),
    WatchedTable("weekly_metrics", f"'{AGGREGATES}'", "periods", "week_start"),
    WatchedTable("monthly_metrics", f"'{AGGREGATES}'", "periods", "month_start"),
    WatchedTable(
        "analytics_snapshots",
        f"'{AGGREGATES}'",
        "periods",
        "date",
        entity_type="case when account_id is null then 'workspace' else 'account' end",
        entity_id="coalesce(account_id, workspace_id)",
        platform="null",
        metric="null",
        value="null",
    ),
)
