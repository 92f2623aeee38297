"""Pages of an account's videos: newest first, sometimes short, now and then empty although more follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.ids import PostRef, numeric_id, parse_numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld

PLATFORM = "tiktok"
MOST = 20
_EMPTY_PAGE_SHARE = 0.15
_SHORT_PAGE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class VideoPage:
    """The videos of one page; the next one begins below cursor, an instant in milliseconds."""

    posts: Sequence[Post]
    cursor: int
    has_more: bool


def video_page(call: Call, account: AccountWorld, cursor: int | None, size: int) -> VideoPage:
    """The videos published before `cursor`. An empty page's cursor lies a millisecond above the next video."""
    before = int(call.at * 1_000) + 1 if cursor is None else cursor
    posts = _visible(call, account, (before - 1) / 1_000)
    first = next(posts, None)
    if first is None:
        return VideoPage((), before, False)
    was_empty = cursor is not None and cursor % 1_000 == 1
    if cursor is not None and not was_empty and account.luck("empty", first.index) < _EMPTY_PAGE_SHARE:
        return VideoPage((), first.published * 1_000 + 1, True)
    if account.luck("short", first.index) < _SHORT_PAGE_SHARE:
        size = max(size - 2, 1)
    page = [first]
    for post in posts:
        if len(page) == size:
            return VideoPage(page, page[-1].published * 1_000, True)
        page.append(post)
    return VideoPage(page, page[-1].published * 1_000, False)


def videos_by_id(call: Call, account: AccountWorld, ids: Sequence[object]) -> list[Post]:
    """The account's own videos among the ids; others are silently left out."""
    refs = [parse_numeric_id(PLATFORM, text) for text in ids if isinstance(text, str)]
    indexes = {ref.index for ref in refs if ref is not None and ref.external_id == account.external_id}
    newest = account.newest_index(call.at)
    posts = [account.post(index) for index in sorted(indexes, reverse=True) if index <= newest]
    return [post for post in posts if not _deleted(call, account, post)]


def video_id(account: AccountWorld, post: Post) -> str:
    return numeric_id(PLATFORM, PostRef(account.external_id, post.index))


def _visible(call: Call, account: AccountWorld, instant: float) -> Iterator[Post]:
    newest = account.newest_index(min(instant, call.at))
    for post in account.newest_first(call.at, newest) if newest >= 0 else ():
        if not _deleted(call, account, post):
            yield post


def _deleted(call: Call, account: AccountWorld, post: Post) -> bool:
    return call.faults.is_deleted(PLATFORM, account.external_id, video_id(account, post))
