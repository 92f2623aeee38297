"""Which posts are asked about besides those a listing shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from metrics_pipeline.collection.known_posts import KnownPosts
from metrics_pipeline.platforms.contract import Post

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
OLDEST = NOON - timedelta(days=35)


def test_only_posts_that_were_up_and_are_young_enough_are_asked_about() -> None:
    known = KnownPosts({"at once": NOON, "later": NOON + timedelta(seconds=1), "edge": OLDEST})
    known.published["old"] = OLDEST - timedelta(seconds=1)
    assert known.between(OLDEST, NOON) == ["at once", "edge"]


def test_a_run_learns_from_each_of_its_hours() -> None:
    known = KnownPosts({"gone": NOON})
    seen = [Post("new", published_at=NOON), Post("undated"), Post("up for a day", "story", NOON)]
    known.learn([*seen, Post("gone", deleted=True)])
    assert known.between(OLDEST, NOON) == ["new"]
