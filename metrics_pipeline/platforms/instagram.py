"""Instagram: levels of the profile, lifetime numbers of posts and stories, daily totals of the account."""

from __future__ import annotations

from datetime import datetime

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext
from metrics_pipeline.platforms.graph_dialect import GRAPH_DIALECT
from metrics_pipeline.platforms.graph_post_insights import PostInsights
from metrics_pipeline.platforms.graph_posts import PostFinder
from metrics_pipeline.platforms.graph_profile import read_levels
from metrics_pipeline.platforms.http import PlatformClient, Session
from metrics_pipeline.platforms.instagram_account import AccountTotals
from metrics_pipeline.platforms.instagram_media import MEDIA_FIELDS, PARAMETERS, media_figure, media_post, readable
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = GRAPH_DIALECT


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
            path, levels = f"/{self._version}/{account.external_id}", self._spec.select("account", api="profile")
            if context.reads_account:
                await read_levels(session, path, "username", None, levels, context.observed_at.date(), result, tally)
            if context.reads_posts or context.reads_account:
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

    async def _posts(
        self, session: Session, account: Account, context: CollectionContext, result: AccountResult, tally: Tally
    ) -> None:
        patience = Patience()
        day = context.observed_at.date()
        base = f"/{self._version}/{account.external_id}"
        finder = PostFinder(session, self._version, MEDIA_FIELDS, media_post, "media", patience, result)
        edges: list[tuple[str, datetime | None]] = []
        if context.oldest is not None:
            edges.append((f"{base}/media", context.oldest))
        if context.reads_account:  # stories are gone after a day: every look at the account takes them along
            edges.append((f"{base}/stories", None))
        found = await finder.find(edges, context.known_posts)
        sources = [s for s in self._spec.select("post") if s.kind != "series"]
        if found.refusal is not None:
            for source in sources:
                tally.refuse("post", source.metric, day, found.refusal)
            return
        reader = PostInsights(session, self._version, sources, PARAMETERS, patience, result, media_figure)
        await reader.read(readable([one.post for one in found.posts], context.observed_at), day, tally)

    async def aclose(self) -> None:
        await self._client.aclose()
