"""A page of a list as an answer of the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.cached_answers import Asked, answer, answer_unkept
from metrics_pipeline.api.caching.keys import Tier
from metrics_pipeline.api.paging import place_of
from metrics_pipeline.api.reading.formats import Raw, envelope, wanted_format
from metrics_pipeline.api.reading.lists import Listed, Row
from metrics_pipeline.api.services import Services

_JSON_ONLY = ("application/json",)


@dataclass(frozen=True)
class PageAsked:
    """A page as a route knows it. read_at: the column that says how new a row is; raw: columns that are JSON text."""

    workspace_id: str
    kind: str
    entity: str
    listed: Listed
    limit: int
    cursor: str | None
    tier: Tier = Tier.DASHBOARD
    read_at: str = "computed_at"
    raw: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default=())


async def answer_page(
    request: Request,
    parts: Services,
    caller: Caller,
    asked: PageAsked,
    exists: Callable[[], None] = lambda: None,
    *,
    is_kept: bool = True,
) -> Response:
    """The page. `exists` is called where the list is empty, and raises Problem 404 for an owner nothing is known of.

    is_kept: False for what names a person: computed anew each time, and clients keep it neither.

    Raises:
        Problem: 400, the cursor is none or of another list.
    """
    wanted_format(request.headers.get("accept"), _JSON_ONLY)
    place_of(asked.listed.question, asked.cursor)
    days = asked.listed.days
    whole = Asked(
        tenant=asked.workspace_id,
        kind=asked.kind,
        entity=asked.entity,
        period="" if days is None else f"{days[0]}..{days[1]}",
        query={**asked.listed.question, "limit": asked.limit, "cursor": asked.cursor},
        tier=asked.tier,
        tags=(f"workspace:{asked.workspace_id}", *asked.tags),
    )

    def body() -> bytes:
        rows, following = asked.listed.page(parts.reads, asked.limit, asked.cursor)
        if not rows and asked.cursor is None:
            exists()
        read: list[datetime] = [row[asked.read_at] for row in rows if row.get(asked.read_at) is not None]
        meta: dict[str, Any] = {
            "next_cursor": following,
            "has_more": following is not None,
            "start": None if days is None else days[0],
            "end": None if days is None else days[1],
            "data_through": max(read, default=None),
            "cache": asked.tier.value,
        }
        return envelope([_with_raw(row, asked.raw) for row in rows], meta)

    if not is_kept:
        return await answer_unkept(parts, body)
    return await answer(request, parts, caller, whole, lambda: asked.listed.generation(parts.reads), body)


def _with_raw(row: Row, raw: tuple[str, ...]) -> Row:
    return {name: Raw(value) if name in raw and value is not None else value for name, value in row.items()}
