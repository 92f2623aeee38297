"""`POST /v1/cache:invalidate` and `GET /v1/admin/cache`: clearing kept answers by hand, and how well they serve."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import ValidationError

from metrics_pipeline.api.answers import ERRORS, NOT_FOUND
from metrics_pipeline.api.bodies import read_json
from metrics_pipeline.api.cache_answers import (
    TAG_KINDS,
    CacheCounts,
    CacheGroup,
    CacheState,
    CacheStateAnswer,
    Cleared,
    ClearedAnswer,
    Clearing,
)
from metrics_pipeline.api.caching.entries import CacheAway
from metrics_pipeline.api.caching.statistics import Counts
from metrics_pipeline.api.callers import Admin
from metrics_pipeline.api.problems import Problem, unavailable
from metrics_pipeline.api.services import Parts

_BODY_BYTES = 65_536
_BODY: dict[str, object] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Clearing.model_json_schema()}}}
}

router = APIRouter(prefix="/v1", tags=["cache"])


@router.post("/cache:invalidate", responses={**ERRORS, **NOT_FOUND}, openapi_extra=_BODY, name="invalidate_cache")
async def invalidate(request: Request, caller: Admin, parts: Parts) -> ClearedAnswer:
    """Forget kept answers, by hand; `{}` forgets all of the workspace's.

    Not needed after new data: answers are kept by the data they were computed from. A workspace's key clears its own
    answers, an operator's those of one workspace or of all. With a pattern and tags, answers that both name are
    cleared. What is being computed at that moment is not kept either.
    """
    wanted = _clearing(await read_json(request, _BODY_BYTES))
    named = wanted.workspace_id or caller.workspace_id
    tenant = None if named is None else caller.visible(named)
    _check_tags(wanted.tags)
    try:
        cleared = await parts.cache.clear(tenant=tenant, pattern=wanted.pattern, tags=wanted.tags)
    except CacheAway:
        raise unavailable("Redis does not answer; what it keeps was not cleared.", "cache_unreachable") from None
    return ClearedAnswer(data=Cleared(cleared=cleared), meta={})


@router.get("/admin/cache", responses=ERRORS, name="cache_statistics")
async def statistics(caller: Admin, parts: Parts) -> CacheStateAnswer:
    """How often answers were kept ones: for a workspace's key of its own requests, for an operator's of all.

    Requests are counted by each process since it began; `entries` and `bytes` are of all processes where they share a
    Redis.
    """
    stats = parts.cache.stats(caller.workspace_id)
    is_shared = await parts.cache.is_shared()
    held = await parts.cache.held(caller.workspace_id)
    groups = [
        CacheGroup(tier=tier.value, kind=kind, **_counts(counts).model_dump())
        for (tier, kind), counts in sorted(stats.groups.items(), key=lambda item: (item[0][0].value, item[0][1]))
    ]
    state = CacheState(
        backend=parts.cache.backend,
        is_degraded=not is_shared,
        since=stats.since,
        warmed=stats.warmed if caller.workspace_id is None else None,
        entries=held.entries,
        bytes=held.bytes,
        groups=groups,
        **_counts(stats).model_dump(),
    )
    return CacheStateAnswer(data=state, meta={})


def _clearing(given: object) -> Clearing:
    """The body. Raises Problem 422 with the places that cannot be used, and never their values."""
    try:
        return Clearing.model_validate(given)
    except ValidationError as error:
        errors = [
            {"code": found["type"], "pointer": _pointer(found["loc"]) if found["type"] != "extra_forbidden" else ""}
            for found in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise Problem(422, "invalid_request", "The body cannot be used.", extensions={"errors": errors}) from None


def _pointer(place: tuple[int | str, ...]) -> str:
    return "".join(f"/{part}" for part in place)


def _check_tags(tags: list[str]) -> None:
    for number, tag in enumerate(tags):
        kind, _, name = tag.partition(":")
        if kind not in TAG_KINDS or not name:
            detail = f"A tag is written kind:id; kinds are {', '.join(TAG_KINDS)}."
            raise Problem(422, "unknown_tag", detail, extensions={"pointer": f"/tags/{number}"})


def _counts(counts: Counts) -> CacheCounts:
    return CacheCounts(
        requests=counts.requests,
        hits=counts.hits,
        misses=counts.misses,
        shared=counts.shared,
        stale=counts.stale,
        errors=counts.errors,
        hit_rate=counts.hit_rate,
    )
