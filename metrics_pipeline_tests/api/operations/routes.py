"""Every route of the application, and requests to them: a route that is added is in the tests without being named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_PARAMETER = re.compile(r"\{([a-z_]+)(:path)?\}")
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """A method of a path, as the description has it."""

    method: str
    path: str
    described: dict[str, Any]

    def url(self, value: str = "acme") -> str:
        """The path with the same, already encoded, in place of each parameter."""
        return _PARAMETER.sub(lambda _: value, self.path)

    @property
    def has_path_parameters(self) -> bool:
        return bool(_PARAMETER.search(self.path))

    @property
    def query(self) -> list[str]:
        return [p["name"] for p in self.described.get("parameters", []) if p["in"] == "query"]

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.described

    def properties(self) -> dict[str, Any]:
        """The names a body of this operation may have."""
        schema = self.described["requestBody"]["content"]["application/json"]["schema"]
        found: dict[str, Any] = {}
        for part in (schema, *schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("$defs", {}).values()):
            found |= part.get("properties", {})
        return found

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations(document: dict[str, Any]) -> list[Operation]:
    """Every operation of a description; a test holds that each route is one."""
    return [
        Operation(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in _METHODS
    ]
