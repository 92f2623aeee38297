"""Who a YouTube token belongs to: `mine=true` and `channel==MINE` need to know."""

from __future__ import annotations

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.youtube_errors import google_error

PLATFORM = "youtube"
_SEPARATOR = "~"


def token_owner(call: Call) -> str:
    """The channel behind the token: what follows `~` in it, as in `secret~UCabc`.

    Raises:
        RefusedError: the token names no channel.
    """
    _, separator, external_id = (call.token or "").rpartition(_SEPARATOR)
    if not separator or not external_id:
        raise google_error(404, "channelNotFound", "Channel not found.", "youtube.channel")
    return external_id
