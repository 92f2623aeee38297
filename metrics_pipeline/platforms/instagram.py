"""Instagram: levels of the profile, lifetime numbers of posts and stories, daily totals of the account."""

from __future__ import annotations

from datetime import timedelta

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.graph_errors import classify, quota_used_up
from metrics_pipeline.platforms.http import Dialect, PlatformClient, Session
from metrics_pipeline.platforms.instagram_account import AccountTotals
from metrics_pipeline.platforms.instagram_media import MediaReader, list_media, look_up
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = Dialect(
    classify=lambda answer, _now: classify(answer),
    quota_used_up=lambda answer, _now: quota_used_up(answer),
    version_header="facebook-api-version",
)


class InstagramAdapter:
    """One professional account is an Instagram user id and a token that may read its insights."""

    name = "instagram"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client
        self._version = settings.instagram_graph_version

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        with Tally(result) as tally:
            await self._profile(session, account, context, result, tally)
            await self._posts(session, account, context, result, tally)

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        session = self._client.session(account, context.now, result)
        today = context.now.date()
        path = f"/{self._version}/{account.external_id}/insights"
        totals = AccountTotals(session, path, self._spec, self._settings, today, result)
        with Tally(result) as tally:
            await totals.read([day for day in window.days() if day <= today], tally)

    async def _profile(
        self, session: Session, account: Account, context: CollectionContext, result: AccountResult, tally: Tally
    ) -> None:
        sources = self._spec.select("account", api="profile")
        day = context.observed_at.date()
        for source in sources:
            tally.plan("account", source.metric, day)
        names = ",".join(["id", "username", *(s.source for s in sources)])
        answer = await session.get(f"/{self._version}/{account.external_id}", {"fields": names})
        with Fields(answer.body, "profile", result.unknown_fields) as profile:
            profile.ignore("id", "username")
            for source in sources:
                raw = profile.number(source.source)
                if raw is not None:
                    result.readings.append(reading(source, day, raw))
                    tally.hit("account", source.metric, day, raw)

    async def _posts(
        self, session: Session, account: Account, context: CollectionContext, result: AccountResult, tally: Tally
    ) -> None:
        patience = Patience()
        base = f"/{self._version}/{account.external_id}"
        oldest = context.observed_at - timedelta(days=self._settings.post_max_age_days)
        listed = await list_media(session, f"{base}/media", oldest, result)
        listed += await list_media(session, f"{base}/stories", None, result)
        posts = list({post.post_id: post for post in listed}.values())
        result.posts += posts
        missing = sorted(set(context.known_posts) - {post.post_id for post in posts})
        there, gone = await look_up(session, self._version, missing, patience, result)
        result.posts += there
        if len(gone) > 1 and not posts and not there:
            # Every post gone at once is a token that lost its sight, not a wave of deletions.
            error = PlatformError(Act.PERMISSION, "none of the account's known posts is visible to this token")
            for source in self._spec.select("post"):
                tally.refuse("post", source.metric, context.observed_at.date(), error)
            return
        result.posts += gone
        reader = MediaReader(session, self._version, self._spec, patience, result)
        await reader.read(posts + there, context.observed_at, tally)

    async def aclose(self) -> None:
        await self._client.aclose()
