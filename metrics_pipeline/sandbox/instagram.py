"""Instagram over the Graph API: profile, media list, live stories, one medium, and the way to insights."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.graph_errors import GraphWords, graph_error, no_such_object
from metrics_pipeline.sandbox.graph_paging import post_page
from metrics_pipeline.sandbox.graph_path import graph_path
from metrics_pipeline.sandbox.graph_posts import post_there
from metrics_pipeline.sandbox.ids import PostRef, exists, numeric_id, parse_numeric_id
from metrics_pipeline.sandbox.instagram_account_insights import account_insights
from metrics_pipeline.sandbox.instagram_fields import media_fields, profile_fields
from metrics_pipeline.sandbox.instagram_media_insights import media_insights
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS

PLATFORM = "instagram"
SERVED_VERSION = "v26.0"
WORDS = GraphWords(80002, "instagram", "this Instagram account")
_MEDIA_REACHABLE = 10_000


def answer(call: Call) -> Reply:
    """Answer one Graph request; the version segment may be missing.

    Raises:
        RefusedError: the Graph API would refuse it.
    """
    call.check_token(WORDS)
    path = graph_path(call, SERVED_VERSION)
    ref = parse_numeric_id(PLATFORM, path.object_id)
    if ref is None:
        body = _of_account(call, path.object_id, path.edge)
    else:
        body = _of_medium(call, path.object_id, ref, path.edge)
    return Reply(body, headers={"facebook-api-version": path.version})


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
        return post_page(
            call,
            account,
            lambda post: post.kind != "story" and not _deleted(call, account, post),
            lambda post: media_fields(call, account, post),
            _MEDIA_REACHABLE,
        )
    if edge == "stories":
        return {"data": [media_fields(call, account, post) for post in _live_stories(call, account)]}
    raise graph_error(2500, f"Unknown path components: /{edge}")


def _of_medium(call: Call, media_id: str, ref: PostRef, edge: str | None) -> dict[str, object]:
    account, post = post_there(call, WORDS, media_id, ref)
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
