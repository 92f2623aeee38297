"""Pages of a user's posts: newest first, sometimes short, now and then empty although more follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.ids import PostRef, numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.x_errors import bad_request
from metrics_pipeline.sandbox.x_fields import PLATFORM

_REACHABLE = 3_200
_FIRST_SERVED = int(datetime(2010, 11, 6, tzinfo=UTC).timestamp())
_EMPTY_PAGE_SHARE = 0.15
_SHORT_PAGE_SHARE = 0.3
_TOKEN_PREFIX = "7140d"  # noqa: S105 - a page token, no secret


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """The posts of one page and the token of the next; without a token the timeline is at its end."""

    posts: Sequence[Post]
    next_token: str | None


def timeline_page(call: Call, account: AccountWorld) -> TimelinePage:
    """One page as the parameters ask for.

    Raises:
        RefusedError: `max_results` outside 5..100, an unreadable time, id or token.
    """
    size = _size(call)
    start, end = _time(call, "start_time"), _time(call, "end_time")
    since_id, until_id = _id(call, "since_id"), _id(call, "until_id")
    excluded = {"replies": "reply", "retweets": "repost"}
    hidden = {excluded[name] for name in call.listed("exclude") if name in excluded}
    newest = account.newest_index(call.at)
    token = call.params.get("pagination_token")
    position, was_empty = _from_token(token) if token else (newest, False)
    if token and not was_empty and account.luck("empty", position) < _EMPTY_PAGE_SHARE:
        return TimelinePage((), _token(position, True))
    if account.luck("short", position) < _SHORT_PAGE_SHARE:
        size = max(size - 2, 1)
    page: list[Post] = []
    for post in account.newest_first(call.at, position):
        number = int(numeric_id(PLATFORM, PostRef(account.external_id, post.index)))
        if post.index <= newest - _REACHABLE or post.published < (start or 0) or number <= (since_id or 0):
            break
        if len(page) == size:
            return TimelinePage(page, _token(post.index, False))
        if (end is not None and post.published >= end) or (until_id is not None and number >= until_id):
            continue
        if post.kind in hidden or call.faults.is_deleted(PLATFORM, account.external_id, str(number)):
            continue
        page.append(post)
    return TimelinePage(page, None)


def _size(call: Call) -> int:
    text = call.params.get("max_results", "10")
    if not text.isdigit() or not 5 <= int(text) <= 100:
        raise bad_request(
            "max_results", text, f"The `max_results` query parameter value [{text}] is not between 5 and 100"
        )
    return int(text)


def parse_time(call: Call, name: str) -> float:
    """An RFC 3339 instant from a parameter that has to be there."""
    text = call.params.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise bad_request(name, text, f"Invalid '{name}':'{text}'. Not an RFC 3339 date-time") from None
    if moment.tzinfo is None or moment.timestamp() < _FIRST_SERVED:
        raise bad_request(name, text, f"Invalid '{name}':'{text}'. It must be on or after 2010-11-06T00:00:00Z")
    return moment.timestamp()


def _time(call: Call, name: str) -> float | None:
    return parse_time(call, name) if name in call.params else None


def _id(call: Call, name: str) -> int | None:
    text = call.params.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise bad_request(name, text, f"The `{name}` query parameter value [{text}] is not valid")
    return int(text)


def _token(position: int, was_empty: bool) -> str:
    return f"{_TOKEN_PREFIX}{position * 2 + was_empty:x}"


def _from_token(token: str) -> tuple[int, bool]:
    try:
        if token.startswith(_TOKEN_PREFIX):
            number = int(token.removeprefix(_TOKEN_PREFIX), 16)
            return number // 2, bool(number % 2)
    except ValueError:
        pass
    raise bad_request("pagination_token", token, f"The `pagination_token` query parameter value [{token}] is not valid")
