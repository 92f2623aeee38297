"""Threads: followers now, profile views and totals by day, lifetime numbers of posts."""

from __future__ import annotations

from datetime import date

from metrics_pipeline.catalog.models import PlatformSpec
from metrics_pipeline.platforms.contract import Account, AccountResult, CollectionContext, Post, Profile
from metrics_pipeline.platforms.errors import PlatformError
from metrics_pipeline.platforms.graph_account import AccountInsights
from metrics_pipeline.platforms.graph_dialect import GRAPH_DIALECT
from metrics_pipeline.platforms.graph_errors import of_whole_account
from metrics_pipeline.platforms.graph_post_insights import PostInsights
from metrics_pipeline.platforms.graph_posts import Listed, PostFinder
from metrics_pipeline.platforms.http import PlatformClient, Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading
from metrics_pipeline.platforms.threads_user import UserSeries
from metrics_pipeline.settings import Settings
from metrics_pipeline.windows import Window

DIALECT = GRAPH_DIALECT
POST_FIELDS = "id,media_type,permalink,timestamp,text,shortcode,is_quote_post,username"
REPOST = "REPOST_FACADE"  # someone else's post shown on the profile: it has no numbers of its own


class ThreadsAdapter:
    """One profile is a Threads user id and a token of that user."""

    name = "threads"

    def __init__(self, spec: PlatformSpec, settings: Settings, client: PlatformClient) -> None:
        self._spec = spec
        self._settings = settings
        self._client = client
        self._version = settings.threads_api_version

    async def counters(self, account: Account, context: CollectionContext, result: AccountResult) -> None:
        session = self._client.session(account, context.observed_at, result)
        with Tally(result) as tally:
            try:
                if context.reads_account:
                    await self._followers(session, account, context.observed_at.date(), result, tally)
                if context.reads_posts:
                    await self._posts(session, account, context, result, tally)
            except PlatformError as error:
                raise of_whole_account(error) from None

    async def insights(
        self, account: Account, window: Window, context: CollectionContext, result: AccountResult
    ) -> None:
        session = self._client.session(account, context.now, result)
        asker = AccountInsights(session, self._path(account, "threads_insights"), result, asks_again=False)
        series = UserSeries(asker, self._spec, self._settings, context.now, result)
        with Tally(result) as tally:
            await series.read([day for day in window.days() if day <= context.now.date()], tally)

    def _path(self, account: Account, edge: str) -> str:
        return f"/{self._version}/{account.external_id}/{edge}"

    async def _followers(
        self, session: Session, account: Account, day: date, result: AccountResult, tally: Tally
    ) -> None:
        """The level has no fields of its own: it is an insight that ignores its window."""
        sources = self._spec.select("account", api="user_level")
        for source in sources:
            tally.plan("account", source.metric, day)
        asker = AccountInsights(session, self._path(account, "threads_insights"), result, asks_again=False)
        insights = await asker.ask(sources, {}, lambda _source: [day], "P1D", tally)
        for source in sources:
            insight = insights.get(source.source)
            if insight is not None and insight.value is not None:
                made = reading(source, day, insight.value)
                result.readings.append(made)
                tally.hit("account", source.metric, day, made.value)

    async def _posts(
        self, session: Session, account: Account, context: CollectionContext, result: AccountResult, tally: Tally
    ) -> None:
        patience = Patience()
        day = context.observed_at.date()
        finder = PostFinder(session, self._version, POST_FIELDS, own_post, "post", patience, result)
        edges = [(self._path(account, "threads"), context.oldest)] if context.oldest is not None else []
        found = await finder.find(edges, context.known_posts)
        # the profile itself is never asked for: a post names it
        result.profile = Profile(next((one.author for one in found.posts if one.author), None))
        sources = self._spec.select("post")
        if found.refusal is not None:
            for source in sources:
                tally.refuse("post", source.metric, day, found.refusal)
            return
        reader = PostInsights(session, self._version, sources, {}, patience, result)
        await reader.read([one.post for one in found.posts], day, tally)

    async def aclose(self) -> None:
        await self._client.aclose()


def own_post(entry: Fields) -> Listed | None:
    """One post; None for a repost of someone else's, and, with a report, for one without an id."""
    entry.ignore("shortcode", "owner", "media_product_type", "media_url", "children", "thumbnail_url")
    post_id, media_type = entry.identifier("id"), entry.text("media_type")
    published, title, permalink = entry.instant("timestamp"), entry.text("text"), entry.text("permalink")
    is_quote, author = entry.flag("is_quote_post"), entry.text("username")
    if media_type == REPOST:
        return None
    if post_id is None:
        entry.report("a post without an id")
        return None
    post_type = {"CAROUSEL_ALBUM": "carousel", "VIDEO": "video"}.get(media_type or "", "post")
    metadata = {"media_type": media_type, "is_quote_post": is_quote}
    return Listed(Post(post_id, post_type, published, title, permalink, metadata=metadata), author=author)
