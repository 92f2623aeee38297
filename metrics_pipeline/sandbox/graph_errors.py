"""Errors as Meta's Graph API words them: nearly always an OAuthException, told apart by code and subcode."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil

from metrics_pipeline.sandbox.calls import Call, RefusedError


def graph_error(
    code: int, message: str, *, status: int = 400, subcode: int | None = None, transient: bool = False
) -> RefusedError:
    """A refusal in the Graph shape; the trace id depends on the message only, so answers stay deterministic."""
    error: dict[str, object] = {"message": message, "type": "OAuthException", "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    if transient:
        error["is_transient"] = True
    error["fbtrace_id"] = "A" + blake2b(message.encode(), digest_size=5).hexdigest()
    return RefusedError(status, {"error": error})


def invalid(message: str, subcode: int | None = None) -> RefusedError:
    """Code 100: a parameter is wrong."""
    return graph_error(100, f"(#100) {message}", subcode=subcode)


def no_such_object(object_id: str) -> RefusedError:
    """Code 100, subcode 33: gone, never there, or not visible to this token."""
    return graph_error(
        100,
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation.",
        subcode=33,
    )


@dataclass(frozen=True, slots=True)
class GraphWords:
    """The Graph API's way to say what every platform says.

    limit_code, use_case and noun tell whose limit was hit: code, type in the usage header, and words.
    """

    limit_code: int
    use_case: str
    noun: str

    def no_token(self) -> RefusedError:
        return graph_error(104, "An access token is required to request this resource.", status=401)

    def expired(self) -> RefusedError:
        return graph_error(190, "Error validating access token: the session has expired.", status=401, subcode=463)

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError:
        """The limit's code, and the header that counts the minutes until access returns."""
        refusal = graph_error(
            self.limit_code, f"There have been too many calls to {self.noun}. Wait a bit and try again."
        )
        usage = {
            external_id: [
                {
                    "type": self.use_case,
                    "call_count": 100,
                    "total_cputime": 31,
                    "total_time": 42,
                    "estimated_time_to_regain_access": ceil(reset_seconds / 60),
                }
            ]
        }
        headers = {"X-Business-Use-Case-Usage": json.dumps(usage, separators=(",", ":"))}
        return RefusedError(refusal.reply.status, refusal.reply.body, headers)

    def server_error(self, status: int) -> RefusedError:
        return graph_error(2, "Service temporarily unavailable", status=status, transient=True)

    def permission(self) -> RefusedError:
        return graph_error(10, "(#10) Application does not have permission for this action", status=403)
