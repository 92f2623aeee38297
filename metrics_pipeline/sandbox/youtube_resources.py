"""Channels, playlist items and videos as the Data API writes them: numbers are strings, hidden ones absent."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.ids import PostRef, video_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.youtube_errors import bad, missing
from metrics_pipeline.sandbox.zones import iso

_PARTS: Mapping[str, frozenset[str]] = {
    "channel": frozenset({"id", "snippet", "statistics", "contentDetails", "status"}),
    "playlistItem": frozenset({"id", "snippet", "contentDetails", "status"}),
    "video": frozenset({"id", "snippet", "statistics", "contentDetails", "status"}),
}


def parts_of(call: Call, kind: str) -> frozenset[str]:
    """The parts asked for.

    Raises:
        RefusedError: none, or one the resource has not.
    """
    parts = frozenset(call.listed("part"))
    if not parts:
        raise missing("part")
    unknown = sorted(parts - _PARTS[kind])
    if unknown:
        raise bad(f"'{unknown[0]}'", "unknownPart")
    return parts


def uploads_playlist(external_id: str) -> str:
    """The playlist of a channel's uploads: UU where the channel has UC, UL before any other id."""
    return "UU" + external_id[2:] if external_id.startswith("UC") else "UL" + external_id


def playlist_owner(playlist: str) -> str | None:
    """The channel whose uploads a playlist holds, or None for any other playlist."""
    if playlist.startswith("UU"):
        return "UC" + playlist[2:]
    return playlist[2:] if playlist.startswith("UL") else None


def rounded_down(count: int) -> int:
    """A subscriber count as shown in public: three significant figures, rounded down."""
    unit = int("1" + "0" * max(len(str(count)) - 3, 0))
    return count // unit * unit


def channel_resource(call: Call, account: AccountWorld, parts: Collection[str]) -> dict[str, object]:
    hidden = bool(call.faults.of("youtube", account.external_id, "hidden_subscribers"))
    statistics: dict[str, object] = {
        "viewCount": str(account.total("views", call.at)),
        "hiddenSubscriberCount": hidden,
        "videoCount": str(account.listed_posts(call.at)),
    }
    if not hidden:
        statistics["subscriberCount"] = str(rounded_down(account.followers(call.at)))
    for name in call.faults.names("youtube", account.external_id):
        statistics.pop(name, None)
    return _with_parts(
        "channel",
        account.external_id,
        parts,
        {
            "snippet": {
                "title": account.name,
                "description": "A channel that exists in arithmetic only.",
                "customUrl": f"@{account.name}",
                "publishedAt": iso(account.created),
            },
            "statistics": statistics,
            "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": uploads_playlist(account.external_id)}},
            "status": {"privacyStatus": "public", "isLinked": True},
        },
    )


def playlist_item_resource(
    account: AccountWorld, post: Post, position: int, parts: Collection[str]
) -> dict[str, object]:
    own_id = video_id(PostRef(account.external_id, post.index))
    playlist = uploads_playlist(account.external_id)
    return _with_parts(
        "playlistItem",
        f"{playlist}.{post.index}",
        parts,
        {
            "snippet": {
                "publishedAt": iso(post.published),
                "channelId": account.external_id,
                "title": _title(post),
                "description": "",
                "channelTitle": account.name,
                "playlistId": playlist,
                "position": position,
                "resourceId": {"kind": "youtube#video", "videoId": own_id},
            },
            "contentDetails": {"videoId": own_id, "videoPublishedAt": iso(post.published)},
            "status": {"privacyStatus": "public"},
        },
    )


def video_resource(call: Call, account: AccountWorld, post: Post, parts: Collection[str]) -> dict[str, object]:
    counts = {"viewCount": "views", "likeCount": "likes", "commentCount": "comments"}
    if post.hides_likes:
        del counts["likeCount"]
    if not post.totals["comments"]:
        del counts["commentCount"]
    statistics = {name: str(account.counter(post, counter, call.at)) for name, counter in counts.items()}
    statistics["favoriteCount"] = "0"
    for name in call.faults.names("youtube", account.external_id):
        statistics.pop(name, None)
    return _with_parts(
        "video",
        video_id(PostRef(account.external_id, post.index)),
        parts,
        {
            "snippet": {
                "publishedAt": iso(post.published),
                "channelId": account.external_id,
                "title": _title(post),
                "description": "",
                "channelTitle": account.name,
                "categoryId": "22",
                "liveBroadcastContent": "none",
            },
            "statistics": statistics,
            "contentDetails": {
                "duration": _iso_duration(post.duration),
                "dimension": "2d",
                "definition": "hd",
                "caption": "false",
            },
            "status": {"uploadStatus": "processed", "privacyStatus": "public", "embeddable": True},
        },
    )


def _with_parts(kind: str, own_id: str, parts: Collection[str], values: Mapping[str, object]) -> dict[str, object]:
    head: dict[str, object] = {"kind": f"youtube#{kind}", "etag": f"{kind}-{own_id}", "id": own_id}
    return head | {name: value for name, value in values.items() if name in parts}


def _title(post: Post) -> str:
    return f"{post.kind.title()} number {post.index}"


def _iso_duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return "PT" + (f"{minutes}M" if minutes else "") + (f"{rest}S" if rest or not minutes else "")
