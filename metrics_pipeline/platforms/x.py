"""X: levels of the account, counters of its posts, and their daily series where the plan allows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms import x_vocabulary
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Post, Profile, State
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.http import PlatformClient, Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.platforms.x_analytics import PostAnalytics
from metrics_pipeline.platforms.x_errors import FIELD_PROBLEMS, GONE_PROBLEMS, classify, quota_used_up
from metrics_pipeline.platforms.x_posts import (
    PUBLIC_FIELDS,
    SeenPost,
    batches,
    posts_by_id,
    problems_in,
    timeline,
    value_of,
)
from metrics_pipeline.platforms.x_vocabulary import Vocabulary
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = Dialect(classify, quota_used_up, version_header="api-version", limits_per_endpoint=True)
PRIVATE_LIFE = timedelta(days=30)  # the owner's figures exist for posts of the last 30 days
NOT_VISIBLE = "the token may not see this post"


class XAdapter:
    """One account is a numeric user id and a bearer token; the owner's token sees more than the app's."""

    name = "x"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client
        self._words = Vocabulary(settings.x_vocabulary)

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        day = context.observed_at.date()
        with Tally(result) as tally:
            if context.reads_account:
                await self._user(session, account, day, result, tally)
            if not context.reads_posts:
                return
            seen: list[SeenPost] = []
            if context.oldest is not None:
                seen = await timeline(session, self._words, account.external_id, context.oldest, result)
            result.posts += [s.post for s in seen]
            listed = {s.post.post_id for s in seen}
            missing = sorted(set(context.known_posts) - listed)
            seen += await self._look_up(session, missing, day, result, tally)
            self._keep_public(seen, day, result, tally)
            newest = context.observed_at - PRIVATE_LIFE
            young = [s for s in seen if s.post.published_at is not None and s.post.published_at > newest]
            await self._private(session, young, day, result, tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        if self._settings.x_analytics == "off":
            return
        session = self._client.session(account, context.now, result)
        days = [day for day in window.days() if day <= context.now.date()]
        with Tally(result) as tally:
            await PostAnalytics(session, self._spec, result).read(context.known_posts, days, context.now, tally)

    async def _user(self, session: Session, account: Account, day: date, result: AccountResult, tally: Tally) -> None:
        sources = self._spec.select("account", "gauge")
        for source in sources:
            tally.plan("account", source.metric, day)
        params = {"ids": account.external_id, "user.fields": "public_metrics,created_at,protected,verified_type"}
        answer = await session.get("/2/users", params)
        with Fields(answer.body, "users", result.unknown_fields) as body:
            body.ignore("meta", "includes")
            problems = problems_in(body)
            users = body.children("data")
            if not users:
                name = problems.get(account.external_id, "")
                act = Act.SKIP_OBJECT if not name or name in GONE_PROBLEMS else Act.PERMISSION
                raise PlatformError(act, f"X shows no such account ({name or 'no reason given'})", code=name or None)
            with users[0] as user:
                user.ignore("id", "name", "created_at", "protected", "verified")
                result.profile = Profile(user.text("username"), user.text("verified_type"))
                metrics = user.child("public_metrics")
                if metrics is None:
                    return
                with metrics:
                    for source in sources:
                        raw = x_vocabulary.number(metrics, source.source)
                        if raw is not None:
                            result.readings.append(reading(source, day, raw))
                            tally.hit("account", source.metric, day, raw)

    async def _look_up(
        self, session: Session, ids: Sequence[str], day: date, result: AccountResult, tally: Tally
    ) -> list[SeenPost]:
        """The known posts a timeline did not show: read by id; what the platform calls gone becomes a tombstone."""
        found: list[SeenPost] = []
        for batch in batches(ids):
            page = await posts_by_id(session, self._words, batch, PUBLIC_FIELDS, result)
            found += page.seen
            result.posts += [s.post for s in page.seen]
            there = {s.post.post_id for s in page.seen}
            for post_id in batch:
                problem = page.problems.get(post_id, "")
                if post_id in there:
                    continue
                if problem in GONE_PROBLEMS:
                    result.posts.append(Post(post_id, "tweet", deleted=True))
                elif problem:
                    for source in self._spec.select("post", "counter", "posts"):
                        tally.miss("post", source.metric, day, State.NOT_PERMITTED, NOT_VISIBLE, Act.PERMISSION.value)
        return found

    def _keep_public(self, seen: Sequence[SeenPost], day: date, result: AccountResult, tally: Tally) -> None:
        for source in self._spec.select("post", "counter", "posts"):
            asked = [s for s in seen if s.has_video or not source.source.startswith("media.")]
            tally.plan("post", source.metric, day, len(asked))
            for one in asked:
                raw = value_of(source, one.counts)
                if raw is not None:
                    result.readings.append(reading(source, day, raw, post=one.post))
                    tally.hit("post", source.metric, day, raw)

    async def _private(
        self, session: Session, young: Sequence[SeenPost], day: date, result: AccountResult, tally: Tally
    ) -> None:
        """The owner's figures, a request of their own: asked beside older posts they would spoil the answer."""
        sources = self._spec.select("post", "counter", "private_posts")
        for source in sources:
            tally.plan("post", source.metric, day, len(young))
        patience = Patience()
        posts = {s.post.post_id: s.post for s in young}
        for ids in batches(list(posts)):
            try:
                page = await posts_by_id(session, self._words, ids, "created_at,non_public_metrics", result)
            except PlatformError as error:
                patience.weigh(error)
                for source in sources:
                    tally.refuse("post", source.metric, day, error)
                return
            refused = [name for name in page.problems.values() if name in FIELD_PROBLEMS]
            for one in page.seen:
                if one.post.post_id not in posts:
                    continue
                for source in sources:
                    raw = value_of(source, one.private)
                    if raw is not None:
                        result.readings.append(reading(source, day, raw, post=posts[one.post.post_id]))
                        tally.hit("post", source.metric, day, raw)
                    elif refused:
                        reason = "only the owner's token sees this"
                        tally.miss("post", source.metric, day, State.NOT_PERMITTED, reason, Act.PERMISSION.value)
            if refused and not any(one.private for one in page.seen):
                return

    async def aclose(self) -> None:
        await self._client.aclose()
