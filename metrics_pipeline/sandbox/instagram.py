"""Instagram over the Graph API: profile, media list, live stories, one medium, and the way to insights."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.graph_errors import WORDS, graph_error, invalid, no_such_object
from metrics_pipeline.sandbox.ids import PostRef, exists, numeric_id, parse_numeric_id
from metrics_pipeline.sandbox.instagram_account_insights import account_insights
from metrics_pipeline.sandbox.instagram_fields import media_fields, profile_fields
from metrics_pipeline.sandbox.instagram_media_insights import media_insights
from metrics_pipeline.sandbox.instagram_time import parse_instant
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS

PLATFORM = "instagram"
SERVED_VERSION = "v26.0"
_VERSION = re.compile(r"v\d+\.\d+")
_DEFAULT_LIMIT = 25
_MAX_LIMIT = 100
_MEDIA_REACHABLE = 10_000


def answer(call: Call) -> Reply:
    """Answer one Graph request; the version segment may be missing.

    Raises:
        RefusedError: the Graph API would refuse it.
    """
    call.check_token(WORDS)
    parts = call.segments
    version = parts.pop(0) if parts and _VERSION.fullmatch(parts[0]) else SERVED_VERSION
    if not parts or len(parts) > 2:
        raise graph_error(2500, f"Unknown path components: {call.path}")
    object_id, edge = parts[0], parts[1] if len(parts) == 2 else None
    ref = parse_numeric_id(PLATFORM, object_id)
    body = _of_account(call, object_id, edge) if ref is None else _of_medium(call, object_id, ref, edge)
    return Reply(body, headers={"facebook-api-version": version})


def _of_account(call: Call, external_id: str, edge: str | None) -> dict[str, object]:
    call.guard(WORDS, external_id)
    account = call.world.account(PLATFORM, external_id, call.at) if exists(external_id) else None
    if account is None:
        raise no_such_object(external_id)
    if edge is None:
        return profile_fields(call, account)
    if edge == "insights":
        return account_insights(call, account)
    if edge == "media":
        return _media(call, account)
    if edge == "stories":
        return {"data": [media_fields(call, account, post) for post in _live_stories(call, account)]}
    raise graph_error(2500, f"Unknown path components: /{edge}")


def _of_medium(call: Call, media_id: str, ref: PostRef, edge: str | None) -> dict[str, object]:
    call.guard(WORDS, ref.external_id)
    account = call.world.account(PLATFORM, ref.external_id, call.at)
    gone = call.faults.is_deleted(PLATFORM, ref.external_id, media_id)
    if account is None or gone or ref.index > account.newest_index(call.at):
        raise no_such_object(media_id)
    post = account.post(ref.index)
    if post.kind == "story" and not _is_live(post, call.at):
        raise no_such_object(media_id)
    if edge is None:
        return media_fields(call, account, post)
    if edge == "insights":
        return media_insights(call, account, post)
    raise graph_error(2500, f"Unknown path components: /{edge}")


def _is_live(post: Post, at: float) -> bool:
    return post.published <= at < post.published + DAY_SECONDS


def _live_stories(call: Call, account: AccountWorld) -> Iterator[Post]:
    for post in account.active_posts(call.at - DAY_SECONDS, call.at):
        if post.kind == "story" and _is_live(post, call.at) and not _deleted(call, account, post):
            yield post


def _deleted(call: Call, account: AccountWorld, post: Post) -> bool:
    media_id = numeric_id(PLATFORM, PostRef(account.external_id, post.index))
    return call.faults.is_deleted(PLATFORM, account.external_id, media_id)


def _media(call: Call, account: AccountWorld) -> dict[str, object]:
    """One page of the media list, newest first; `paging.next` is there exactly while more follows."""
    limit = _limit(call)
    since, until = parse_instant(call, "since", call.at), parse_instant(call, "until", call.at)
    after = _from_cursor(call.params["after"]) if call.params.get("after") else None
    oldest = account.newest_index(call.at) - _MEDIA_REACHABLE
    page: list[Post] = []
    more = False
    for post in account.newest_first(call.at, None if after is None else after - 1):
        if post.index <= oldest or (since is not None and post.published < since):
            break
        if post.kind == "story" or (until is not None and post.published > until) or _deleted(call, account, post):
            continue
        if len(page) == limit:
            more = True
            break
        page.append(post)
    body: dict[str, object] = {"data": [media_fields(call, account, post) for post in page]}
    if page:
        paging: dict[str, object] = {"cursors": {"before": _cursor(page[0].index), "after": _cursor(page[-1].index)}}
        if more:
            paging["next"] = _next_link(call, page)
        body["paging"] = paging
    return body


def _limit(call: Call) -> int:
    text = call.params.get("limit", str(_DEFAULT_LIMIT))
    if not text.isdigit() or int(text) < 1:
        raise invalid("param limit must be a positive integer")
    return min(int(text), _MAX_LIMIT)


def _cursor(index: int) -> str:
    return base64.urlsafe_b64encode(f"media:{index}".encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        name, index = text.split(":")
        if name == "media" and int(index) >= 0:
            return int(index)
    except ValueError:
        pass
    raise invalid("Invalid cursor")


def _next_link(call: Call, page: Iterable[Post]) -> str:
    """The link as the platform writes it, with a token in clear: a reader must build its own instead."""
    kept = {name: value for name, value in call.params.items() if name not in ("after", "access_token")}
    last = min(post.index for post in page)
    query = urlencode({"access_token": "SANDBOX-TOKEN-IN-CLEAR", **kept, "after": _cursor(last)})
    return f"{call.base_url}{call.path}?{query}"
