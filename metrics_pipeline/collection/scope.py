"""What one account's turn covers: the account itself, posts up to an age, or only posts that were named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics_pipeline.catalog.cadence import Cadence
from metrics_pipeline.collection.known_posts import KnownPosts
from metrics_pipeline.platforms.contract import CollectionContext
from metrics_pipeline.windows import HOUR


@dataclass(frozen=True, slots=True)
class TurnScope:
    """post_hours: posts younger than this are due, 0 for none; only_posts: nothing but these posts is read."""

    post_hours: int
    only_posts: tuple[str, ...] = ()

    @classmethod
    def whole(cls, cadence: Cadence) -> TurnScope:
        """Everything that is read at all."""
        return cls(cadence.max_age // HOUR)

    @classmethod
    def due(cls, cadence: Cadence, since: datetime | None, at: datetime, first_weekday: int) -> TurnScope | None:
        """What is due at `at`, or None if nothing is; `since` is when the account was last read whole."""
        age = cadence.post_age(since, at, first_weekday)
        if age is not None:
            return cls(age // HOUR)
        return cls(0) if cadence.account_is_due(since, at) else None

    @property
    def age(self) -> timedelta:
        return self.post_hours * HOUR

    @property
    def levels(self) -> Sequence[str]:
        """The levels that an outcome is owed for."""
        if self.only_posts:
            return ("post",)
        return ("account", "post") if self.post_hours else ("account",)

    def context(self, now: datetime, observed_at: datetime, known: KnownPosts, oldest: datetime) -> CollectionContext:
        """What an adapter is told; `oldest` is the earliest publication of a known post that is still read."""
        if self.only_posts:
            return CollectionContext(now, observed_at, self.only_posts, None, reads_account=False)
        posts = known.between(oldest, observed_at) if self.post_hours else ()
        return CollectionContext(now, observed_at, posts, self.age if self.post_hours else None)
