"""Lists over the lake, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from metrics_pipeline.api.paging import Place, cursor_after, place_of
from metrics_pipeline.api.reading.connection import ReadConnection
from metrics_pipeline.api.reading.times import Span
from metrics_pipeline.lake.connect import read_statement
from metrics_pipeline.lake.predicates import Partitions
from metrics_pipeline.lake.session import Parameter, Session

Row = dict[str, Any]
_ORDER = ("sort_value", "sort_id")


@dataclass(frozen=True)
class Listed:
    """A statement of sql/api/ with `sort_value` and `sort_id`, the tables it reads, and what it is given.

    days: (first, end) of the days that are read of tables that have days.
    """

    statement: str
    tables: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    days: tuple[date, date] | None = None
    question: Mapping[str, object] = field(default_factory=dict)

    def generation(self, reads: ReadConnection) -> str:
        """Changes whenever a file that the list would be read from does."""
        return reads.tables.generation(dict.fromkeys(self.tables) | self.partitions(reads))

    def page(self, reads: ReadConnection, limit: int, cursor: str | None) -> tuple[list[Row], str | None]:
        """Rows of a page, and the cursor of the next one.

        Raises:
            Problem: 400, the cursor is none, or of another question.
            LakeUnavailable: a table cannot be read.
        """
        after = place_of(self.question, cursor)
        with reads.session(*self.tables, only=self.partitions(reads)) as session:
            return self.page_in(session, limit, after)

    def page_in(self, session: Session, limit: int, after: Place | None) -> tuple[list[Row], str | None]:
        """As `page`, in a session that may read the tables."""
        beyond = (
            ""
            if after is None
            else ("where sort_value < $after_value or (sort_value = $after_value and sort_id > $after_id) ")
        )
        ordered = (
            f"select * from ({read_statement(self.statement)}) {beyond}"  # noqa: S608 - a file of sql/
            f"order by sort_value desc, sort_id limit {limit + 1:d}"
        )
        parameters = dict(self.parameters)
        if after is not None:
            parameters |= {"after_value": after.value, "after_id": after.id}
        rows: list[Row] = session.run(ordered, parameters).read_all().to_pylist()
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = cursor_after(self.question, Place(last["sort_value"], last["sort_id"]))
        return [{name: row[name] for name in row if name not in _ORDER} for row in rows[:limit]], following

    def partitions(self, reads: ReadConnection) -> dict[str, Partitions]:
        """What is read of tables that have days."""
        return {} if self.days is None else reads.within(self.days, *self.tables)


def top_performing_in(workspace_id: str, creator_id: str, sort: str, span: Span) -> Listed:
    """Content of a workspace, or of one creator where one is named, by what it did in a span."""
    asked: dict[str, Parameter] = {
        "workspace_id": workspace_id,
        "creator_id": creator_id,
        "sort": sort,
        "first": span.first,
        "end": span.end,
    }
    tables = ("content", "content_daily", "content_metrics")
    question = {"list": "top_performing", **asked}
    return Listed("api/top_performing.sql", tables, asked, (span.first, span.end), question)


def snapshots_in(workspace_id: str, snapshot_type: str, of: str, account_id: str, span: Span) -> Listed:
    """Snapshots of the periods that begin in a span: `of` all, or the workspace only, or of one account if named."""
    asked: dict[str, Parameter] = {
        "workspace_id": workspace_id,
        "snapshot_type": snapshot_type,
        "of": of,
        "account_id": account_id,
        "first": span.first,
        "end": span.end,
    }
    days = (span.first, span.end)
    return Listed("api/snapshots.sql", ("analytics_snapshots",), asked, days, {"list": "snapshots", **asked})


def trending_in(workspace_id: str) -> Listed:
    """Content of a workspace that is trending now, most first."""
    question = {"list": "trending", "of": workspace_id}
    return Listed("api/trending.sql", ("content", "content_metrics"), {"workspace_id": workspace_id}, question=question)
