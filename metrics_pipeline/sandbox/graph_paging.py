"""How the Graph API hands out lists by cursor, and the links between neighbouring insight windows."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import urlencode

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import invalid
from metrics_pipeline.sandbox.graph_time import Span, parse_instant
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
SHOWN = "SANDBOX-TOKEN-IN-CLEAR"


def post_page(
    call: Call,
    account: AccountWorld,
    is_listed: Callable[[Post], bool],
    fields: Callable[[Post], dict[str, object]],
    reachable: int,
) -> dict[str, object]:
    """One page of posts, newest first; `paging.next` is there exactly while more follows.

    Args:
        is_listed: whether the edge shows a post.
        reachable: how many of the newest posts the edge reaches back to.
    """
    limit = _limit(call)
    since, until = parse_instant(call, "since", call.at), parse_instant(call, "until", call.at)
    after = _from_cursor(call.params["after"]) if call.params.get("after") else None
    oldest = account.newest_index(call.at) - reachable
    page: list[Post] = []
    more = False
    for post in account.newest_first(call.at, None if after is None else after - 1):
        if post.index <= oldest or (since is not None and post.published < since):
            break
        if not is_listed(post) or (until is not None and post.published > until):
            continue
        if len(page) == limit:
            more = True
            break
        page.append(post)
    body: dict[str, object] = {"data": [fields(post) for post in page]}
    if page:
        last = _cursor(page[-1].index)
        paging: dict[str, object] = {"cursors": {"before": _cursor(page[0].index), "after": last}}
        if more:
            paging["next"] = _link(call, ("after",), {"after": last})
        body["paging"] = paging
    return body


def window_links(call: Call, span: Span) -> dict[str, str]:
    """Neighbouring windows, not pages: whoever follows them never arrives."""
    width = span.until - span.since

    def link(since: float) -> str:
        return _link(call, ("since", "until"), {"since": int(since), "until": int(since + width)})

    return {"previous": link(span.since - width), "next": link(span.until)}


def _link(call: Call, replaced: tuple[str, ...], new: dict[str, object]) -> str:
    """A link as the platform writes it, with a token in clear: a reader must build its own instead."""
    kept = {name: value for name, value in call.params.items() if name not in (*replaced, "access_token")}
    return f"{call.base_url}{call.path}?{urlencode({'access_token': SHOWN, **kept, **new})}"


def _limit(call: Call) -> int:
    text = call.params.get("limit", str(DEFAULT_LIMIT))
    if not text.isdigit() or int(text) < 1:
        raise invalid("param limit must be a positive integer")
    return min(int(text), MAX_LIMIT)


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
