"""Posts of a LinkedIn page: the finder, single look-ups, and the totals of many posts at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import AccountResult, Post, State
from metrics_pipeline.platforms.errors import Act, PlatformError
from metrics_pipeline.platforms.linkedin_api import PAGE_SIZE, LinkedInApi, elements_in, encoded, list_of
from metrics_pipeline.platforms.linkedin_statistics import (
    NOT_KEPT,
    SHARE_STATISTICS,
    entity_params,
    share_counts,
    value_of,
)
from metrics_pipeline.platforms.outcomes import Tally
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.patience import Patience
from metrics_pipeline.platforms.readings import reading

BATCH = 50  # URNs of one request: more are accepted, but the URL grows by some 35 characters each
KINDS = {"urn:li:share:": "shares", "urn:li:ugcPost:": "ugcPosts"}
_NOT_NEEDED = (
    "author", "lastModifiedAt", "visibility", "distribution", "isReshareDisabledByAuthor", "reshareContext",
    "contentLandingPage", "contentCallToActionLabel", "adContext", "lifecycleStateInfo", "container",
)  # fmt: skip


async def list_posts(api: LinkedInApi, organization: str, oldest: datetime) -> list[Post]:
    """The page's published posts since `oldest`, newest first."""
    found: dict[str, Post] = {}  # a post published between two pages shifts the next one: ids may repeat
    start = 0
    while True:
        params = {
            "q": "author",
            "author": encoded(organization),
            "count": str(PAGE_SIZE),
            "start": str(start),
            "sortBy": "CREATED",
        }
        answer = await api.get("/posts", params, method="FINDER")
        entries, has_next = elements_in(answer, "/posts", api.result.unknown_fields)
        last: datetime | None = None
        for entry in entries:
            post, created = post_in(entry)
            last = created or last
            if post is not None and (post.published_at is None or post.published_at >= oldest):
                found[post.post_id] = post
        start += len(entries)
        is_last = len(entries) < PAGE_SIZE and not has_next
        if not entries or is_last or (last is not None and last < oldest):
            return list(found.values())


def post_in(entry: Fields) -> tuple[Post | None, datetime | None]:
    """(the post, None for drafts and entries without an id; when it was created)."""
    with entry:
        entry.ignore(*_NOT_NEEDED)
        post_id, state = entry.text("id"), entry.text("lifecycleState")
        created, published = _instant(entry, "createdAt"), _instant(entry, "publishedAt")
        post_type, title = _type(entry), entry.text("commentary")
        if post_id is None:
            entry.report("a post without an id")
            return None, created
        if state not in (None, "PUBLISHED"):
            return None, created
        permalink = f"https://www.linkedin.com/feed/update/{post_id}/"
        return Post(post_id, post_type, published or created, title, permalink), created


def _instant(entry: Fields, name: str) -> datetime | None:
    """An instant that is sent in milliseconds."""
    milliseconds = entry.number(name)
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _type(entry: Fields) -> str:
    """video, document, article, carousel, poll, or post for everything else."""
    content = entry.child("content")
    if content is None:
        return "post"
    # What a post holds is descriptive and wide: read for its kind, not checked for new fields.
    for name, kind in {"multiImage": "carousel", "article": "article", "poll": "poll", "carousel": "carousel"}.items():
        if content.raw(name) is not None:
            return kind
    media = content.child("media")
    urn = media.text("id") if media is not None else None
    kind = (urn or "").removeprefix("urn:li:").partition(":")[0]
    return kind if kind in ("video", "document") else "post"


async def look_up(api: LinkedInApi, ids: Sequence[str], patience: Patience) -> tuple[list[Post], list[Post]]:
    """The known posts a listing did not show: (still there, gone)."""
    there: list[Post] = []
    gone: list[Post] = []
    for post_id in ids:
        try:
            answer = await api.get(f"/posts/{encoded(post_id)}", {})
        except PlatformError as error:
            if error.act is Act.SKIP_OBJECT:
                gone.append(Post(post_id, deleted=True))
            else:
                patience.weigh(error)
            continue
        patience.succeeded()
        post, _created = post_in(Fields(answer.body, "post", api.result.unknown_fields))
        if post is not None:
            there.append(post)
    return there, gone


class PostTotals:
    """Reads the totals of posts, many per request, each kind of URN under its own parameter."""

    def __init__(
        self, api: LinkedInApi, organization: str, sources: list[SourceMetric], patience: Patience, now: datetime
    ) -> None:
        self._api = api
        self._organization = organization
        self._sources = sources
        self._patience = patience
        self._now = now

    async def read(self, posts: Sequence[Post], result: AccountResult, tally: Tally) -> None:
        day = self._now.date()
        for source in self._sources:
            tally.plan("post", source.metric, day, len(posts))
        for prefix, parameter in KINDS.items():
            for batch in _batches([p for p in posts if p.post_id.startswith(prefix)]):
                await self._read_batch(parameter, batch, day, result, tally)
        for post in posts:
            if not post.post_id.startswith(tuple(KINDS)):
                for source in self._sources:
                    reason = "LinkedIn has statistics of shares and ugcPosts only"
                    tally.miss("post", source.metric, day, State.NOT_SUPPORTED, reason)

    async def _read_batch(
        self, parameter: str, posts: Sequence[Post], day: date, result: AccountResult, tally: Tally
    ) -> None:
        params = entity_params(self._organization) | {parameter: list_of(post.post_id for post in posts)}
        try:
            elements = await self._api.statistics(SHARE_STATISTICS, params)
        except PlatformError as error:
            self._patience.weigh(error)
            for source in self._sources:
                for _post in posts:
                    tally.refuse("post", source.metric, day, error)
            return
        self._patience.succeeded()
        by_id: dict[str, dict[str, float]] = {}
        for element in elements:
            with element:
                element.ignore("organizationalEntity")
                post_id = element.text("share") or element.text("ugcPost")
                counts = share_counts(element)
                if post_id is None:
                    element.report("statistics without a post")
                else:
                    by_id[post_id] = counts
        for post in posts:
            self._keep(post, by_id.get(post.post_id), day, result, tally)

    def _keep(
        self, post: Post, counts: dict[str, float] | None, day: date, result: AccountResult, tally: Tally
    ) -> None:
        """A post without activity is left out of a good answer: that is zero, unless it is older than what is kept."""
        for source in self._sources:
            if counts is None and not self._is_kept(source, post):
                tally.miss("post", source.metric, day, State.UNKNOWN, NOT_KEPT)
                continue
            raw = 0.0 if counts is None else value_of(source, counts)
            if raw is None:
                continue  # a field the platform left out of the post's own entry: not known
            note = {"omitted": "no activity"} if counts is None else None
            result.readings.append(reading(source, day, raw, post=post, metadata=note))
            tally.hit("post", source.metric, day, raw)

    def _is_kept(self, source: SourceMetric, post: Post) -> bool:
        if source.retention_days is None or post.published_at is None:
            return post.published_at is not None
        return post.published_at > self._now - timedelta(days=source.retention_days)


def _batches(posts: Sequence[Post]) -> Iterator[Sequence[Post]]:
    return (posts[start : start + BATCH] for start in range(0, len(posts), BATCH))
