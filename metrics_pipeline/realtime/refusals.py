"""What is refused, under a code that callers can rely on."""

from __future__ import annotations


class RealtimeError(ValueError):
    """An update or a question that cannot be taken: a stable code, and a sentence without the caller's values."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
