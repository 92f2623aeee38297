"""Users and posts as X writes them, in the old spelling or, where an account was switched, in the new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.ids import PostRef, numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.x_errors import bad_request, field_refused
from metrics_pipeline.sandbox.zones import DAY_SECONDS, iso

Value = TypeVar("Value")

PLATFORM = "x"
_PRIVATE_DAYS = 30
_EXPANSIONS = ("attachments.media_keys",)
_USER_FIELDS = frozenset(
    ("id", "name", "username", "created_at", "description", "location", "protected", "verified", "verified_type")
) | {"public_metrics", "url"}
_METRIC_GROUPS = frozenset(("public_metrics", "non_public_metrics", "organic_metrics", "promoted_metrics"))
_POST_FIELDS = _METRIC_GROUPS | frozenset(
    ("id", "text", "created_at", "author_id", "conversation_id", "lang", "attachments", "in_reply_to_user_id", "source")
)
_OLD_POST_FIELDS = frozenset(("referenced_tweets", "note_tweet", "edit_history_tweet_ids"))
_NEW_POST_FIELDS = frozenset(("referenced_posts", "note_post", "edit_history_post_ids"))
_PUBLIC: Mapping[str, str] = {
    "retweet_count": "reposts",
    "reply_count": "comments",
    "like_count": "likes",
    "quote_count": "quotes",
    "bookmark_count": "saves",
    "impression_count": "views",
}
_PRIVATE: Mapping[str, tuple[str, ...]] = {
    "non_public_metrics": ("impression_count", "engagements", "url_link_clicks", "user_profile_clicks"),
    "organic_metrics": (
        "impression_count",
        "like_count",
        "reply_count",
        "retweet_count",
        "url_link_clicks",
        "user_profile_clicks",
    ),
}
_ENGAGEMENTS = ("likes", "comments", "reposts", "quotes", "saves", "clicks", "profile_visits")
_NEW_NAMES: Mapping[str, str] = {
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
}
_OLD_NAMES = {new: old for old, new in _NEW_NAMES.items()}
_OLD_PARAMETER, _NEW_PARAMETER = "tweet.fields", "post.fields"


def is_new(call: Call, account: str) -> bool:
    """Whether this account's answers come in the new spelling."""
    return bool(call.faults.of(PLATFORM, account, "new_vocabulary"))


def post_fields(call: Call, account: str) -> list[str]:
    """The post fields asked for.

    Raises:
        RefusedError: the parameter is spelled in the vocabulary this account does not speak, or a field is unknown.
    """
    new = is_new(call, account)
    right, wrong = (_NEW_PARAMETER, _OLD_PARAMETER) if new else (_OLD_PARAMETER, _NEW_PARAMETER)
    if wrong in call.params:
        raise bad_request(
            wrong, call.params[wrong], f"The query parameter [{wrong}] is not one of [expansions,ids,{right}]"
        )
    known = _POST_FIELDS | (_NEW_POST_FIELDS if new else _OLD_POST_FIELDS)
    return _known(call, right, known, call.faults.names(PLATFORM, account))


def user_fields(call: Call, accounts: Sequence[str]) -> list[str]:
    """The user fields asked for; unknown ones are refused."""
    refused = {name for account in accounts for name in call.faults.names(PLATFORM, account)}
    return _known(call, "user.fields", _USER_FIELDS, refused)


def _known(call: Call, parameter: str, known: frozenset[str], refused: set[str]) -> list[str]:
    wanted = call.listed(parameter)
    for name in wanted:
        if name not in known or name in refused:
            accepted = ",".join(sorted(known - refused))
            raise bad_request(
                parameter, name, f"The `{parameter}` query parameter value [{name}] is not one of [{accepted}]"
            )
    return wanted


def user_object(call: Call, account: AccountWorld, fields: Sequence[str]) -> dict[str, object]:
    """One user: id, name and username always, the rest as asked."""
    metrics = {
        "followers_count": account.followers(call.at),
        "following_count": account.following,
        "tweet_count": account.listed_posts(call.at),
        "listed_count": account.listed,
        "like_count": 3 * account.following,
        "media_count": account.listed_posts(call.at) // 3,
    }
    values: Mapping[str, object] = {
        "created_at": iso(account.created, ".000Z"),
        "description": "An account that exists in arithmetic only.",
        "location": "Nowhere",
        "protected": False,
        "verified": False,
        "verified_type": account.given_type or "none",
        "url": "",
        "public_metrics": _spelled(_without(call, account, metrics), is_new(call, account.external_id)),
    }
    head: dict[str, object] = {"id": account.external_id, "name": account.name, "username": account.name}
    return head | {name: values[name] for name in fields if name in values}


def post_object(
    call: Call, account: AccountWorld, post: Post, fields: Sequence[str]
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """One post and the entries of `errors` that go with it: private metrics exist for 30 days only."""
    post_id = numeric_id(PLATFORM, PostRef(account.external_id, post.index))
    values = _attributes(call, account, post, post_id)
    result: dict[str, object] = {"id": post_id, "text": values["text"], "edit_history_tweet_ids": [post_id]}
    errors: list[dict[str, object]] = []
    too_old = call.at - post.published > _PRIVATE_DAYS * DAY_SECONDS
    app_only = (call.token or "").startswith("app")
    for name in fields:
        if name == "public_metrics":
            counts = {key: account.counter(post, counter, call.at) for key, counter in _PUBLIC.items()}
            kept = _without(call, account, counts)
            result[name] = _spelled(kept, is_new(call, account.external_id))
            errors += [field_refused("tweet", post_id, f"{name}.{gone}") for gone in counts if gone not in kept]
        elif name in _PRIVATE and not too_old and not app_only:
            counts = {key: _private(account, post, key, call.at) for key in _PRIVATE[name]}
            result[name] = _spelled(_without(call, account, counts), is_new(call, account.external_id))
        elif name in _PRIVATE or name == "promoted_metrics":
            errors.append(field_refused("tweet", post_id, name))
        elif values.get(_OLD_NAMES.get(name, name)) is not None:
            result[_OLD_NAMES.get(name, name)] = values[_OLD_NAMES.get(name, name)]
    return _spelled(result, is_new(call, account.external_id)), errors


def _attributes(call: Call, account: AccountWorld, post: Post, post_id: str) -> Mapping[str, object]:
    reference = {"reply": "replied_to", "repost": "retweeted"}.get(post.kind)
    return {
        "text": f"{post.kind.title()} number {post.index}",
        "created_at": iso(post.published, ".000Z"),
        "author_id": account.external_id,
        "conversation_id": post_id,
        "lang": "en",
        "attachments": {"media_keys": [media_key(post_id)]} if has_video(post) else None,
        "referenced_tweets": [{"type": reference, "id": f"1{post.index:018d}"}] if reference else None,
    }


def has_video(post: Post) -> bool:
    return post.totals["media_views"] > 0


def media_key(post_id: str) -> str:
    return f"7_{post_id}"


def included_media(call: Call, owned: Sequence[tuple[AccountWorld, Post]]) -> dict[str, object]:
    """`includes` with the videos of these posts, where the request expands them."""
    expanded = call.listed("expansions")
    for name in expanded:
        if name not in _EXPANSIONS:
            raise bad_request("expansions", name, f"[{name}] is not one of [{','.join(_EXPANSIONS)}]")
    videos = [pair for pair in owned if has_video(pair[1])]
    if _EXPANSIONS[0] not in expanded or not videos:
        return {}
    fields = call.listed("media.fields")
    return {"includes": {"media": [_medium(call, account, post, fields) for account, post in videos]}}


def _medium(call: Call, account: AccountWorld, post: Post, fields: Sequence[str]) -> dict[str, object]:
    post_id = numeric_id(PLATFORM, PostRef(account.external_id, post.index))
    medium: dict[str, object] = {"media_key": media_key(post_id), "type": "video"}
    if "public_metrics" in fields:
        medium["public_metrics"] = {"view_count": account.counter(post, "media_views", call.at)}
    if "duration_ms" in fields:
        medium["duration_ms"] = 15_000 + 1_000 * (post.index % 45)
    return medium


def _private(account: AccountWorld, post: Post, name: str, at: float) -> int:
    if name == "engagements":
        return sum(account.counter(post, counter, at) for counter in _ENGAGEMENTS)
    counter = {"url_link_clicks": "clicks", "user_profile_clicks": "profile_visits"}.get(name) or _PUBLIC[name]
    return account.counter(post, counter, at)


def _without(call: Call, account: AccountWorld, counts: Mapping[str, int]) -> dict[str, int]:
    refused = call.faults.names(PLATFORM, account.external_id)
    return {name: count for name, count in counts.items() if name not in refused}


def _spelled(values: Mapping[str, Value], new: bool) -> dict[str, Value]:
    return {_NEW_NAMES.get(name, name) if new else name: value for name, value in values.items()}
