"""Errors as TikTok's two APIs word them: named codes with a status here, numbers inside a 200 there."""

from __future__ import annotations

from metrics_pipeline.sandbox.calls import Call, RefusedError

_TRACE = "20261120000000SANDBOX"


def display_ok() -> dict[str, str]:
    """The error object of a Display answer that has no error."""
    return {"code": "ok", "message": "", "log_id": _TRACE}


def display_error(status: int, code: str, message: str) -> RefusedError:
    return RefusedError(status, {"data": {}, "error": {"code": code, "message": message, "log_id": _TRACE}})


def bad_request(message: str) -> RefusedError:
    return display_error(400, "invalid_params", message)


def accounts_error(code: int, message: str) -> RefusedError:
    """The Accounts API answers 200 whatever happens."""
    return RefusedError(200, {"code": code, "message": message, "request_id": _TRACE, "data": {}})


def bad_parameter(message: str) -> RefusedError:
    return accounts_error(40002, message)


class DisplayWords:
    """The Display API's way to say what every platform says. No header tells when a limit ends."""

    def no_token(self) -> RefusedError:
        return display_error(401, "access_token_invalid", "The access token is invalid or not found in the request.")

    def expired(self) -> RefusedError:
        return self.no_token()

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError:
        return display_error(429, "rate_limit_exceeded", "The API rate limit was exceeded.")

    def server_error(self, status: int) -> RefusedError:
        return display_error(status, "internal_error", "Something went wrong on our side.")

    def permission(self) -> RefusedError:
        return display_error(401, "scope_not_authorized", "The user did not authorize the scope required.")


class AccountsWords:
    """The Accounts API's way to say the same."""

    def no_token(self) -> RefusedError:
        return accounts_error(40105, "Access token is incorrect or has been revoked.")

    def expired(self) -> RefusedError:
        return self.no_token()

    def throttled(self, call: Call, external_id: str, reset_seconds: int) -> RefusedError:
        return accounts_error(40100, "Too many requests. Please retry in some time.")

    def server_error(self, status: int) -> RefusedError:
        return accounts_error(50000, "System error. Please retry.")

    def permission(self) -> RefusedError:
        return accounts_error(40001, "No permission to operate on this account.")


DISPLAY = DisplayWords()
ACCOUNTS = AccountsWords()
