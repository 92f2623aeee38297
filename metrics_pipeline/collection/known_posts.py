"""The posts of one account that a run knows of: what to ask about besides the posts a listing shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from metrics_pipeline.platforms.contract import Post

# A listing shows every story that is up, and one that has expired was not deleted.
NEVER_LOOKED_UP = "story"


@dataclass(slots=True)
class KnownPosts:
    """Post ids with their instant of publication.

    A run over several hours learns from each of them, so that it ends where a run per hour would.
    """

    published: dict[str, datetime] = field(default_factory=dict)

    def between(self, oldest: datetime, instant: datetime) -> list[str]:
        """Posts that were up at `instant` and not older than `oldest`.

        A post published later must not be asked about: it would be taken for a deleted one.
        """
        return sorted(post_id for post_id, at in self.published.items() if oldest <= at <= instant)

    def learn(self, posts: Iterable[Post]) -> None:
        """Add the posts that were seen, forget those found gone."""
        for post in posts:
            if post.deleted:
                self.published.pop(post.post_id, None)
            elif post.published_at is not None and post.post_type != NEVER_LOOKED_UP:
                self.published[post.post_id] = post.published_at
