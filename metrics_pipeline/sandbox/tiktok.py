"""TikTok: which of its two APIs a request is meant for, and whose token it carries.

A token may name its account after `~`, as in `secret~open_id`; the Display API, which is not told the account in any
other way, needs it.
"""

from __future__ import annotations

from metrics_pipeline.sandbox import tiktok_accounts, tiktok_display
from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.tiktok_errors import ACCOUNTS, DISPLAY, accounts_error, bad_request, display_error
from metrics_pipeline.sandbox.tiktok_list import PLATFORM

_SEPARATOR = "~"
_DISPLAY = {
    "/v2/user/info": ("GET", tiktok_display.user_info),
    "/v2/video/list": ("POST", tiktok_display.video_list),
    "/v2/video/query": ("POST", tiktok_display.video_query),
}
_ACCOUNTS = {
    "/open_api/v1.3/business/get": tiktok_accounts.business_get,
    "/open_api/v1.3/business/video/list": tiktok_accounts.business_videos,
}


def answer(call: Call) -> Reply:
    """Answer one request to either host.

    Raises:
        RefusedError: TikTok would refuse it.
    """
    path = "/" + "/".join(call.segments)
    return _on_accounts(call, path) if path.startswith("/open_api/") else _on_display(call, path)


def _on_display(call: Call, path: str) -> Reply:
    if "authorization" not in call.headers:
        raise DISPLAY.no_token()
    call.check_token(DISPLAY)
    owner = _split_owner(call)
    if path not in _DISPLAY:
        raise display_error(404, "invalid_params", "There is no such endpoint")
    method, handler = _DISPLAY[path]
    if (call.body is None) == (method == "POST"):
        raise bad_request(f"This endpoint is asked by {method}")
    call.guard(DISPLAY, *([owner] if owner else []))
    account = call.world.account(PLATFORM, owner, call.at) if owner else None
    if account is None:
        raise DISPLAY.no_token()
    return handler(call, account)


def _on_accounts(call: Call, path: str) -> Reply:
    """The bare token, without `Bearer`, in a header of its own; every refusal about it has the same number."""
    if not call.headers.get("access-token") or call.headers["access-token"].lower().startswith("bearer"):
        raise ACCOUNTS.no_token()
    call.check_token(ACCOUNTS)
    owner, business_id = _split_owner(call), call.params.get("business_id", "")
    if path not in _ACCOUNTS:
        raise accounts_error(40002, "There is no such endpoint")
    call.guard(ACCOUNTS, *([business_id] if business_id else []))
    account = call.world.account(PLATFORM, business_id, call.at) if owner in (None, business_id) else None
    if account is None:
        raise ACCOUNTS.no_token()
    return _ACCOUNTS[path](call, account)


def _split_owner(call: Call) -> str | None:
    """The account a token names; what stands before it is the token that faults speak of."""
    secret, separator, owner = (call.token or "").rpartition(_SEPARATOR)
    if separator:
        call.token = secret
    return owner if separator and owner else None
