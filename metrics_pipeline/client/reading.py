"""What can be read: one method for each path, and iterators over the pages of lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import Literal, TypedDict, Unpack

from metrics_pipeline.client.answers import ContentAnswer, SeriesAnswer
from metrics_pipeline.client.asking import Asking
from metrics_pipeline.client.link import segment
from metrics_pipeline.client.pages import rows_of
from metrics_pipeline.shapes.accounts import AccountsAnswer
from metrics_pipeline.shapes.dashboard import DashboardAnswer
from metrics_pipeline.shapes.lists import (
    ContentItem,
    ContentListAnswer,
    CreatorAnswer,
    Snapshot,
    SnapshotsAnswer,
    Watched,
    WatchHistoryAnswer,
)

Compare = Literal["none", "previous_period", "previous_year"]
Names = str | Sequence[str]


class SpanOptions(TypedDict, total=False):
    """Which days: `start` and `end` (exclusive), or `range` such as last_30d or mtd, or `days` up to yesterday."""

    start: date | datetime | str
    end: date | datetime | str
    range: str
    days: int


class SeriesOptions(SpanOptions, total=False):
    """What to ask of an entity's numbers; metric and platform are one name or several."""

    metric: Names
    platform: Names
    granularity: Literal["hour", "day", "week", "month"]
    compare: Compare
    as_of: date | datetime | str
    timezone: str


class EntityOptions(SeriesOptions, total=False):
    """The same. workspace_id: for an operator's key, which belongs to none."""

    workspace_id: str


class PageOptions(TypedDict, total=False):
    """A page of a list. workspace_id: for an operator's key, which belongs to none."""

    limit: int
    cursor: str
    workspace_id: str


class DaysPageOptions(PageOptions, total=False):
    days: int


class CreatorContentOptions(DaysPageOptions, total=False):
    sort: Literal["recent", "views", "engagement", "quality"]


class TopOptions(SpanOptions, PageOptions, total=False):
    sort: Literal["views", "engagement", "quality"]
    creator_id: str


class SnapshotOptions(SpanOptions, total=False):
    """type: the length of the periods. of: the workspace and each account, or the workspace only."""

    type: Literal["daily", "weekly", "monthly"]
    of: Literal["all", "workspace"]
    account_id: str
    limit: int
    cursor: str


class Reading(Asking):
    """The reading half of the client. Scope `read`."""

    def accounts(self) -> AccountsAnswer:
        """The connected accounts, and which of them need somebody."""
        return self._get(AccountsAnswer, "/v1/accounts")

    def workspace_metrics(self, workspace_id: str, **options: Unpack[SeriesOptions]) -> SeriesAnswer:
        """Numbers of a whole workspace: a series per metric and platform."""
        return self._get(SeriesAnswer, f"/v1/workspaces/{segment(workspace_id)}/metrics", **options)

    def account_metrics(self, account_id: str, **options: Unpack[EntityOptions]) -> SeriesAnswer:
        """Numbers of one account of a platform."""
        return self._get(SeriesAnswer, f"/v1/accounts/{segment(account_id)}/metrics", **options)

    def post_metrics(
        self, post_id: str, *, account_id: str | None = None, **options: Unpack[EntityOptions]
    ) -> SeriesAnswer:
        """Numbers of one post, by the platform's id of it; account_id where two accounts have a post of this id."""
        return self._get(SeriesAnswer, f"/v1/posts/{segment(post_id)}/metrics", account_id=account_id, **options)

    def content_metrics(self, content_id: str, **options: Unpack[EntityOptions]) -> SeriesAnswer:
        """Numbers of one first-party content item, also by the hour and in days of a time zone."""
        return self._get(SeriesAnswer, f"/v1/content/{segment(content_id)}/metrics", **options)

    def creator_metrics(self, creator_id: str, **options: Unpack[EntityOptions]) -> SeriesAnswer:
        """Numbers of a creator's content together."""
        return self._get(SeriesAnswer, f"/v1/creators/{segment(creator_id)}/metrics", **options)

    def dashboard(
        self, workspace_id: str, *, metric: Names = (), compare: Compare = "none", **span: Unpack[SpanOptions]
    ) -> DashboardAnswer:
        """A workspace on one page; the last 30 days by default."""
        path = f"/v1/workspaces/{segment(workspace_id)}/dashboard"
        return self._get(DashboardAnswer, path, metric=metric, compare=compare, **span)

    def creator_analytics(
        self,
        creator_id: str,
        *,
        compare: Compare = "none",
        workspace_id: str | None = None,
        **span: Unpack[SpanOptions],
    ) -> CreatorAnswer:
        """What a creator's content came to in a span: totals, best items, countries."""
        path = f"/v1/creators/{segment(creator_id)}/analytics"
        return self._get(CreatorAnswer, path, compare=compare, workspace_id=workspace_id, **span)

    def content(self, content_id: str, *, workspace_id: str | None = None) -> ContentAnswer:
        """What is known of one content item: its attributes, and the present state of its numbers."""
        return self._get(ContentAnswer, f"/v1/content/{segment(content_id)}", workspace_id=workspace_id)

    def snapshots(self, workspace_id: str, **options: Unpack[SnapshotOptions]) -> SnapshotsAnswer:
        """A page of snapshots, newest first."""
        return self._get(SnapshotsAnswer, f"/v1/workspaces/{segment(workspace_id)}/snapshots", **options)

    def iter_snapshots(self, workspace_id: str, **options: Unpack[SnapshotOptions]) -> Iterator[Snapshot]:
        """Every snapshot, page after page."""
        return rows_of(partial(self.snapshots, workspace_id, **options))

    def creator_content(self, creator_id: str, **options: Unpack[CreatorContentOptions]) -> ContentListAnswer:
        """A page of a creator's content with its lifetime numbers."""
        return self._get(ContentListAnswer, f"/v1/creators/{segment(creator_id)}/content", **options)

    def iter_creator_content(self, creator_id: str, **options: Unpack[CreatorContentOptions]) -> Iterator[ContentItem]:
        """All of a creator's content."""
        return rows_of(partial(self.creator_content, creator_id, **options))

    def trending(self, **options: Unpack[PageOptions]) -> ContentListAnswer:
        """A page of the content that rises beyond chance now, most first."""
        return self._get(ContentListAnswer, "/v1/trending", **options)

    def iter_trending(self, **options: Unpack[PageOptions]) -> Iterator[ContentItem]:
        """All of the content that rises."""
        return rows_of(partial(self.trending, **options))

    def top_performing(self, **options: Unpack[TopOptions]) -> ContentListAnswer:
        """A page of the workspace's content by what it did in a span of days."""
        return self._get(ContentListAnswer, "/v1/top-performing", **options)

    def iter_top_performing(self, **options: Unpack[TopOptions]) -> Iterator[ContentItem]:
        """All of the workspace's content by what it did."""
        return rows_of(partial(self.top_performing, **options))

    def watch_history(self, user_id: str, **options: Unpack[DaysPageOptions]) -> WatchHistoryAnswer:
        """A page of what a signed-in person watched, last first. The client does not remember it."""
        return self._get(WatchHistoryAnswer, f"/v1/users/{segment(user_id)}/watch-history", **options)

    def iter_watch_history(self, user_id: str, **options: Unpack[DaysPageOptions]) -> Iterator[Watched]:
        """All of what a person watched."""
        return rows_of(partial(self.watch_history, user_id, **options))
