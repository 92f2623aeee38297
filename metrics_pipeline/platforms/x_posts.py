"""Posts of an X account with their public and private counters, as far as the token may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms import x_vocabulary
from metrics_pipeline.platforms.contract import AccountResult, Post
from metrics_pipeline.platforms.errors import Answer
from metrics_pipeline.platforms.http import Session
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.x_errors import problem_name
from metrics_pipeline.platforms.x_vocabulary import Vocabulary

BATCH = 100  # ids of one request
PUBLIC_FIELDS = "created_at,public_metrics,attachments"
EXPANSIONS = {"expansions": "attachments.media_keys", "media.fields": "public_metrics,duration_ms,type"}
VIDEO_TYPES = {"video", "animated_gif"}
PUBLIC = ("repost_count", "reply_count", "like_count", "quote_count", "bookmark_count", "impression_count")
PRIVATE = ("impression_count", "engagements", "url_link_clicks", "user_profile_clicks")


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A post with the counters an answer gave for it, under their newer names."""

    post: Post
    counts: dict[str, float] = field(default_factory=dict)
    private: dict[str, float] = field(default_factory=dict)
    has_video: bool = False


@dataclass(slots=True)
class PostPage:
    """One answer about posts: what it held, and the problem (its short name) of each id it did not."""

    seen: list[SeenPost] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    next_token: str | None = None


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def rfc3339(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def value_of(source: SourceMetric, counts: dict[str, float]) -> float | None:
    """A source's value; `a+b` is a sum that needs both."""
    parts = [counts.get(name) for name in source.source.split("+")]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


async def timeline(
    session: Session, words: Vocabulary, user_id: str, oldest: datetime, result: AccountResult
) -> list[SeenPost]:
    """The account's own posts since `oldest`. Asking for no more than that matters: X charges per post returned."""
    seen: dict[str, SeenPost] = {}  # a post published between two pages shifts the next one: ids may repeat
    token: str | None = None
    while True:
        params = {"max_results": "100", "exclude": "retweets", "start_time": rfc3339(oldest), **EXPANSIONS}
        if token:
            params["pagination_token"] = token
        answer = await words.get(session, "timeline", f"/2/users/{user_id}/tweets", PUBLIC_FIELDS, params)
        page = posts_in(answer, result.unknown_fields)
        # Filtered posts make pages short or empty while more follow: only a missing token ends the list.
        young = (s for s in page.seen if s.post.published_at is None or s.post.published_at >= oldest)
        seen |= {s.post.post_id: s for s in young}
        token = page.next_token
        if token is None:
            return list(seen.values())


async def posts_by_id(
    session: Session, words: Vocabulary, ids: Sequence[str], fields: str, result: AccountResult
) -> PostPage:
    """At most 100 posts by id, with the problem of each one that is missing."""
    params = {"ids": ",".join(ids)} | (EXPANSIONS if "attachments" in fields else {})
    answer = await words.get(session, "posts", "/2/tweets", fields, params)
    return posts_in(answer, result.unknown_fields)


def posts_in(answer: Answer, unknown: set[str]) -> PostPage:
    page = PostPage()
    with Fields(answer.body, "posts", unknown) as body:
        page.problems = problems_in(body)
        meta = body.child("meta")
        if meta is not None:
            with meta:
                meta.ignore("result_count", "newest_id", "oldest_id", "previous_token")
                page.next_token = meta.text("next_token")
        media = _media_in(body)
        for entry in body.children("data"):
            with entry:
                seen = _post(entry, media)
                if seen is not None:
                    page.seen.append(seen)
    return page


def problems_in(body: Fields) -> dict[str, str]:
    """The short name of the problem of each id named in `errors`, which a 200 may carry beside its data."""
    problems: dict[str, str] = {}
    for value in body.items("errors"):
        with Fields(value, f"{body.path}.errors[]", set()) as error:
            about = error.identifier("resource_id") or error.identifier("value")
            if about is not None:
                problems[about] = problem_name(value)
    return problems


@dataclass(frozen=True, slots=True)
class _Media:
    is_video: bool
    views: float | None
    seconds: float | None


def _media_in(body: Fields) -> dict[str, _Media]:
    found: dict[str, _Media] = {}
    includes = body.child("includes")
    if includes is None:
        return found
    with includes:
        x_vocabulary.ignore(includes, "users", "posts", "polls", "places")
        for entry in includes.children("media"):
            with entry:
                entry.ignore("url", "preview_image_url", "width", "height", "alt_text", "variants")
                key, kind, length = entry.text("media_key"), entry.text("type"), entry.number("duration_ms")
                views: float | None = None
                metrics = entry.child("public_metrics")
                if metrics is not None:
                    with metrics:
                        views = metrics.number("view_count")
                if key is not None:
                    found[key] = _Media(kind in VIDEO_TYPES, views, None if length is None else length / 1000)
    return found


def _post(entry: Fields, media: dict[str, _Media]) -> SeenPost | None:
    x_vocabulary.ignore(entry, "edit_history_post_ids", "referenced_posts", "note_post", "author_id", "lang")
    entry.ignore("organic_metrics", "promoted_metrics", "in_reply_to_user_id", "conversation_id", "entities")
    post_id, published, title = entry.identifier("id"), entry.instant("created_at"), entry.text("text")
    counts = _counts(entry.child("public_metrics"), PUBLIC)
    private = _counts(entry.child("non_public_metrics"), PRIVATE)
    keys: list[object] = []
    attachments = entry.child("attachments")
    if attachments is not None:
        with attachments:
            attachments.ignore("poll_ids", "media_source_tweet_id", "media_source_post_id")
            keys = attachments.items("media_keys")
    if post_id is None:
        entry.report("a post without an id")
        return None
    videos = [media[key] for key in keys if isinstance(key, str) and key in media and media[key].is_video]
    watched = [video.views for video in videos if video.views is not None]
    if watched:
        counts["media.view_count"] = sum(watched)
    seconds = next((video.seconds for video in videos if video.seconds is not None), None)
    permalink = f"https://x.com/i/status/{post_id}"
    post = Post(post_id, "tweet", published, title, permalink, seconds)
    return SeenPost(post, counts, private, bool(videos))


def _counts(metrics: Fields | None, names: Iterable[str]) -> dict[str, float]:
    if metrics is None:
        return {}
    with metrics:
        read = {name: x_vocabulary.number(metrics, name) for name in names}
    return {name: value for name, value in read.items() if value is not None}
