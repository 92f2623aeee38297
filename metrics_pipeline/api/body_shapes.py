"""Parts of the descriptions of bodies that are read by their own validation: what they take, said as JSON Schema."""

from __future__ import annotations

from pydantic.config import JsonDict

# Half of a pair of surrogates cannot be written in UTF-8, so that leaves NUL to name.
NO_NUL = r"^[^\x00]*$"
_SAYS_SOMETHING = r"^[^\x00]*[^\s\x00][^\x00]*$"


def text(longest: int) -> JsonDict:
    """Text, or null or blank, which say nothing."""
    return {"type": ["string", "null"], "maxLength": longest, "pattern": NO_NUL}


def needed_text(longest: int) -> JsonDict:
    """Text that has to say something."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": _SAYS_SOMETHING}


def number(low: float, high: float) -> JsonDict:
    """A number from low to high, or null."""
    return {"type": ["number", "null"], "minimum": low, "maximum": high}


def count(high: int) -> JsonDict:
    """A whole number from 0 to high, or null."""
    return {"type": ["integer", "null"], "minimum": 0, "maximum": high}


def boolean() -> JsonDict:
    """True or false, or null."""
    return {"type": ["boolean", "null"]}


def instant() -> JsonDict:
    """An instant with its offset, of a year from 1971 to 2199, or null."""
    return {
        "type": ["string", "null"],
        "format": "date-time",
        "pattern": "^(197[1-9]|19[89][0-9]|2[01][0-9]{2})-",
    }
