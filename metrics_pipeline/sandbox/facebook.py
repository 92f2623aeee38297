"""Facebook Pages over the Graph API: the Page, its published posts, one post, and the way to insights."""

from __future__ import annotations

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.facebook_fields import page_fields, post_fields, post_id
from metrics_pipeline.sandbox.facebook_page_insights import page_insights
from metrics_pipeline.sandbox.facebook_post_insights import post_insights
from metrics_pipeline.sandbox.graph_errors import GraphWords, graph_error, no_such_object
from metrics_pipeline.sandbox.graph_paging import post_page
from metrics_pipeline.sandbox.graph_path import graph_path
from metrics_pipeline.sandbox.graph_posts import post_there
from metrics_pipeline.sandbox.ids import PostRef, parse_numeric_id

PLATFORM = "facebook"
SERVED_VERSION = "v26.0"
WORDS = GraphWords(80001, "pages", "this Page account")
_POSTS_REACHABLE = 600  # about the newest 600 posts; the simulated Pages publish fewer than 200 a year


def answer(call: Call) -> Reply:
    """Answer one Graph request.

    Raises:
        RefusedError: the Graph API would refuse it.
    """
    call.check_token(WORDS)
    path = graph_path(call, SERVED_VERSION)
    ref = _post_ref(path.object_id)
    body = _of_page(call, path.object_id, path.edge) if ref is None else _of_post(call, path.object_id, ref, path.edge)
    return Reply(body, headers={"facebook-api-version": path.version})


def _post_ref(object_id: str) -> PostRef | None:
    """The post an id means, `{page}_{number}`; None for a Page's id."""
    page, _, number = object_id.rpartition("_")
    ref = parse_numeric_id(PLATFORM, number) if page else None
    return ref if ref is not None and ref.external_id == page else None


def _of_page(call: Call, external_id: str, edge: str | None) -> dict[str, object]:
    call.guard(WORDS, external_id)
    account = call.world.account(PLATFORM, external_id, call.at)
    if account is None:
        raise no_such_object(external_id)
    if edge is None:
        return page_fields(call, account)
    if edge == "insights":
        return page_insights(call, account)
    if edge == "published_posts":
        return post_page(
            call,
            account,
            lambda post: not call.faults.is_deleted(PLATFORM, external_id, post_id(account, post)),
            lambda post: post_fields(call, account, post),
            _POSTS_REACHABLE,
        )
    raise graph_error(2500, f"Unknown path components: /{edge}")


def _of_post(call: Call, object_id: str, ref: PostRef, edge: str | None) -> dict[str, object]:
    account, post = post_there(call, WORDS, object_id, ref)
    if edge is None:
        return post_fields(call, account, post)
    if edge == "insights":
        return post_insights(call, account, post)
    raise graph_error(2500, f"Unknown path components: /{edge}")
