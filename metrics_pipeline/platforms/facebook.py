"""Facebook Pages: followers now, daily series of the Page, lifetime numbers of its posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext
from metrics_pipeline.platforms.errors import PlatformError
from metrics_pipeline.platforms.facebook_page import PageSeries
from metrics_pipeline.platforms.facebook_posts import POST_FIELDS, page_post
from metrics_pipeline.platforms.graph_dialect import GRAPH_DIALECT
from metrics_pipeline.platforms.graph_errors import of_whole_account
from metrics_pipeline.platforms.graph_post_insights import PostInsights
from metrics_pipeline.platforms.graph_posts import Listed, PostFinder
from metrics_pipeline.platforms.graph_profile import read_levels
from metrics_pipeline.platforms.http import PlatformClient, Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = GRAPH_DIALECT
LIFETIME = {"post_insights": {"period": "lifetime"}}


class FacebookAdapter:
    """One Page is its id and a Page token that may read its insights."""

    name = "facebook"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client
        self._version = settings.facebook_graph_version

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        path, levels = f"/{self._version}/{account.external_id}", self._spec.select("account", api="profile")
        day = context.observed_at.date()
        with Tally(result) as tally:
            try:
                if context.reads_account:
                    await read_levels(session, path, "name", "category", levels, day, result, tally)
                if context.reads_posts:
                    await self._posts(session, account, context, result, tally)
            except PlatformError as error:
                raise of_whole_account(error) from None

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        session = self._client.session(account, context.now, result)
        path = f"/{self._version}/{account.external_id}/insights"
        series = PageSeries(session, path, self._spec, self._settings, context.now, result)
        with Tally(result) as tally:
            await series.read([day for day in window.days() if day <= context.now.date()], tally)

    async def _posts(
        self, session: Session, account: Account, context: CollectionContext, result: AccountResult, tally: Tally
    ) -> None:
        patience = Patience()
        day = context.observed_at.date()
        finder = PostFinder(session, self._version, POST_FIELDS, page_post, "post", patience, result)
        edge = f"/{self._version}/{account.external_id}/published_posts"
        edges = [(edge, context.oldest)] if context.oldest is not None else []
        found = await finder.find(edges, context.known_posts)
        if found.refusal is not None:
            for source in self._spec.select("post"):
                tally.refuse("post", source.metric, day, found.refusal)
            return
        self._keep_fields(found.posts, day, result, tally)
        sources = self._spec.select("post", api="post_insights")
        reader = PostInsights(session, self._version, sources, LIFETIME, patience, result)
        await reader.read([one.post for one in found.posts], day, tally)

    def _keep_fields(self, posts: Sequence[Listed], day: date, result: AccountResult, tally: Tally) -> None:
        """The counters that came with the posts themselves."""
        for source in self._spec.select("post", api="post_fields"):
            tally.plan("post", source.metric, day, len(posts))
            for one in posts:
                raw = one.counts.get(source.source)
                if raw is not None:
                    result.readings.append(reading(source, day, raw, post=one.post))
                    tally.hit("post", source.metric, day, raw)

    async def aclose(self) -> None:
        await self._client.aclose()
