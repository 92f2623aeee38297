"""The path of a Graph request: a version that may be missing, an object, and an edge of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import graph_error

_VERSION = re.compile(r"v\d+\.\d+")


@dataclass(frozen=True, slots=True)
class GraphPath:
    """Which object is asked about, by which version, and which of its edges; None for its fields."""

    version: str
    object_id: str
    edge: str | None


def graph_path(call: Call, default_version: str) -> GraphPath:
    """The path of a request.

    Raises:
        RefusedError: it names no object, or more than one edge.
    """
    parts = call.segments
    version = parts.pop(0) if parts and _VERSION.fullmatch(parts[0]) else default_version
    if not parts or len(parts) > 2:
        raise graph_error(2500, f"Unknown path components: {call.path}")
    return GraphPath(version, parts[0], parts[1] if len(parts) == 2 else None)
