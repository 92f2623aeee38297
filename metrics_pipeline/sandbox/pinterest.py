"""Pinterest v5: the token owner's account, its pins and its daily series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from metrics_pipeline.sandbox.calls import Body, Call, Reply
from metrics_pipeline.sandbox.ids import PostRef, numeric_id, parse_numeric_id
from metrics_pipeline.sandbox.pinterest_analytics import PLATFORM, account_analytics
from metrics_pipeline.sandbox.pinterest_errors import WORDS, bad_request, refusal
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import DAY_SECONDS, iso

_DEFAULT_PAGE, _MAX_PAGE = 25, 250
_BOOKMARK = "Y2JP"
_TOTALS: Mapping[str, str] = {
    "impression": "views",
    "pin_click": "profile_visits",
    "clickthrough": "clicks",
    "save": "saves",
    "reaction": "likes",
    "comment": "comments",
}
_CREATIVE_TYPES: Mapping[str, str] = {"image": "REGULAR", "video": "VIDEO", "idea": "IDEA"}


def answer(call: Call) -> Reply:
    """Answer one Pinterest request for the account behind the token: what follows `~` in it.

    Raises:
        RefusedError: Pinterest would refuse it.
    """
    token = call.check_token(WORDS)
    _, separator, owner = token.rpartition("~")
    if not separator or not owner:
        raise WORDS.no_token()
    call.guard(WORDS, owner)
    account = call.world.account(PLATFORM, owner, call.at)
    if account is None:
        raise WORDS.no_token()
    match call.segments:
        case ["v5", "user_account"]:
            return Reply(_user_account(call, account))
        case ["v5", "user_account", "analytics"]:
            return Reply(account_analytics(call, account))
        case ["v5", "pins"]:
            return Reply(_pins(call, account))
        case ["v5", "pins", pin_id]:
            return Reply(_pin(call, account, pin_id))
    raise refusal(404, 404, "Not found")


def _user_account(call: Call, account: AccountWorld) -> Body:
    month = account.total("views", call.at) - account.total("views", call.at - 30 * DAY_SECONDS)
    return {
        "id": account.external_id,
        "username": account.name,
        "account_type": account.given_type or "BUSINESS",
        "business_name": account.name.title(),
        "about": "An account that exists in arithmetic only.",
        "profile_image": f"https://media.example.org/{account.name}.jpg",
        "website_url": "",
        "follower_count": account.followers(call.at),
        "following_count": account.following,
        "pin_count": account.listed_posts(call.at),
        "board_count": 3 + account.listed % 20,
        "monthly_views": month,
    }


def _pins(call: Call, account: AccountWorld) -> Body:
    size = call.params.get("page_size", str(_DEFAULT_PAGE))
    if not size.isdigit() or not 1 <= int(size) <= _MAX_PAGE:
        raise bad_request(f"page_size must be between 1 and {_MAX_PAGE}")
    page: list[Body] = []
    following: str | None = None
    for post in _visible(call, account, _from_bookmark(call.params.get("bookmark"))):
        if len(page) == int(size):
            following = f"{_BOOKMARK}{post.index}"
            break
        page.append(_pin_body(call, account, post))
    return {"items": page, "bookmark": following}


def _from_bookmark(bookmark: str | None) -> int | None:
    if bookmark is None:
        return None
    number = bookmark.removeprefix(_BOOKMARK)
    if number == bookmark or not number.isdigit():
        raise bad_request("Invalid bookmark")
    return int(number)


def _visible(call: Call, account: AccountWorld, start: int | None) -> Iterator[Post]:
    for post in account.newest_first(call.at, start):
        if not call.faults.is_deleted(PLATFORM, account.external_id, _pin_id(account, post)):
            yield post


def _pin(call: Call, account: AccountWorld, pin_id: str) -> Body:
    ref = parse_numeric_id(PLATFORM, pin_id)
    gone = call.faults.is_deleted(PLATFORM, account.external_id, pin_id)
    if gone or ref is None or ref.external_id != account.external_id or ref.index > account.newest_index(call.at):
        raise refusal(404, 50, "Pin not found.")
    return _pin_body(call, account, account.post(ref.index))


def _pin_id(account: AccountWorld, post: Post) -> str:
    return numeric_id(PLATFORM, PostRef(account.external_id, post.index))


def _pin_body(call: Call, account: AccountWorld, post: Post) -> Body:
    body: dict[str, object] = {
        "id": _pin_id(account, post),
        "created_at": iso(post.published, ""),
        "title": f"{post.kind.title()} number {post.index}",
        "description": None,
        "link": f"https://example.org/{post.index}",
        "creative_type": _CREATIVE_TYPES[post.kind],
        "media": {"media_type": "video" if post.kind == "video" else "image"},
        "board_id": f"{1 + post.index % 4}",
        "board_owner": {"username": account.name},
        "is_owner": True,
        "is_standard": post.kind == "image",
        "has_been_promoted": False,
        "parent_pin_id": None,
    }
    if call.params.get("pin_metrics") == "true":
        body["pin_metrics"] = _totals(call, account, post)
    return body


def _totals(call: Call, account: AccountWorld, post: Post) -> Body:
    """Totals so far, and those of the last 90 days."""
    before = call.at - 90 * DAY_SECONDS
    now = {name: account.counter(post, counter, call.at) for name, counter in _TOTALS.items()}
    recent = {name: now[name] - account.counter(post, counter, before) for name, counter in _TOTALS.items()}
    return {"90d": recent, "lifetime_metrics": now}
