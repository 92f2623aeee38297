"""Daily series: what each post brought between instants, as the platform would say it at the instant asked.

A platform counts the young part of a day low and is final once the part is older than the settling time; the
hours after the instant asked do not exist yet. Everything is whole numbers per post and day, so days, posts and
account sums agree at any age of the data.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld

Increments = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Settling:
    """How a series settles: the part younger than `seconds` counts only for `share` of what it will."""

    seconds: int
    share: float


# Numbers follow the platforms' documented delays: Instagram, LinkedIn up to 48 hours, YouTube complete within a week.
LINKEDIN_SETTLING = Settling(48 * 3_600, 0.9)
PINTEREST_SETTLING = Settling(48 * 3_600, 0.9)
INSTAGRAM_SETTLING = META_SETTLING = Settling(48 * 3_600, 0.85)
YOUTUBE_SETTLING = Settling(6 * 86_400, 0.97)
TIKTOK_SETTLING = Settling(4 * 86_400, 0.9)
IMMEDIATE = Settling(0, 1.0)


def increments(
    account: AccountWorld,
    posts: Sequence[Post],
    names: Sequence[str],
    edges: Sequence[float],
    at: float,
    settling: Settling,
) -> Mapping[str, Increments]:
    """Per counter name an array (posts x spans): what each post brought between consecutive edges.

    Args:
        edges: ascending Unix seconds; n+1 edges bound n spans.
        at: the instant asked; later spans are 0, the running one is partial.
    """
    spans = max(len(edges) - 1, 0)
    if not posts or not spans:
        return {name: np.zeros((len(posts), spans), dtype=np.int64) for name in names}
    bounds = [min(edge, at) for edge in edges]
    mature = [min(max(at - settling.seconds, low), high) for low, high in itertools.pairwise(bounds)]
    shares = _grown(account, posts, [*bounds, *mature])
    result: dict[str, Increments] = {}
    for name in names:
        totals = np.array([post.totals[name] for post in posts])[:, None]
        counts = (totals * shares).astype(np.int64)
        start, end, turn = counts[:, :spans], counts[:, 1 : spans + 1], counts[:, spans + 1 :]
        young = ((end - turn) * settling.share).astype(np.int64)
        result[name] = turn - start + young
    return result


def settled_change(before: int, turn: int, after: int, settling: Settling) -> int:
    """The same rule for a single rising count: final up to `turn`, scaled from there on."""
    return turn - before + int((after - turn) * settling.share)


def follower_changes(
    account: AccountWorld, edges: Sequence[float], at: float, settling: Settling
) -> list[tuple[int, int]]:
    """(gained, lost) between consecutive edges, as known at `at`."""
    result = []
    for low, high in itertools.pairwise(edges):
        start, end = min(low, at), min(high, at)
        turn = min(max(at - settling.seconds, start), end)
        gained = settled_change(account.gained(start), account.gained(turn), account.gained(end), settling)
        lost = settled_change(account.lost(start), account.lost(turn), account.lost(end), settling)
        result.append((gained, lost))
    return result


def _grown(account: AccountWorld, posts: Sequence[Post], instants: Sequence[float]) -> NDArray[np.float64]:
    """Post.grown for all posts (rows) at all instants (columns), with the very same operations."""
    clock = np.array([account.attention(t) for t in instants])[None, :]
    horizon = np.array([post.horizon for post in posts])[:, None]
    half_life = np.array([post.half_life for post in posts])[:, None]
    age = np.clip(clock - np.array([post.attention for post in posts])[:, None], 0.0, horizon)
    share = np.minimum(age / (age + half_life) * ((horizon + half_life) / horizon), 1.0)
    return np.where(age >= horizon, 1.0, share)
