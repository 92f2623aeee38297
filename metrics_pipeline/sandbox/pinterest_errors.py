"""Errors as Pinterest words them: a number and a sentence."""

from __future__ import annotations

from metrics_pipeline.sandbox.calls import Call, RefusedError


def refusal(status: int, code: int, message: str) -> RefusedError:
    return RefusedError(status, {"code": code, "message": message})


def bad_request(message: str) -> RefusedError:
    return refusal(400, 1, message)


class PinterestWords:
    """Pinterest's way to say what every platform says."""

    def no_token(self) -> RefusedError:
        return refusal(401, 2, "Authentication failed.")

    def expired(self) -> RefusedError:
        return self.no_token()

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError:
        headers = {
            "x-userendpoint-ratelimit-limit": "300",
            "x-userendpoint-ratelimit-remaining": "0",
            "x-userendpoint-ratelimit-reset": str(reset_seconds),
        }
        return RefusedError(429, {"code": 8, "message": "You have exceeded your rate limit. Try again later."}, headers)

    def server_error(self, status: int) -> RefusedError:
        return refusal(status, status, "Something went wrong on our end.")

    def permission(self) -> RefusedError:
        return refusal(403, 7, "You are not permitted to access that resource.")


WORDS = PinterestWords()
