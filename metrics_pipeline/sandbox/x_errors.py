"""Errors and rate-limit headers as X v2 words them."""

from __future__ import annotations

from collections.abc import Mapping

from metrics_pipeline.sandbox.calls import Call, RefusedError

_PROBLEMS = "https://api.x.com/2/problems/"
WINDOW_SECONDS = 900
# Requests per 15 minutes of a user token.
LIMITS: Mapping[str, int] = {
    "/2/users": 900,
    "/2/users/:id/tweets": 900,
    "/2/tweets": 5_000,
    "/2/tweets/analytics": 300,
    "/2/usage/tweets": 50,
}


def problem(status: int, slug: str, title: str, detail: str, **extra: object) -> RefusedError:
    """A refusal as a problem document."""
    kind = "about:blank" if slug == "about:blank" else _PROBLEMS + slug
    return RefusedError(status, {"title": title, "detail": detail, "type": kind, "status": status, **extra})


def bad_request(parameter: str, value: str, message: str) -> RefusedError:
    """400: one parameter is not accepted."""
    return RefusedError(
        400,
        {
            "errors": [{"parameters": {parameter: [value]}, "message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": _PROBLEMS + "invalid-request",
        },
    )


def not_found(resource: str, parameter: str, value: str) -> dict[str, object]:
    """The entry of `errors` for an id nobody has; the answer around it is still a 200."""
    return {
        "value": value,
        "detail": f"Could not find {resource} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": _PROBLEMS + "resource-not-found",
    }


def field_refused(resource: str, resource_id: str, field: str) -> dict[str, object]:
    """The entry of `errors` for a field this token may not see."""
    return {
        "resource_type": resource,
        "resource_id": resource_id,
        "parameter": field,
        "field": field,
        "value": resource_id,
        "title": "Field Authorization Error",
        "section": "data",
        "detail": f"Sorry, you are not authorized to access '{field}' on the {resource} with ids : [{resource_id}].",
        "type": _PROBLEMS + "not-authorized-for-field",
    }


def not_enrolled() -> RefusedError:
    return problem(
        403,
        "client-forbidden",
        "Client Forbidden",
        "When authenticating requests to the X API v2 endpoints, you must use keys and tokens from an App that is "
        "enrolled for this endpoint.",
        reason="client-not-enrolled",
    )


def rate_headers(call: Call, endpoint: str) -> dict[str, str]:
    """The three headers of every answer.

    The window is counted on the simulated clock. It never runs dry by itself, so that a simulated history of years
    can be read in minutes; the fault `throttled` is what makes it run dry.
    """
    limit = LIMITS[endpoint]
    window = int(call.at) // WINDOW_SECONDS
    used = call.usage.spend(call.token or "", endpoint, window)
    return _headers(limit, max(limit - used, 1), (window + 1) * WINDOW_SECONDS)


def _headers(limit: int, remaining: int, reset: int) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(limit),
        "x-rate-limit-remaining": str(remaining),
        "x-rate-limit-reset": str(reset),
        "api-version": "2.166",
    }


class XWords:
    """X's way to say what every platform says."""

    def no_token(self) -> RefusedError:
        return problem(401, "about:blank", "Unauthorized", "Unauthorized")

    def expired(self) -> RefusedError:
        return self.no_token()

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError:
        headers = _headers(900, 0, int(call.at) + reset_seconds)
        refusal = problem(429, "about:blank", "Too Many Requests", "Too Many Requests")
        return RefusedError(429, refusal.reply.body, headers)

    def server_error(self, status: int) -> RefusedError:
        return problem(status, "about:blank", "Internal Server Error", "Something is broken.")

    def permission(self) -> RefusedError:
        return problem(
            403,
            "not-authorized-for-resource",
            "Authorization Error",
            "You are not permitted to perform this action.",
        )


WORDS = XWords()
