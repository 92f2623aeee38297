"""Posts of a Page: their fields, and the counters among them."""

from __future__ import annotations

from metrics_pipeline.platforms.contract import Post
from metrics_pipeline.platforms.graph_posts import Listed
from metrics_pipeline.platforms.parsing import Fields

POST_FIELDS = (
    "id,created_time,message,permalink_url,status_type,shares,"
    "reactions.summary(total_count).limit(0),comments.summary(total_count).limit(0)"
)


def page_post(entry: Fields) -> Listed | None:
    """One post with its counters; None, and a report, where it has no id.

    `shares` is left out when there are none, so its absence is a zero; an absent summary is unknown.
    """
    entry.ignore("story", "from", "updated_time", "is_published", "full_picture", "attachments")
    post_id, published = entry.identifier("id"), entry.instant("created_time")
    title, permalink = entry.text("message"), entry.text("permalink_url")
    status_type = entry.text("status_type")
    counts = {name: count for name in ("reactions", "comments") if (count := _total(entry, name)) is not None}
    shares = entry.child("shares")
    if shares is None:
        counts["shares"] = 0.0
    else:
        with shares:
            count = shares.number("count")
            if count is not None:
                counts["shares"] = count
    if post_id is None:
        entry.report("a post without an id")
        return None
    kind = "video" if status_type == "added_video" else "post"
    return Listed(Post(post_id, kind, published, title, permalink, metadata={"status_type": status_type}), counts)


def _total(entry: Fields, name: str) -> float | None:
    """`total_count` in the summary of a connection whose members were not asked for."""
    connection = entry.child(name)
    if connection is None:
        return None
    with connection:
        connection.ignore("data", "paging")
        summary = connection.child("summary")
        if summary is None:
            return None
        with summary:
            summary.ignore("viewer_reaction", "order", "can_comment")
            return summary.number("total_count")
