"""The simulated accounts: pure functions of seed, platform, account id and instant.

Every counter is a total times a share that only grows, so what a day brings is the difference of two readings
and all sums agree by construction. Posts appear in slots of two to three days; one request therefore looks at the
posts of its window and of the two months before, never at years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from datetime import UTC, datetime
from functools import lru_cache
from math import pi, sin

from metrics_pipeline.sandbox.draws import DRAWS_PER_KEY, draws, stepped
from metrics_pipeline.sandbox.ids import MAX_INDEX, exists
from metrics_pipeline.sandbox.posts import GROWTH_HOURS, Post, make_post
from metrics_pipeline.sandbox.zones import DAY_SECONDS, HOUR_SECONDS

_FIRST_CREATION = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp())
_CREATION_SPAN = 3 * 365 * DAY_SECONDS
_ATTENTION_JITTER = 0.6
_DAILY_SWING = 1.2  # hours; keeps the attention clock rising: its slope stays above 0.08
_FOLLOW_JITTER = 0.8
# Real hours after which every post has stopped growing: the horizon plus all that the attention clock can lag.
_ACTIVE_SECONDS = int((GROWTH_HOURS + 24 * _ATTENTION_JITTER + 2 * _DAILY_SWING + 2) * HOUR_SECONDS)
_CACHE_LIMIT = 5_000


class AccountWorld:
    """One account: its posts, its followers and the pace of its audience. Instants are Unix seconds."""

    def __init__(self, seed: int, platform: str, external_id: str) -> None:
        self.platform = platform
        self.external_id = external_id
        self.given_name: str | None = None
        self.given_type: str | None = None
        self._key: tuple[object, ...] = (seed, platform, external_id)
        luck = draws(*self._key, "account")
        self.created = _FIRST_CREATION + int(_CREATION_SPAN * luck[0]) // HOUR_SECONDS * HOUR_SECONDS
        self.audience = 2_000.0 * 60.0 ** luck[1]
        self.slot = int((1.8 + 1.2 * luck[2]) * DAY_SECONDS)
        self._gain_rate = self.audience * (0.0008 + 0.0008 * luck[3])
        # Almost as many leave as come (posts bring about 0.0025 follows a view), so the level drifts slowly upwards.
        from_posts = self.audience * 0.25 * 1.9 * 0.0025 / (self.slot / DAY_SECONDS)
        self._loss_rate = 0.94 * (self._gain_rate + from_posts)
        self.following = 50 + int(900 * luck[4])
        self.listed = int(self.audience * 0.004 * luck[5])
        self._blocks: dict[tuple[str, int], tuple[float, ...]] = {}
        self._attention: dict[float, float] = {}
        self._gained: dict[float, int] = {}
        self._posts: dict[int, Post] = {}
        self._retired: dict[str, list[int]] = {}

    @property
    def name(self) -> str:
        """A user name made from the id, unless its owner chose another."""
        return (
            self.given_name or "sandbox_" + "".join(c if c.isalnum() else "_" for c in self.external_id.lower())[-20:]
        )

    def called(self, name: str, account_type: str | None) -> AccountWorld:
        """The same account under another name and type."""
        renamed = copy(self)  # shares what was computed: a name changes no number
        renamed.given_name, renamed.given_type = name, account_type
        return renamed

    def attention(self, instant: float) -> float:
        """The attention clock in hours: rises with time, faster on good days and in the evening."""
        known = self._attention.get(instant)
        if known is None:
            day = (instant - self.created) / DAY_SECONDS
            known = stepped(24.0, _ATTENTION_JITTER, lambda n: self._level("attention", n), day)
            known += _DAILY_SWING * sin(2 * pi * day)
            if len(self._attention) > _CACHE_LIMIT:
                self._attention.clear()
            self._attention[instant] = known
        return known

    def post(self, index: int) -> Post:
        """The post number `index`, counted from the account's creation."""
        known = self._posts.get(index)
        if known is None:
            if len(self._posts) > _CACHE_LIMIT // 10:
                self._posts.clear()
            known = self._posts[index] = self._make(index)
        return known

    def newest_index(self, instant: float) -> int:
        """The number of the last post published at or before `instant`; -1 before the first."""
        index = min(int((instant - self.created) // self.slot), MAX_INDEX)
        while index >= 0 and self._published(index) > instant:
            index -= 1
        return max(index, -1)

    def newest_first(self, instant: float, from_index: int | None = None) -> Iterator[Post]:
        """Posts published by `instant`, newest first, optionally from post number `from_index` downwards."""
        newest = self.newest_index(instant)
        for index in range(newest if from_index is None else min(from_index, newest), -1, -1):
            yield self.post(index)

    def active_posts(self, start: float, end: float) -> list[Post]:
        """The posts whose counters can move in [start, end), oldest first."""
        oldest = max(self.newest_index(start - _ACTIVE_SECONDS) + 1, 0)
        return [self.post(index) for index in range(oldest, self.newest_index(end) + 1)]

    def counter(self, post: Post, name: str, instant: float) -> int:
        """A post's lifetime counter as it stands at `instant`."""
        return int(post.totals[name] * post.grown(self.attention(instant)))

    def total(self, name: str, instant: float) -> int:
        """A counter summed over all posts of the account as they stand at `instant`."""
        active = self.active_posts(instant, instant)
        retired = active[0].index if active else self.newest_index(instant) + 1
        sums = self._retired.setdefault(name, [0])
        while len(sums) <= retired:
            sums.append(sums[-1] + int(self._make(len(sums) - 1).totals[name]))
        return sums[retired] + sum(self.counter(post, name, instant) for post in active)

    def gained(self, instant: float) -> int:
        """Followers won since creation: those brought by posts and those who came by themselves."""
        known = self._gained.get(instant)
        if known is None:
            if len(self._gained) > _CACHE_LIMIT:
                self._gained.clear()
            known = self.total("follows", instant) + self._drift("gained", self._gain_rate, instant)
            self._gained[instant] = known
        return known

    def lost(self, instant: float) -> int:
        """Followers gone since creation."""
        return self._drift("lost", self._loss_rate, instant)

    def followers(self, instant: float) -> int:
        """The follower level: what the account began with, plus won, minus gone."""
        return int(self.audience) + self.gained(instant) - self.lost(instant)

    def listed_posts(self, instant: float) -> int:
        """Posts the platform counts on the account (stories are not counted)."""
        newest = self.newest_index(instant)
        sums = self._retired.setdefault("listed", [0])
        while len(sums) <= newest + 1:
            sums.append(sums[-1] + int(self._make(len(sums) - 1).totals["listed"]))
        return sums[newest + 1]

    def luck(self, *key: object) -> float:
        """A draw in [0, 1) for anything else that belongs to this account."""
        return draws(*self._key, *key)[0]

    def _published(self, index: int) -> int:
        return self.created + index * self.slot + int(0.8 * self.slot * self._level("slot", index))

    def _make(self, index: int) -> Post:
        published = self._published(index)
        return make_post(self._key, self.platform, index, published, self.attention(published), self.audience)

    def _drift(self, name: str, rate: float, instant: float) -> int:
        days = max((instant - self.created) / DAY_SECONDS, 0.0)
        return int(stepped(rate, _FOLLOW_JITTER, lambda n: self._level(name, n), days)) - int(
            stepped(rate, _FOLLOW_JITTER, lambda n: self._level(name, n), 0.0)
        )

    def _level(self, name: str, number: int) -> float:
        block, place = divmod(number, DRAWS_PER_KEY)
        known = self._blocks.get((name, block))
        if known is None:
            if len(self._blocks) > _CACHE_LIMIT:
                self._blocks.clear()
            known = self._blocks[(name, block)] = draws(*self._key, name, block)
        return known[place]


Rename = Callable[[AccountWorld, float], AccountWorld]


class World:
    """All accounts of one seed; `rename` tells under which name an account goes at an instant."""

    def __init__(self, seed: int, rename: Rename = lambda account, _instant: account) -> None:
        self.seed = seed
        self._rename = rename

    def account(self, platform: str, external_id: str, instant: float) -> AccountWorld | None:
        """The account, or None where the id is nobody's or the account was not yet created at `instant`."""
        if not exists(external_id):
            return None
        account = _account(self.seed, platform, external_id)
        return self._rename(account, instant) if account.created <= instant else None


@lru_cache(maxsize=2_048)
def _account(seed: int, platform: str, external_id: str) -> AccountWorld:
    return AccountWorld(seed, platform, external_id)
