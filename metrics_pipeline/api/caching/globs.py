"""Patterns over keys: `*` for anything, `?` for one character, everything else for itself."""

from __future__ import annotations

import re

LONGEST_GLOB = 200


class Glob:
    """Matches whole texts. No pattern makes it slow: after a `*` the first place that fits is final."""

    def __init__(self, pattern: str) -> None:
        """Raises ValueError for a pattern of more than LONGEST_GLOB characters."""
        if len(pattern) > LONGEST_GLOB:
            raise ValueError(f"a pattern has at most {LONGEST_GLOB} characters")
        first, *others = (_literal(part) for part in re.sub(r"\*+", "*", pattern).split("*"))
        # (?>...) keeps its first match: with `*` in between, a later one could not help what follows
        inner = "".join(f"(?>.*?{part})" for part in others[:-1])
        last = f".*{others[-1]}" if others else ""
        self._expression = re.compile(f"(?s:{first}{inner}{last})")

    def matches(self, text: str) -> bool:
        return self._expression.fullmatch(text) is not None


def _literal(part: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in part)
