"""WhatsApp's own error codes, before the Graph API's common ones."""

from __future__ import annotations

from metrics_pipeline.platforms import graph_errors
from metrics_pipeline.platforms.dialect import Dialect
from metrics_pipeline.platforms.errors import Act, Answer, PlatformError
from metrics_pipeline.platforms.graph_errors import of_whole_account, quota_used_up, wait_seconds
from metrics_pipeline.platforms.patience import Patience

# The account itself is blocked, restricted or unpaid. Nobody but its owner can change that: no call is tried again.
BLOCKED = frozenset({368, 130497, 131031, 131037, 131042, 131045, 131048, 131064})
_BUSY = {131000, 131016}
_THROTTLED = {130429, 131056, 131057, 133016}
# Insights of templates that are not there for this account, wait for a confirmation, or cannot be given.
_NO_INSIGHTS = {200005, 200006, 200007}
_ACTS = {
    0: Act.REAUTH,
    131005: Act.PERMISSION,
    **dict.fromkeys(BLOCKED, Act.PERMISSION),
    **dict.fromkeys(_THROTTLED, Act.WAIT),
    **dict.fromkeys(_BUSY, Act.RETRY),
    **dict.fromkeys(_NO_INSIGHTS, Act.SKIP_METRIC),
}


def classify(answer: Answer) -> PlatformError | None:
    """What a WhatsApp answer means; None for success."""
    error = answer.mapping().get("error")
    code = error.get("code") if isinstance(error, dict) else None
    act = _ACTS.get(code) if isinstance(code, int) else None
    if act is None or not isinstance(error, dict):
        return graph_errors.classify(answer)
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    text = ": ".join(part for part in (error.get("message"), details) if isinstance(part, str) and part)
    return PlatformError(
        act,
        f"{text or 'no message'} (code {code})",
        wait_seconds=wait_seconds(answer) if act is Act.WAIT else None,
        code=str(code),
        status=answer.status,
    )


def weigh(failure: PlatformError, patience: Patience) -> PlatformError:
    """The failure of one request about the account, where the turn may go on without its figures.

    Raises:
        PlatformError: the account's turn is over, also because the account is blocked.
    """
    error = of_whole_account(failure)
    if error.code in {str(code) for code in BLOCKED}:
        raise error
    patience.weigh(error)
    return error


DIALECT = Dialect(
    classify=lambda answer, _now: classify(answer),
    quota_used_up=lambda answer, _now: quota_used_up(answer),
    version_header="facebook-api-version",
)
