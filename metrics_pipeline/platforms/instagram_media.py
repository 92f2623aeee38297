"""Instagram media as posts, and where their lifetime numbers stand in an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from metrics_pipeline.catalog.models import SourceMetric
from metrics_pipeline.platforms.contract import Post
from metrics_pipeline.platforms.graph_insights import Insight
from metrics_pipeline.platforms.graph_post_insights import Figures, plain_figure
from metrics_pipeline.platforms.graph_posts import Listed
from metrics_pipeline.platforms.parsing import Fields
from metrics_pipeline.platforms.readings import asked_name

MEDIA_FIELDS = "id,timestamp,media_type,media_product_type,caption,permalink,shortcode"
STORY_LIFE = timedelta(hours=24)  # a story's numbers can be read while it is up
PARAMETERS: Mapping[str, Mapping[str, str]] = {"media_navigation": {"breakdown": "story_navigation_action_type"}}


def media_post(entry: Fields) -> Listed | None:
    """One media object as a post; None, and a report, where it has no id."""
    entry.ignore("shortcode", "like_count", "comments_count", "username", "owner", "ig_id", "media_url")
    entry.ignore("thumbnail_url", "children", "is_comment_enabled")
    media_id, media_type = entry.identifier("id"), entry.text("media_type")
    product = (entry.text("media_product_type") or "FEED").upper()
    published, title, permalink = entry.instant("timestamp"), entry.text("caption"), entry.text("permalink")
    if media_id is None:
        entry.report("a media object without an id")
        return None
    kind = {"CAROUSEL_ALBUM": "carousel", "VIDEO": "video"}.get(media_type or "", "post")
    post_type = {"REELS": "reel", "STORY": "story"}.get(product, kind)
    metadata = {"media_type": media_type, "media_product_type": product}
    return Listed(Post(media_id, post_type, published, title, permalink, metadata=metadata))


def media_figure(source: SourceMetric, insights: Mapping[str, Insight]) -> Figures:
    """A source's value; the skip rate comes in percent and gets its parts from the views beside it."""
    found = plain_figure(source, insights)
    if found is None or asked_name(source) != "reels_skip_rate":
        return found
    rate = found[0]
    views = insights["views"].value if "views" in insights else None
    skips = None if views is None else round(rate / 100 * views, 6)
    if source.source == "reels_skip_rate.views":
        return None if skips is None else (skips, None, None)
    return rate, skips, views


def readable(posts: Sequence[Post], observed_at: datetime) -> list[Post]:
    """The posts whose numbers can still be read: all but expired stories."""
    return [p for p in posts if not (p.post_type == "story" and _expired(p, observed_at))]


def _expired(post: Post, observed_at: datetime) -> bool:
    return post.published_at is not None and post.published_at <= observed_at - STORY_LIFE
