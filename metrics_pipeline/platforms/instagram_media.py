"""Instagram media: finding the posts and stories of an account and reading their lifetime numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from metrics_pipeline.catalog.models import PlatformSpec, SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, Post, State
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.graph_errors import NOT_ENOUGH_VIEWERS, REDUCE_DATA
from metrics_pipeline.platforms.graph_insights import Fetched, Insight, ask_without_refused, insights_in
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import applies_to, asked_name, reading

MEDIA_FIELDS = "id,timestamp,media_type,media_product_type,caption,permalink,shortcode"
PAGE_SIZE = 50  # no maximum is documented; smaller ones are tried when the platform asks for less
SMALLEST_PAGE = 5
STORY_LIFE = timedelta(hours=24)  # a story's numbers can be read while it is up
NAVIGATION_API = "media_navigation"


async def list_media(session: Session, path: str, oldest: datetime | None, result: AccountResult) -> list[Post]:
    """Every post of an edge, newest first, down to the ones published before `oldest`."""
    posts: list[Post] = []
    after: str | None = None
    limit = PAGE_SIZE
    while True:
        params = {"fields": MEDIA_FIELDS, "limit": str(limit)} | ({"after": after} if after else {})
        try:
            answer = await session.get(path, params)
        except PlatformError as error:
            if error.code != REDUCE_DATA or limit <= SMALLEST_PAGE:
                raise
            limit = max(limit // 2, SMALLEST_PAGE)
            continue
        page: list[Post] = []
        with Fields(answer.body, "media", result.unknown_fields) as body:
            for entry in body.children("data"):
                with entry:
                    post = media_post(entry)
                    if post is not None:
                        page.append(post)
            after = _next_cursor(body)
        posts += [p for p in page if oldest is None or p.published_at is None or p.published_at >= oldest]
        last = page[-1].published_at if page else None
        # A page may be empty and still have a successor: only a missing `next` or an old post ends the list.
        if after is None or (oldest is not None and last is not None and last < oldest):
            return posts


def _next_cursor(body: Fields) -> str | None:
    """The cursor of the next page; never the ready-made URL, which carries the token."""
    paging = body.child("paging")
    if paging is None:
        return None
    with paging:
        more = paging.text("next") is not None
        paging.ignore("previous")
        cursors = paging.child("cursors")
        if cursors is None:
            return None
        with cursors:
            cursors.ignore("before")
            after = cursors.text("after")
            return after if more else None


def media_post(entry: Fields) -> Post | None:
    """One media object as a post; None, and a report, where it has no id."""
    entry.ignore("shortcode", "like_count", "comments_count", "username", "owner", "ig_id", "media_url")
    entry.ignore("thumbnail_url", "children", "is_comment_enabled")
    media_id, media_type = entry.identifier("id"), entry.text("media_type")
    product = (entry.text("media_product_type") or "FEED").upper()
    published, title, permalink = entry.instant("timestamp"), entry.text("caption"), entry.text("permalink")
    if media_id is None:
        entry.report("a media object without an id")
        return None
    kind = {"CAROUSEL_ALBUM": "carousel", "VIDEO": "video"}.get(media_type or "", "post")
    post_type = {"REELS": "reel", "STORY": "story"}.get(product, kind)
    metadata = {"media_type": media_type, "media_product_type": product}
    return Post(media_id, post_type, published, title, permalink, metadata=metadata)


async def look_up(
    session: Session, version: str, ids: Sequence[str], patience: Patience, result: AccountResult
) -> tuple[list[Post], list[Post]]:
    """The known posts a listing did not show: (still there, gone)."""
    there: list[Post] = []
    gone: list[Post] = []
    for media_id in ids:
        try:
            answer = await session.get(f"/{version}/{media_id}", {"fields": MEDIA_FIELDS})
        except PlatformError as error:
            if error.act is Act.SKIP_OBJECT:
                gone.append(Post(media_id, deleted=True))
            else:
                patience.weigh(error)
            continue
        patience.succeeded()
        with Fields(answer.body, "media", result.unknown_fields) as entry:
            post = media_post(entry)
            if post is not None:
                there.append(post)
    return there, gone


class MediaReader:
    """Reads the lifetime numbers of one account's posts, one request per post and kind of answer.

    What the platform refuses for one kind of post is not asked again for that kind in this turn.
    """

    def __init__(
        self, session: Session, version: str, spec: PlatformSpec, patience: Patience, result: AccountResult
    ) -> None:
        self._session = session
        self._version = version
        self._sources = [s for s in spec.select("post") if s.kind != "series"]
        self._patience = patience
        self._result = result
        self._refused: dict[tuple[str, str], PlatformError] = {}

    async def read(self, posts: Sequence[Post], observed_at: datetime, tally: Tally) -> None:
        day = observed_at.date()
        young = [p for p in posts if not (p.post_type == "story" and _expired(p, observed_at))]
        for source in self._sources:
            tally.plan("post", source.metric, day, sum(applies_to(source, p) for p in young))
        for post in young:
            for api in dict.fromkeys(s.api for s in self._sources):
                sources = [s for s in self._sources if s.api == api and applies_to(s, post)]
                if sources:
                    await self._read_post(post, sources, observed_at, tally)

    async def _read_post(self, post: Post, sources: list[SourceMetric], observed_at: datetime, tally: Tally) -> None:
        day = observed_at.date()
        try:
            fetched = await self._fetch(post, sources)
        except PlatformError as error:
            self._patience.weigh(error)
            for source in sources:
                tally.refuse("post", source.metric, day, error)
            return
        self._patience.succeeded()
        for source in sources:
            refusal = fetched.refused.get(asked_name(source))
            if refusal is not None and refusal.code == NOT_ENOUGH_VIEWERS:
                tally.miss("post", source.metric, day, State.INSUFFICIENT_DATA, "too few viewers", refusal.act.value)
            elif refusal is not None:
                tally.refuse("post", source.metric, day, refusal)
            else:
                self._keep(source, post, fetched.insights, observed_at, tally)

    async def _fetch(self, post: Post, sources: list[SourceMetric]) -> Fetched:
        names = list(dict.fromkeys(asked_name(s) for s in sources))
        known = {n: self._refused[post.post_type, n] for n in names if (post.post_type, n) in self._refused}
        extra = {"breakdown": "story_navigation_action_type"} if sources[0].api == NAVIGATION_API else {}

        async def ask(metrics: Sequence[str]) -> dict[str, Insight]:
            params = {"metric": ",".join(metrics)} | extra
            answer = await self._session.get(f"/{self._version}/{post.post_id}/insights", params)
            return insights_in(answer, "media_insights", self._result.unknown_fields)

        fetched = await ask_without_refused(ask, [n for n in names if n not in known])
        for name, error in fetched.refused.items():
            if error.code != NOT_ENOUGH_VIEWERS:
                self._refused[post.post_type, name] = error
        fetched.refused |= known
        return fetched

    def _keep(
        self, source: SourceMetric, post: Post, insights: dict[str, Insight], observed_at: datetime, tally: Tally
    ) -> None:
        day = observed_at.date()
        insight = insights.get(asked_name(source))
        raw = insight.value if insight else None
        views = insights["views"].value if "views" in insights else None
        numerator = denominator = None
        if asked_name(source) == "reels_skip_rate" and raw is not None and views is not None:
            numerator, denominator = round(raw / 100 * views, 6), views  # the rate comes in percent
        if source.source == "reels_skip_rate.views":
            raw, numerator, denominator = numerator, None, None
        if raw is None:
            tally.miss("post", source.metric, day, State.UNKNOWN, "the platform gave no value")
            return
        buckets = {name.lower(): value for name, value in insight.buckets.items()} if insight else {}
        kept = reading(source, day, raw, post=post, numerator=numerator, denominator=denominator, metadata=buckets)
        self._result.readings.append(kept)
        tally.hit("post", source.metric, day, kept.value)


def _expired(post: Post, observed_at: datetime) -> bool:
    return post.published_at is not None and post.published_at <= observed_at - STORY_LIFE
