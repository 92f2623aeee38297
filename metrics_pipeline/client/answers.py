"""Answers that can do more for those who ask than for the server that gives them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from metrics_pipeline.shapes.content import ContentMeta
from metrics_pipeline.shapes.definitions import CustomValuesAnswer as SharedCustomValuesAnswer
from metrics_pipeline.shapes.series import SeriesAnswer as SharedSeriesAnswer

if TYPE_CHECKING:
    import pandas as pd


class SeriesAnswer(SharedSeriesAnswer):
    """Series of numbers, and what they rest on."""

    def to_frame(self) -> pd.DataFrame:
        """The points as rows, with metric, platform and account in front; columns without any value are left out.

        `start` is a timestamp in UTC. Needs pandas.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = [
            {
                "metric": series.metric,
                "platform": series.platform,
                "account_id": series.account_id,
                **point.model_dump(exclude={"weekly_breakdown"}),
            }
            for series in self.data.series
            for point in series.points
        ]
        columns = ["metric", "platform", "account_id", "start", "value"]
        frame = pd.DataFrame(rows, columns=None if rows else columns)
        for name in ("start", "end", "last_read_at"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], utc=True)
        empty = [name for name in frame if name not in columns and frame[name].isna().all()]
        return frame.drop(columns=empty)


class CustomValuesAnswer(SharedCustomValuesAnswer):
    """Values of a custom metric, and what they rest on."""

    def to_frame(self) -> pd.DataFrame:
        """The values as rows, each field of a breakdown a column; `start` and `end` are days. Needs pandas."""
        import pandas as pd

        fields = self.meta.dimensions
        columns = ["start", "end", *fields, "value", "state", "is_complete", "version"]
        columns += ["label"] if self.meta.calendar is not None else []
        rows = [{**value.dimensions, **value.model_dump(exclude={"dimensions"})} for value in self.data.values]
        frame = pd.DataFrame(rows, columns=columns)
        for name in ("start", "end"):
            frame[name] = pd.to_datetime(frame[name])
        return frame


class ContentAttributes(BaseModel):
    """What an application says of a content item. Sent, they replace all there were: None is unknown."""

    creator_id: str | None = Field(None, description="Who published it.")
    content_type: str | None = Field(None, description="The application's own kind: video, short, article, ...")
    caption: str | None = None
    thumbnail_url: str | None = None
    duration_seconds: float | None = None
    published_at: datetime | None = Field(None, description="With an offset.")
    deleted_at: datetime | None = Field(None, description="When it was taken down.")
    updated_at: datetime | None = Field(None, description="When these attributes were given; the server's to say.")
    metadata: dict[str, Any] | None = None


class ContentState(BaseModel):
    """The item's row of the table content_metrics (docs/tables.md). Columns not named here are in `model_extra`."""

    model_config = ConfigDict(extra="allow")

    first_date: date | None
    last_date: date | None
    views: int | None
    unique_viewers: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    saves: int | None
    watch_time_seconds: float | None
    average_watch_time: float | None
    median_watch_time: float | None
    completion_rate: float | None
    engagement_rate: float | None
    share_rate: float | None
    rewatch_rate: float | None
    views_per_hour: float | None
    peak_views_per_hour: float | None
    peak_at: datetime | None
    trend: str | None
    is_trending: bool | None
    quality_score: float | None
    quality_confidence: float | None
    vs_creator_average: float | None
    vs_platform_average: float | None
    rank_position: int | None
    published_at: datetime | None
    deleted_at: datetime | None
    approximate: bool | None
    computed_at: datetime | None


class Content(BaseModel):
    """What is known of one content item."""

    content_id: str
    workspace_id: str
    attributes: ContentAttributes | None = Field(description="None where nobody gave any.")
    metrics: ContentState | None = Field(description="None where nothing was counted yet.")


class ContentAnswer(BaseModel):
    data: Content
    meta: ContentMeta
