"""X renames its vocabulary endpoint by endpoint: retweet and tweet become repost and post. Both are spoken here."""

from __future__ import annotations

from collections.abc import Mapping

from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.parsing import Fields

# Newer name -> older name, in answers.
OLDER = {
    "repost_count": "retweet_count",
    "post_count": "tweet_count",
    "edit_history_post_ids": "edit_history_tweet_ids",
    "referenced_posts": "referenced_tweets",
    "note_post": "note_tweet",
    "posts": "tweets",
}
OTHER = {"tweet": "post", "post": "tweet"}


def number(fields: Fields, name: str) -> float | None:
    """A count under its newer name, else under its older one; both are taken, so neither is reported."""
    value = fields.number(name)
    older = fields.number(OLDER[name]) if name in OLDER else None
    return older if value is None else value


def ignore(fields: Fields, *names: str) -> None:
    """Known fields nobody needs, in either spelling."""
    fields.ignore(*names, *(OLDER[name] for name in names if name in OLDER))


class Vocabulary:
    """Which spelling of `post.fields` each endpoint takes, learned from its refusals and kept for the run."""

    def __init__(self, first: str) -> None:
        self._first = first
        self._learned: dict[str, str] = {}

    async def get(self, session: Session, endpoint: str, path: str, fields: str, params: Mapping[str, str]) -> Answer:
        """GET `path` with `fields` as the post fields.

        Raises:
            PlatformError: the call failed for another reason than the spelling, or in both spellings.
        """
        word = self._learned.get(endpoint, self._first)
        try:
            return await session.get(path, {f"{word}.fields": fields, **params})
        except PlatformError as error:
            refused = error.act is Act.CONFIG and error.status == 400 and f"{word}.fields" in str(error)
            if endpoint in self._learned or not refused:
                raise
        other = OTHER[word]
        answer = await session.get(path, {f"{other}.fields": fields, **params})
        self._learned[endpoint] = other
        return answer
