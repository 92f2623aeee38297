"""What HTTP knows of caching: entity tags, and headers that say how fresh an answer is (RFC 9110, 9111, 9211)."""

from __future__ import annotations

import hashlib
import math
import re

from metrics_pipeline.api.caching.entries import Found
from metrics_pipeline.api.caching.keys import Tier

# Clients ask again after this long; with the ETag that is cheap.
RUNNING_SECONDS = 30
CLOSED_SECONDS = 300  # closed periods are restated now and then, so not for ever
_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def etag_of(tenant: str, media_type: str, body: bytes) -> str:
    """A strong entity tag: the same for the same bytes of the same tenant, and for nothing else."""
    digest = hashlib.sha256()
    for part in (tenant.encode("utf-8", "surrogatepass"), media_type.encode(), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return f'"{digest.hexdigest()[:24]}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether a client that sends this If-None-Match has the answer already, so that a 304 is enough."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in _ENTITY_TAG.findall(if_none_match)


def cache_headers(tier: Tier, found: Found) -> dict[str, str]:
    """What clients may do with an answer, and where it came from."""
    if found.status == "stale":
        control = "private, no-cache"  # kept, but never shown again without asking
    else:
        control = f"private, max-age={CLOSED_SECONDS if tier is Tier.CLOSED else RUNNING_SECONDS}"
    return {
        "Cache-Control": control,
        "Age": str(max(0, math.floor(found.age_seconds))),
        "Vary": "Authorization, Accept",
        "Cache-Status": "; ".join(["metrics-pipeline", *_status(found)]),
    }


def _status(found: Found) -> list[str]:
    ttl = f"ttl={math.floor(found.ttl_seconds)}"
    details = ["redis-away"] if found.is_degraded else []
    parts = {
        "hit": ["hit", ttl],
        "miss": ["fwd=miss", "stored", ttl],
        "shared": ["fwd=miss", "collapsed", ttl],
        "stale": ["hit", ttl],
    }[found.status]
    if found.status == "stale":
        details.insert(0, "stale-if-error")
    return parts + ([f'detail="{", ".join(details)}"'] if details else [])
