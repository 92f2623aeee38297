"""Errors as the two YouTube APIs word them: a Google error object whose first reason tells them apart."""

from __future__ import annotations

from metrics_pipeline.sandbox.calls import Call, RefusedError


def google_error(
    status: int, reason: str, message: str, domain: str = "global", status_name: str | None = None
) -> RefusedError:
    error: dict[str, object] = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": domain, "reason": reason}],
    }
    if status_name:
        error["status"] = status_name
    return RefusedError(status, {"error": error})


def bad(message: str, reason: str = "badRequest") -> RefusedError:
    return google_error(400, reason, message)


def missing(parameter: str) -> RefusedError:
    return google_error(400, "required", f"Required parameter: {parameter}")


def not_supported() -> RefusedError:
    """A report that the Analytics API has not in this combination."""
    return bad("The query is not supported. Check the documentation for supported queries.")


class YouTubeWords:
    """YouTube's way to say what every platform says."""

    def no_token(self) -> RefusedError:
        return google_error(401, "authError", "Login Required.", status_name="UNAUTHENTICATED")

    def expired(self) -> RefusedError:
        return google_error(401, "authError", "Invalid Credentials", status_name="UNAUTHENTICATED")

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError:
        """The daily quota: no header says when it returns, it is midnight Pacific."""
        return google_error(
            403,
            "quotaExceeded",
            "The request cannot be completed because you have exceeded your quota.",
            "youtube.quota",
        )

    def server_error(self, status: int) -> RefusedError:
        return google_error(status, "backendError", "Backend Error")

    def permission(self) -> RefusedError:
        return google_error(
            403,
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
            status_name="PERMISSION_DENIED",
        )


WORDS = YouTubeWords()
