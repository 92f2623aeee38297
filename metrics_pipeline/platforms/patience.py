"""When a failed request costs only its own metrics, and when the account's turn is over."""

from __future__ import annotations

from metrics_pipeline.platforms.errors import Act, PlatformError

# Errors after which every further call of this account would fail too.
LOST = frozenset({Act.WAIT, Act.STOP_PLATFORM, Act.REAUTH})
# A platform that failed this many requests in a row, each retried, is down; going on would only take time.
FAILURES_IN_A_ROW = 3


class Patience:
    """Counts a turn's failures."""

    def __init__(self) -> None:
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def weigh(self, error: PlatformError) -> None:
        """Return when the turn may go on without this request's figures.

        Raises:
            PlatformError: the same error, when the account is lost.
        """
        if error.act in LOST:
            raise error
        if error.act is Act.RETRY:
            self._failures += 1
            if self._failures >= FAILURES_IN_A_ROW:
                raise error
