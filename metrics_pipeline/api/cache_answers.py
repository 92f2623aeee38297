"""The shapes of what is asked of the cache itself, and of its statistics."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from metrics_pipeline.api.caching.globs import LONGEST_GLOB
from metrics_pipeline.shapes.words import Shape

TAG_KINDS = ("workspace", "account", "post", "definition", "dashboard")
MOST_TAGS = 100
_TAG = rf"^({'|'.join(TAG_KINDS)}):[\s\S]+$"


class Clearing(Shape):
    """Which answers to forget; without pattern and tags all that one may."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"pattern": "acme:dashboard:*", "tags": ["account:instagram-1"]}}
    )

    pattern: str | None = Field(
        None,
        max_length=LONGEST_GLOB,
        description="Over readable keys, `workspace:kind:entity:period:query:generation`: `*` is anything, `?` one "
        "character. Other characters than letters, digits and -._~/@,+= stand in keys as %XX.",
    )
    tags: list[Annotated[str, Field(max_length=300, json_schema_extra={"pattern": _TAG})]] = Field(
        [],
        max_length=MOST_TAGS,
        description="Answers that carry one of these, `kind:id`; kinds are " + ", ".join(TAG_KINDS) + ".",
    )
    workspace_id: str | None = Field(
        None,
        min_length=1,
        description="For an operator's key: whose answers; without it everybody's. Other keys have their own.",
    )


class Cleared(Shape):
    cleared: int = Field(description="Answers that were kept and are not any more.")


class ClearedAnswer(Shape):
    data: Cleared
    meta: dict[str, str]


class CacheCounts(Shape):
    """Requests by what became of them."""

    requests: int
    hits: int = Field(description="Answered with what was kept.")
    misses: int = Field(description="Computed.")
    shared: int = Field(description="Answered with what another request computed at the same time.")
    stale: int = Field(description="Answered with the last answer, because the tables could not be read.")
    errors: int = Field(description="Answered with an error, the caller's mistakes included.")
    hit_rate: float | None = Field(description="Hits of all requests, 0 to 1; null where there were none.")


class CacheGroup(CacheCounts):
    tier: str = Field(description="live, dashboard, aggregate or closed.")
    kind: str = Field(description="What was asked for.")


class CacheState(CacheCounts):
    backend: Literal["memory", "redis"]
    is_degraded: bool = Field(description="Redis is set up and does not answer: this process keeps answers by itself.")
    since: datetime = Field(description="From when on this process counts.")
    warmed: int | None = Field(description="Computed before anybody asked; for operators only.")
    entries: int = Field(description="Answers kept: in Redis where it is used, else in this process.")
    bytes: int = Field(description="What they take.")
    groups: list[CacheGroup]


class CacheStateAnswer(Shape):
    data: CacheState
    meta: dict[str, str]
