"""YouTube: the Data API's channels, uploads and videos, and the way to the Analytics API."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.ids import PostRef, parse_video_id, video_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.youtube_analytics import report
from metrics_pipeline.sandbox.youtube_errors import WORDS, bad, google_error, missing
from metrics_pipeline.sandbox.youtube_owner import PLATFORM, token_owner
from metrics_pipeline.sandbox.youtube_resources import (
    channel_resource,
    parts_of,
    playlist_item_resource,
    playlist_owner,
    video_resource,
)

_MAX_IDS = 50
_DEFAULT_PAGE = 5
_UPLOADS_REACHABLE = 20_000
_PAGE_PREFIX = "CA"


def answer(call: Call) -> Reply:
    """Answer one request to either of YouTube's hosts.

    Raises:
        RefusedError: YouTube would refuse it.
    """
    call.check_token(WORDS)
    handlers = {
        "/youtube/v3/channels": _channels,
        "/youtube/v3/playlistItems": _playlist_items,
        "/youtube/v3/videos": _videos,
        "/v2/reports": report,
    }
    handler = handlers.get("/" + "/".join(call.segments))
    if handler is None:
        raise google_error(404, "notFound", "Not Found")
    return Reply(handler(call))


def _listing(kind: str, items: list[dict[str, object]], total: int, per_page: int) -> dict[str, object]:
    return {
        "kind": f"youtube#{kind}ListResponse",
        "etag": f"{kind}-{len(items)}-{total}",
        "pageInfo": {"totalResults": total, "resultsPerPage": per_page},
        "items": items,
    }


def _ids(call: Call) -> list[str]:
    ids = list(dict.fromkeys(call.listed("id")))
    if not ids:
        raise bad("No filter selected. Expected one of: id", "missingRequiredParameter")
    if len(ids) > _MAX_IDS:
        raise bad("The request specifies an invalid filter parameter.", "invalidFilters")
    return ids


def _channels(call: Call) -> dict[str, object]:
    parts = parts_of(call, "channel")
    if "id" in call.params and "mine" in call.params:
        raise bad("Incompatible parameters specified in the request: id, mine", "incompatibleParameters")
    ids = [token_owner(call)] if call.params.get("mine") == "true" else _ids(call)
    call.guard(WORDS, *ids)
    accounts = [call.world.account(PLATFORM, external_id, call.at) for external_id in ids]
    items = [channel_resource(call, account, parts) for account in accounts if account is not None]
    body = _listing("channel", items, len(items), len(items) or _DEFAULT_PAGE)
    if not items:
        del body["items"]
    return body


def _playlist_items(call: Call) -> dict[str, object]:
    parts = parts_of(call, "playlistItem")
    playlist = call.params.get("playlistId")
    if not playlist:
        raise missing("playlistId")
    external_id = playlist_owner(playlist)
    call.guard(WORDS, *([external_id] if external_id else []))
    account = call.world.account(PLATFORM, external_id, call.at) if external_id else None
    if account is None:
        raise google_error(
            404,
            "playlistNotFound",
            "The playlist identified with the request's playlistId parameter cannot be found.",
            "youtube.playlistItem",
        )
    size_text = call.params.get("maxResults", str(_DEFAULT_PAGE))
    if not size_text.isdigit() or int(size_text) > _MAX_IDS:
        raise bad("Invalid value for maxResults. Values must be within the range: [0, 50]", "invalidParameter")
    size = max(int(size_text), 1)
    token = call.params.get("pageToken")
    page, following = _page(call, account, _from_token(token) if token else None, size)
    newest = account.newest_index(call.at)
    items = [playlist_item_resource(account, post, newest - post.index, parts) for post in page]
    body = _listing("playlistItem", items, account.listed_posts(call.at), size)
    if following is not None:
        body["nextPageToken"] = _token(following)
    return body


def _page(call: Call, account: AccountWorld, position: int | None, size: int) -> tuple[list[Post], int | None]:
    page: list[Post] = []
    oldest = account.newest_index(call.at) - _UPLOADS_REACHABLE
    for post in _visible(call, account, position):
        if post.index <= oldest:
            break
        if len(page) == size:
            return page, post.index
        page.append(post)
    return page, None


def _visible(call: Call, account: AccountWorld, position: int | None) -> Iterator[Post]:
    for post in account.newest_first(call.at, position):
        if not call.faults.is_deleted(PLATFORM, account.external_id, _id_of(account, post)):
            yield post


def _id_of(account: AccountWorld, post: Post) -> str:
    return video_id(PostRef(account.external_id, post.index))


def _token(index: int) -> str:
    return f"{_PAGE_PREFIX}{index:05d}QAA"


def _from_token(token: str) -> int:
    number = token.removeprefix(_PAGE_PREFIX).removesuffix("QAA")
    if len(token) != len(number) + len(_PAGE_PREFIX) + 3 or not number.isdigit():
        raise bad("The request specifies an invalid page token.", "invalidPageToken")
    return int(number)


def _videos(call: Call) -> dict[str, object]:
    """Videos by id; ids that are nobody's, deleted or not yet published are silently left out."""
    parts = parts_of(call, "video")
    refs = {text: parse_video_id(text) for text in _ids(call)}
    call.guard(WORDS, *(ref.external_id for ref in refs.values() if ref is not None))
    items: list[dict[str, object]] = []
    for text, ref in refs.items():
        if ref is None or call.faults.is_deleted(PLATFORM, ref.external_id, text):
            continue
        account = call.world.account(PLATFORM, ref.external_id, call.at)
        if account is not None and ref.index <= account.newest_index(call.at):
            items.append(video_resource(call, account, account.post(ref.index), parts))
    return _listing("video", items, len(items), len(items))
