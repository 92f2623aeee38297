"""X v2: users, a user's posts, posts by id, post analytics and usage."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from metrics_pipeline.sandbox.calls import Call, RefusedError, Reply
from metrics_pipeline.sandbox.ids import PostRef, numeric_id, parse_numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.x_analytics import post_analytics
from metrics_pipeline.sandbox.x_errors import WORDS, bad_request, not_found, problem, rate_headers
from metrics_pipeline.sandbox.x_fields import (
    PLATFORM,
    included_media,
    post_fields,
    post_object,
    user_fields,
    user_object,
)
from metrics_pipeline.sandbox.x_timeline import timeline_page
from metrics_pipeline.sandbox.zones import UTC_ZONE, day_of

_TIMELINE = re.compile(r"/2/users/([^/]+)/tweets")
_MAX_IDS = 100
_MONTHLY_CAP = 3_000_000


def answer(call: Call) -> Reply:
    """Answer one X request; every answer carries the rate-limit headers.

    Raises:
        RefusedError: X would refuse it.
    """
    path = "/" + "/".join(call.segments)
    timeline = _TIMELINE.fullmatch(path)
    endpoint = "/2/users/:id/tweets" if timeline else path
    handler = {
        "/2/users": _users,
        "/2/tweets": _posts,
        "/2/tweets/analytics": _analytics,
        "/2/usage/tweets": _usage,
    }.get(path)
    if timeline is None and handler is None:
        raise problem(404, "about:blank", "Not Found", "Not Found")
    call.check_token(WORDS)
    headers = rate_headers(call, endpoint)
    try:
        body = _timeline(call, timeline[1]) if timeline else handler(call) if handler else {}
    except RefusedError as refused:
        refused.reply = Reply(
            refused.reply.body, refused.reply.status, headers | dict(refused.reply.headers), refused.reply.raw
        )
        raise
    return Reply(body, headers=headers)


def _ids(call: Call) -> list[str]:
    ids = call.listed("ids")
    if not ids:
        raise bad_request("ids", "", "The `ids` query parameter can not be empty")
    if len(ids) > _MAX_IDS:
        raise bad_request(
            "ids",
            str(len(ids)),
            f"The number of values in the `ids` query parameter list [{len(ids)}] is not between 1 and {_MAX_IDS}",
        )
    return list(dict.fromkeys(ids))


def _users(call: Call) -> dict[str, object]:
    ids = _ids(call)
    call.guard(WORDS, *ids)
    fields = user_fields(call, ids)
    found, errors = [], []
    for external_id in ids:
        account = call.world.account(PLATFORM, external_id, call.at)
        if account is None:
            errors.append(not_found("user", "ids", external_id))
        else:
            found.append(user_object(call, account, fields))
    return _body(found, errors)


def _timeline(call: Call, external_id: str) -> dict[str, object]:
    call.guard(WORDS, external_id)
    fields = post_fields(call, external_id)
    account = call.world.account(PLATFORM, external_id, call.at)
    if account is None:
        return {"errors": [not_found("user", "id", external_id)]}
    page = timeline_page(call, account)
    found, errors = [], []
    for post in page.posts:
        made, refused = post_object(call, account, post, fields)
        found.append(made)
        errors += refused
    meta: dict[str, object] = {"result_count": len(found)}
    if found:
        meta |= {"newest_id": found[0]["id"], "oldest_id": found[-1]["id"]}
    if page.next_token:
        meta["next_token"] = page.next_token
    call.usage.bill(day_of(call.at, UTC_ZONE), (str(made["id"]) for made in found))
    owned = [(account, post) for post in page.posts]
    return _body(found, errors) | included_media(call, owned) | {"meta": meta}


def _posts(call: Call) -> dict[str, object]:
    ids = _ids(call)
    refs = {post_id: parse_numeric_id(PLATFORM, post_id) for post_id in ids}
    owners = list(dict.fromkeys(ref.external_id for ref in refs.values() if ref is not None))
    call.guard(WORDS, *owners)
    fields = post_fields(call, owners[0] if owners else "")
    found: list[dict[str, object]] = []
    errors: list[dict[str, object]] = []
    there: list[tuple[AccountWorld, Post]] = []
    for post_id, ref in refs.items():
        owned = _find(call, post_id, ref)
        if owned is None:
            errors.append(not_found("tweet", "ids", post_id))
            continue
        there.append(owned)
        made, refused = post_object(call, *owned, fields)
        found.append(made)
        errors += refused
    call.usage.bill(day_of(call.at, UTC_ZONE), (str(made["id"]) for made in found))
    return _body(found, errors) | included_media(call, there)


def _analytics(call: Call) -> dict[str, object]:
    ids = _ids(call)
    refs = {post_id: parse_numeric_id(PLATFORM, post_id) for post_id in ids}
    owners = list(dict.fromkeys(ref.external_id for ref in refs.values() if ref is not None))
    call.guard(WORDS, *owners)
    found = {post_id: _find(call, post_id, ref) for post_id, ref in refs.items()}
    data = post_analytics(call, owners, {post_id: owned for post_id, owned in found.items() if owned is not None})
    return _body(data, [not_found("tweet", "ids", post_id) for post_id, owned in found.items() if owned is None])


def _find(call: Call, post_id: str, ref: PostRef | None) -> tuple[AccountWorld, Post] | None:
    if ref is None or call.faults.is_deleted(PLATFORM, ref.external_id, post_id):
        return None
    account = call.world.account(PLATFORM, ref.external_id, call.at)
    if account is None or ref.index > account.newest_index(call.at):
        return None
    return (account, account.post(ref.index)) if numeric_id(PLATFORM, ref) == post_id else None


def _usage(call: Call) -> dict[str, object]:
    """Posts this server handed out, per simulated day; the cap's month is the calendar month of the instant."""
    days_text = call.params.get("days", "7")
    if not days_text.isdigit() or not 1 <= int(days_text) <= 90:
        raise bad_request("days", days_text, "The `days` query parameter value is not between 1 and 90")
    today = day_of(call.at, UTC_ZONE)
    billed = call.usage.billed()
    month = sum(count for day, count in billed.items() if (day.year, day.month) == (today.year, today.month))
    recent = sorted(day for day in billed if 0 <= (today - day).days < int(days_text))
    return {
        "data": {
            "project_id": "1",
            "project_cap": str(_MONTHLY_CAP),
            "project_usage": str(month),
            "cap_reset_day": 1,
            "daily_project_usage": {
                "project_id": "1",
                "usage": [{"date": _midnight(day), "usage": str(billed[day])} for day in recent],
            },
        }
    }


def _midnight(day: date) -> str:
    return f"{datetime(day.year, day.month, day.day, tzinfo=UTC):%Y-%m-%dT%H:%M:%S.000Z}"


def _body(found: list[dict[str, object]], errors: list[dict[str, object]]) -> dict[str, object]:
    """`data` only where something was found, `errors` only where something was not."""
    body: dict[str, object] = {"data": found} if found else {}
    return body | ({"errors": errors} if errors else {})
