"""Lists, their pages, and what is in them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from metrics_pipeline.shapes.series import Total
from metrics_pipeline.shapes.words import Shape

CacheTier = Literal["live", "dashboard", "aggregate", "closed"]


class ListMeta(Shape):
    """Where the list goes on, and what it rests on."""

    next_cursor: str | None = Field(description="For the next page, with the same parameters; null on the last.")
    has_more: bool
    start: date | None = Field(None, description="First day that counts, where days do.")
    end: date | None = Field(None, description="Exclusive.")
    data_through: datetime | None = Field(description="When the newest of its numbers was computed or read.")
    generation: str = Field(description="Of the page: changes whenever a row does, and with nothing else.")
    cache: CacheTier


class ContentItem(Shape):
    """One content item and its numbers; which there are follows from the list. Rates are of views, 0 to 1."""

    content_id: str
    creator_id: str | None
    content_type: str | None
    caption: str | None
    thumbnail_url: str | None
    published_at: datetime | None = Field(description="Its first day where the attributes do not say.")
    views: int | None = None
    unique_viewers: int | None = None
    likes: int | None = Field(None, description="Less those taken back.")
    comments: int | None = None
    shares: int | None = None
    saves: int | None = Field(None, description="Less those taken back.")
    engagement: int | None = Field(None, description="Likes, comments, shares and saves.")
    engagement_rate: float | None = None
    completion_rate: float | None = None
    watch_time_seconds: float | None = None
    average_watch_time: float | None = None
    quality_score: float | None = Field(None, description="0 to 100; null under 5 views.")
    quality_confidence: float | None = None
    trend: str | None = None
    is_trending: bool | None = None
    views_per_hour: float | None = None
    rank: float | None = None
    rank_position: int | None = None
    views_24h: int | None = None
    views_before: int | None = None
    expected_views: float | None = None
    trend_z: float | None = None
    trending_score: float | None = None
    position: int | None = None
    approximate: bool | None = None
    computed_at: datetime | None = None


class ContentListAnswer(Shape):
    data: list[ContentItem]
    meta: ListMeta


class Watched(Shape):
    """What one person watched of one item, over the days that raw events are kept."""

    content_id: str
    creator_id: str | None
    content_type: str | None
    first_watched_at: datetime
    last_watched_at: datetime
    days_watched: int
    views: int
    watch_time_seconds: float | None
    furthest_percent: float | None
    is_completed: bool | None


class WatchHistoryAnswer(Shape):
    data: list[Watched]
    meta: ListMeta


class Snapshot(Shape):
    """Everything known of an account, or a whole workspace, in one period; see docs/snapshots.md."""

    snapshot_type: Literal["daily", "weekly", "monthly"]
    date: date
    account_id: str | None = Field(description="Null for the whole workspace.")
    metrics: dict[str, Any] = Field(description="messages, campaigns, contacts, conversations, platforms.")
    generated_at: datetime
    completeness: float | None
    metrics_expected: int
    metrics_present: int
    metrics_complete: int
    is_complete: bool
    is_provisional: bool | None
    last_read_at: datetime | None


class SnapshotsAnswer(Shape):
    data: list[Snapshot]
    meta: ListMeta


class MetricTotal(Total):
    """A metric's days taken together."""

    metric: str
    label: str
    unit: str
    additivity: str
    per_item: float | None = Field(None, description="Sums: by content item that anything happened to in the span.")


class Country(Shape):
    country: str = Field(description="ISO 3166-1 alpha-2, or unknown.")
    views: int
    share: float | None = Field(description="Of the views whose country is known; null for unknown.")


class CreatorAnalytics(Shape):
    creator_id: str
    workspace_id: str
    contents: int = Field(description="Items that anything happened to in the span.")
    totals: list[MetricTotal]
    top_content: list[ContentItem]
    top_countries: list[Country]


class CreatorMeta(Shape):
    """What the numbers are about and rest on."""

    start: date
    end: date
    compared_start: date | None
    compared_end: date | None
    data_through: datetime | None
    complete: bool
    approximate: bool
    generation: str
    cache: CacheTier


class CreatorAnswer(Shape):
    data: CreatorAnalytics
    meta: CreatorMeta
