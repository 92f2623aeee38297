"""Mastodon: levels of an account; favourites, boosts and replies of its posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Level, Post
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError, by_status
from metrics_pipeline.platforms.http import PlatformClient, Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

PAGE_SIZE = 40  # the most that one page may hold
_NOT_NEEDED = {
    "accounts": ("id", "username", "acct", "display_name", "created_at", "url", "note", "avatar", "bot"),
    "statuses": ("content", "visibility", "language", "account", "media_attachments", "sensitive"),
}
Seen = tuple[Post | None, dict[str, float]]  # a post, or None for the account itself, and its numbers


def classify(answer: Answer, _now: datetime) -> PlatformError | None:
    """The status decides what to do; the body only explains it."""
    return by_status(answer, str(answer.mapping().get("error", f"HTTP {answer.status}")))


DIALECT = Dialect(classify)


class MastodonAdapter:
    """One account is its id on the server, and a token that may read it."""

    name = "mastodon"

    def __init__(self, spec: PlatformSpec, _settings: Settings, client: PlatformClient) -> None:
        self._spec, self._client = spec, client

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        path, day = f"/api/v1/accounts/{account.external_id}", context.observed_at.date()
        with Tally(result) as tally:
            if context.reads_account:
                with Fields((await session.get(path, {})).body, "account", result.unknown_fields) as body:
                    self._keep("account", [(None, self._numbers(body, "accounts"))], day, result, tally)
            if context.reads_posts:
                seen: list[Seen] = []
                if context.oldest is not None:
                    seen += await self._listed(session, f"{path}/statuses", context.oldest, result)
                seen += await self._looked_up(session, context.known_posts, result)
                self._keep("post", seen, day, result, tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        """The YAML has no series, so nothing is owed."""

    async def _listed(self, session: Session, path: str, oldest: datetime, result: AccountResult) -> list[Seen]:
        """The account's own posts since `oldest`; the platform lists them newest first."""
        found: list[Seen] = []
        before: dict[str, str] = {}
        while True:
            params = {"limit": str(PAGE_SIZE), "exclude_reblogs": "true", **before}
            page = (await session.get(path, params)).body
            if not isinstance(page, list):
                raise PlatformError(Act.CONFIG, "the statuses should be a list")
            for entry in page:
                post, numbers = self._status(entry, result)
                if post.published_at is not None and post.published_at < oldest:
                    return found
                result.posts.append(post)
                found.append((post, numbers))
                before = {"max_id": post.post_id}
            if not page:
                return found

    async def _looked_up(self, session: Session, known: Sequence[str], result: AccountResult) -> list[Seen]:
        """The known posts that the list did not show; one that is gone leaves a tombstone."""
        found: list[Seen] = []
        patience = Patience()
        for post_id in sorted(set(known) - {post.post_id for post in result.posts}):
            try:
                answer = await session.get(f"/api/v1/statuses/{post_id}", {})
            except PlatformError as error:
                patience.weigh(error)
                if error.act is Act.SKIP_OBJECT:
                    result.posts.append(Post(post_id, deleted=True))
                continue
            patience.succeeded()
            post, numbers = self._status(answer.body, result)
            result.posts.append(post)
            found.append((post, numbers))
        return found

    def _status(self, entry: object, result: AccountResult) -> tuple[Post, dict[str, float]]:
        with Fields(entry, "status", result.unknown_fields) as body:
            post_id, published = body.identifier("id"), body.instant("created_at")
            if post_id is None or published is None:
                raise PlatformError(Act.CONFIG, "a status came without an id or an instant")
            post = Post(post_id, published_at=published, permalink=body.text("url"))
            return post, self._numbers(body, "statuses")

    def _numbers(self, body: Fields, api: str) -> dict[str, float]:
        """By source; a number that is absent stays absent."""
        body.ignore(*_NOT_NEEDED[api])
        names = [source.source for source in self._spec.sources if source.api == api]
        return {name: value for name in names if (value := body.number(name)) is not None}

    def _keep(self, level: Level, seen: Sequence[Seen], day: date, result: AccountResult, tally: Tally) -> None:
        for source in self._spec.select(level):
            tally.plan(level, source.metric, day, len(seen))
            for post, numbers in seen:
                if source.source in numbers:
                    made = reading(source, day, numbers[source.source], post=post)
                    result.readings.append(made)
                    tally.hit(level, source.metric, day, made.value)

    async def aclose(self) -> None:
        await self._client.aclose()
