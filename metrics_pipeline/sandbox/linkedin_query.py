"""Reading a Rest.li 2.0 query: structure in literal characters, URNs percent-encoded inside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.linkedin_errors import bad_request

_ENCODED_STRUCTURE = re.compile(r"%2[89C]", re.IGNORECASE)
_INTERVALS = re.compile(r"\(timeRange:\(start:(\d+),end:(\d+)\),timeGranularityType:(DAY|MONTH)\)")
_LIST = re.compile(r"List\(([^()]*)\)")


def parameters(call: Call) -> Mapping[str, str]:
    """The parameters as they were sent, still encoded.

    Raises:
        RefusedError: parentheses or commas are encoded, or a URN is not.
    """
    found: dict[str, str] = {}
    for pair in filter(None, call.query.split("&")):
        name, _, value = pair.partition("=")
        if _ENCODED_STRUCTURE.search(value) or "urn:li:" in value:
            raise bad_request(f"Invalid query parameters passed to request: {name}")
        found[name] = value
    return found


def urn(given: Mapping[str, str], name: str) -> str:
    value = unquote(given.get(name, ""))
    if not value.startswith("urn:li:"):
        raise bad_request(f"Parameter '{name}' is required and must be a URN")
    return value


def urn_list(given: Mapping[str, str], name: str) -> list[str] | None:
    """The URNs of a List(...), None where the parameter was not sent."""
    value = given.get(name)
    if value is None:
        return None
    match = _LIST.fullmatch(value)
    if match is None:
        raise bad_request(f"Parameter '{name}' must be a List")
    return [unquote(item) for item in match[1].split(",") if item]


def intervals(given: Mapping[str, str]) -> tuple[float, float, str] | None:
    """(start, end, granularity) in Unix seconds, None where totals are asked."""
    value = given.get("timeIntervals")
    if value is None:
        return None
    match = _INTERVALS.fullmatch(value)
    if match is None:
        raise bad_request("Invalid timeIntervals parameter")
    return int(match[1]) / 1000, int(match[2]) / 1000, match[3]


def whole(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, str(default))
    if not text.isdigit() or int(text) > most:
        raise bad_request(f"Parameter '{name}' must be a number up to {most}")
    return int(text)
