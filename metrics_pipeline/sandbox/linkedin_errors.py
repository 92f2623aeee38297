"""Errors as LinkedIn words them: status, serviceErrorCode, code and message."""

from __future__ import annotations

from metrics_pipeline.sandbox.calls import Call, RefusedError


def refusal(status: int, code: str, message: str, service_code: int | None = None) -> RefusedError:
    body: dict[str, object] = {"status": status, "code": code, "message": message}
    if service_code is not None:
        body["serviceErrorCode"] = service_code
    return RefusedError(status, body)


def bad_request(message: str) -> RefusedError:
    return refusal(400, "ILLEGAL_ARGUMENT", message)


def not_found(message: str) -> RefusedError:
    return refusal(404, "NOT_FOUND", message)


def no_version(version: str | None) -> RefusedError:
    """426: the version header is missing, unknown, or names a version that is no longer served."""
    if not version:
        return refusal(426, "VERSION_MISSING", "A version must be present. Please specify a version.")
    return refusal(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")


class LinkedInWords:
    """LinkedIn's way to say what every platform says."""

    def no_token(self) -> RefusedError:
        return refusal(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2_access_token", 65604)

    def expired(self) -> RefusedError:
        return refusal(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired", 65604)

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError:
        """The daily counter of a resource: no header says when it returns, it is 00:00 UTC."""
        return refusal(
            429, "TOO_MANY_REQUESTS", "Resource level throttle MEMBER DAY limit for calls to this resource is reached."
        )

    def server_error(self, status: int) -> RefusedError:
        return refusal(status, "INTERNAL_SERVER_ERROR", "Internal Server Error")

    def permission(self) -> RefusedError:
        return refusal(403, "ACCESS_DENIED", "Not enough permissions to access this resource", 100)


WORDS = LinkedInWords()
