"""An answer from the cache, or computed: with its ETag, its freshness, and 304 for who has it already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from metrics_pipeline.api.auth import Caller
from metrics_pipeline.api.caching.conditional import cache_headers, etag_of, matches
from metrics_pipeline.api.caching.entries import Found, Made
from metrics_pipeline.api.caching.keys import CacheKey, Tier, canonical_query
from metrics_pipeline.api.problems import LakeUnavailable
from metrics_pipeline.api.services import Services

Run = Callable[[Callable[[], bytes]], Awaitable[bytes]]


@dataclass(frozen=True)
class Asked:
    """What is asked, as the cache knows it. media_type: of the answer."""

    tenant: str
    kind: str
    entity: str
    period: str
    query: dict[str, object]
    tier: Tier
    media_type: str = "application/json"
    tags: Collection[str] = ()

    def key(self, generation: str) -> CacheKey:
        query = canonical_query({**self.query, "media_type": self.media_type})
        return CacheKey(self.tenant, self.kind, self.entity, self.period, query, generation)


async def answer(
    request: Request,
    parts: Services,
    caller: Caller,
    asked: Asked,
    generation: Callable[[], str],
    compute: Callable[[], bytes],
    *,
    run: Run | None = None,
    is_warmed: bool = True,
) -> Response:
    """The answer to a GET.

    generation: of the data it would be computed from. compute: makes the body, in a thread; it may raise Problem.
    run: in which threads, where not in those of the lake. is_warmed: whether it is asked again after tables changed.
    """
    caller.visible(asked.tenant)  # routes have asked already; what they forget is not answered all the same

    async def found() -> Found:
        try:
            named = await asyncio.to_thread(generation)
        except LakeUnavailable:
            named = ""  # of no data: nothing kept fits, so it is computed, fails, and the last answer stands in
        key = asked.key(named)

        async def made() -> Made:
            body = await (run or parts.reads.run)(compute)
            return Made(body, asked.media_type, etag_of(asked.tenant, asked.media_type, body))

        answered = await parts.cache.get_or_compute(key, asked.tier, made, tags=asked.tags)
        if is_warmed:
            parts.warmer.remember(key.stable, found)  # a question that cannot be answered is not asked again
        return answered

    given = await found()
    parts.measures.count_cached(asked.kind, given.status)
    entry = given.entry
    headers = {"ETag": entry.etag, **cache_headers(asked.tier, given)}
    if matches(request.headers.get("if-none-match"), entry.etag):
        return Response(status_code=304, headers=headers)
    return Response(entry.body, media_type=entry.media_type, headers=headers)


async def answer_unkept(parts: Services, compute: Callable[[], bytes]) -> Response:
    """The answer to a GET that names a person: no cache keeps it, ours or another."""
    body = await parts.reads.run(compute)
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
