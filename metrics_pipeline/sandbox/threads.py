"""Threads over its Graph host: profile, own posts, one post, and the way to insights."""

from __future__ import annotations

from collections.abc import Mapping

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.graph_errors import GraphWords, graph_error, invalid, no_such_object
from metrics_pipeline.sandbox.graph_paging import post_page
from metrics_pipeline.sandbox.graph_path import graph_path
from metrics_pipeline.sandbox.graph_posts import post_there
from metrics_pipeline.sandbox.ids import PostRef, numeric_id, parse_numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.threads_insights import post_insights, user_insights
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import iso

PLATFORM = "threads"
SERVED_VERSION = "v1.0"
WORDS = GraphWords(80002, "threads", "this Threads profile")
MEDIA_TYPES: Mapping[str, str] = {
    "text": "TEXT_POST",
    "image": "IMAGE",
    "video": "VIDEO",
    "carousel": "CAROUSEL_ALBUM",
    "repost": "REPOST_FACADE",
}
_REACHABLE = 100_000


def answer(call: Call) -> Reply:
    """Answer one request.

    Raises:
        RefusedError: the Threads API would refuse it.
    """
    call.check_token(WORDS)
    path = graph_path(call, SERVED_VERSION)
    ref = parse_numeric_id(PLATFORM, path.object_id)
    if ref is None:
        return Reply(_of_user(call, path.object_id, path.edge))
    return Reply(_of_post(call, path.object_id, ref, path.edge))


def _of_user(call: Call, external_id: str, edge: str | None) -> dict[str, object]:
    call.guard(WORDS, external_id)
    account = call.world.account(PLATFORM, external_id, call.at)
    if account is None:
        raise no_such_object(external_id)
    if edge is None:
        return _fields(call, "User", {"id": external_id, "username": account.name, "is_verified": False})
    if edge == "threads_insights":
        return user_insights(call, account)
    if edge == "threads":
        return post_page(
            call,
            account,
            lambda post: not call.faults.is_deleted(PLATFORM, external_id, _post_id(account, post)),
            lambda post: _post_fields(call, account, post),
            _REACHABLE,
        )
    raise graph_error(2500, f"Unknown path components: /{edge}")


def _of_post(call: Call, object_id: str, ref: PostRef, edge: str | None) -> dict[str, object]:
    account, post = post_there(call, WORDS, object_id, ref)
    if edge is None:
        return _post_fields(call, account, post)
    if edge == "insights":
        return post_insights(call, account, post, object_id)
    raise graph_error(2500, f"Unknown path components: /{edge}")


def _post_id(account: AccountWorld, post: Post) -> str:
    return numeric_id(PLATFORM, PostRef(account.external_id, post.index))


def _post_fields(call: Call, account: AccountWorld, post: Post) -> dict[str, object]:
    own_id = _post_id(account, post)
    shortcode = f"T{post.index:05d}{int(own_id) % 36**5:x}"
    attributes: dict[str, object] = {
        "id": own_id,
        "media_type": MEDIA_TYPES[post.kind],
        "media_product_type": "THREADS",
        "timestamp": iso(post.published, "+0000"),
        "text": f"{post.kind.title()} number {post.index}",
        "permalink": f"https://www.threads.net/@{account.name}/post/{shortcode}",
        "shortcode": shortcode,
        "username": account.name,
        "is_quote_post": False,
    }
    if post.kind == "repost":
        del attributes["text"]
    return _fields(call, "Media", attributes, optional=("text",))


def _fields(
    call: Call, node: str, attributes: Mapping[str, object], optional: tuple[str, ...] = ()
) -> dict[str, object]:
    """The requested fields; the id alone where none are requested."""
    wanted = call.listed("fields")
    for name in wanted:
        if name not in attributes and name not in optional:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type ({node})")
    return {name: attributes[name] for name in [*wanted, "id"] if name in attributes}
