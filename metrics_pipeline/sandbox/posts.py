"""One simulated post: what it is, when it appeared, and how large each of its counters will grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metrics_pipeline.sandbox.draws import draws

# Post kinds per platform with the share of posts up to and including each.
KINDS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "facebook": (("photo", 0.4), ("video", 0.7), ("link", 0.9), ("status", 1.0)),
    "instagram": (("reel", 0.35), ("image", 0.65), ("carousel", 0.85), ("story", 1.0)),
    "linkedin": (("image", 0.4), ("article", 0.6), ("video", 0.8), ("text", 1.0)),
    "pinterest": (("image", 0.7), ("video", 0.85), ("idea", 1.0)),
    "threads": (("text", 0.4), ("image", 0.6), ("video", 0.75), ("carousel", 0.85), ("repost", 1.0)),
    "tiktok": (("clip", 1.0),),
    "whatsapp": (("template", 1.0),),
    "youtube": (("video", 0.6), ("short", 1.0)),
    "x": (("tweet", 0.8), ("reply", 0.92), ("repost", 1.0)),
}

# Attention hours after which a counter stands still. Stories are gone after a day, so they grow fast.
GROWTH_HOURS = 1_440.0
STORY_GROWTH_HOURS = 16.0

# Smallest and largest share of views that becomes each other counter. Every share is below 1, and the likes,
# comments, shares and saves of a post together stay below its views.
_SHARES: Mapping[str, tuple[float, float]] = {
    "likes": (0.03, 0.09),
    "comments": (0.002, 0.012),
    "shares": (0.003, 0.015),
    "saves": (0.003, 0.012),
    "follows": (0.001, 0.004),
    "profile_visits": (0.005, 0.02),
    "clicks": (0.001, 0.006),
    "reposts": (0.001, 0.005),
    "quotes": (0.0003, 0.002),
    "engaged_views": (0.55, 0.8),
}
# Counters that are a fixed share of another one.
_FIXED_SHARES: Mapping[str, tuple[str, float]] = {
    "dislikes": ("likes", 0.02),
    "unlikes": ("likes", 0.03),
    "unfollows": ("follows", 0.1),
    "playlist_adds": ("saves", 0.5),
    "contact_taps": ("clicks", 0.3),
    "detail_expands": ("views", 0.02),
    "permalink_clicks": ("clicks", 0.2),
    "hashtag_clicks": ("clicks", 0.05),
    "media_views": ("views", 0.3),
    "premium_views": ("views", 0.06),
    "premium_minutes": ("watch_minutes", 0.07),
    "card_impressions": ("views", 0.1),
    "card_clicks": ("views", 0.004),
    "full_watches": ("views", 0.3),
    "phone_taps": ("clicks", 0.08),
    "address_taps": ("clicks", 0.06),
    "app_taps": ("clicks", 0.04),
    "leads": ("clicks", 0.03),
    "delivered": ("views", 0.96),
    "reads": ("views", 0.6),
    "service_delivered": ("profile_visits", 0.98),
}
COUNTERS = ("views", *_SHARES, "watch_seconds", "watch_minutes", "watch_ms", "listed", *_FIXED_SHARES)
_SECONDS = {"video": (180, 1_200), "short": (15, 58), "reel": (8, 60), "story": (5, 15), "clip": (9, 90)}


@dataclass(frozen=True, slots=True)
class Post:
    """A post and its final counter totals (floats; a counter shows the whole part of what has grown so far).

    attention is the account's attention clock at publication, half_life the attention hours until about half
    of the growth, horizon the hours until all of it. duration is seconds of play, 0 for still posts.
    """

    index: int
    kind: str
    published: int
    attention: float
    half_life: float
    horizon: float
    duration: int
    hides_likes: bool
    totals: Mapping[str, float]

    def grown(self, attention: float) -> float:
        """The share of the totals reached when the attention clock shows `attention`: 0 before, 1 in the end.

        Only additions, products and quotients: the same bits one by one and in whole arrays.
        """
        age = attention - self.attention
        if age <= 0.0:
            return 0.0
        if age >= self.horizon:
            return 1.0
        return min(age / (age + self.half_life) * ((self.horizon + self.half_life) / self.horizon), 1.0)


def make_post(
    key: tuple[object, ...], platform: str, index: int, published: int, attention: float, audience: float
) -> Post:
    """The post number `index` of an account with about `audience` followers."""
    luck = draws(*key, "post", index)
    kind = next(name for name, upto in KINDS[platform] if luck[0] < upto)
    story = kind == "story"
    views = audience * (0.12 if story else 0.25) * (1.0 + 6.0 * luck[1] * luck[1] * luck[2])
    totals = {"views": views}
    for number, (name, (least, most)) in enumerate(_SHARES.items()):
        totals[name] = views * (least + (most - least) * luck[3 + number])
    low, high = _SECONDS.get(kind, (0, 0))
    duration = low + int((high - low) * luck[13])
    watched = views * duration * (0.35 + 0.3 * luck[14])
    comments_off = platform == "youtube" and luck[15] < 0.04
    if comments_off:
        totals["comments"] = 0.0
    totals |= {
        "watch_seconds": watched,
        "watch_minutes": watched / 60.0,
        "watch_ms": watched * 1_000.0,
        "listed": 0.0 if story else 1.0,
    }
    totals |= {name: totals[whole] * share for name, (whole, share) in _FIXED_SHARES.items()}
    if kind != "tweet" or index % 3:
        totals["media_views"] = 0.0  # only every third tweet carries a video
    return Post(
        index=index,
        kind=kind,
        published=published,
        attention=attention,
        half_life=3.0 if story else 12.0 + 50.0 * luck[2],
        horizon=STORY_GROWTH_HOURS if story else GROWTH_HOURS,
        duration=duration,
        hides_likes=luck[15] > 0.97,
        totals=totals,
    )
