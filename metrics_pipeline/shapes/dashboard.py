"""The dashboard of a workspace."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from metrics_pipeline.shapes.lists import ContentItem
from metrics_pipeline.shapes.series import Meta, Series, Total
from metrics_pipeline.shapes.words import Shape


class AccountOfDashboard(Shape):
    account_id: str
    platform: str
    metrics: dict[str, Total] = Field(description="By metric.")


class WeekGrowth(Shape):
    metric: str
    label: str
    unit: str
    platform: str
    value: float | None
    previous_value: float | None
    change: float | None
    growth_rate: float | None = Field(description="Null where it would mean nothing: see growth_state.")
    growth_state: str
    days_present: int
    days_expected: int
    is_complete: bool
    is_provisional: bool | None
    reason: str | None


class Growth(Shape):
    week_start: date = Field(description="The last week that is over.")
    metrics: list[WeekGrowth]


class TopPost(Shape):
    """A post of a platform and what the span added to it."""

    platform: str
    account_id: str | None
    post_id: str
    post_type: str | None
    title: str | None
    permalink: str | None
    published_at: datetime | None
    engagement: float | None
    views: float | None
    impressions: float | None
    likes: float | None
    comments: float | None
    shares: float | None
    saves: float | None
    last_read_at: datetime | None


class CoveredDay(Shape):
    """How much of what was asked on one day a platform gave."""

    date: date
    platform: str
    collection: str
    accounts_asked: int
    accounts_with_value: int
    coverage: float
    metrics_failed: int
    metrics_not_permitted: int
    last_read_at: datetime | None


class DashboardData(Shape):
    workspace_id: str
    series: list[Series] = Field(description="Of the whole workspace, by metric and platform, with their totals.")
    accounts: list[AccountOfDashboard]
    growth: Growth
    top_posts: list[TopPost]
    top_content: list[ContentItem]
    trending: list[ContentItem]
    coverage: list[CoveredDay] = Field(description="Of today and yesterday.")


class DashboardAnswer(Shape):
    data: DashboardData
    meta: Meta
