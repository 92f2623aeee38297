"""How a platform gives the next token: what its YAML says under `oauth`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

# RFC 6749, section 5.2, and the words platforms use in its place.
SPENT = "invalid_grant|invalid_token|unauthorized_client|access_denied"
PASSING = "server_error|temporarily_unavailable|internal_error|rate_limit_exceeded|slow_down"


class OAuth(BaseModel):
    """One request to a token endpoint, described by data alone.

    when: the settings, by name and value, under which this description holds; empty means always.
    send: a form or JSON by POST, or a query by GET. client: the parameters the application's id and secret travel
    as, of those the endpoint wants; with basic they make up the Authorization header instead.
    presents: which stored token is handed over, as the parameter presented_as. A refresh token may be replaced by
    the answer; an access token can only be exchanged while it is valid. With extends_presented the refresh token
    itself has an end that the exchange moves, so that it is renewed ahead of its own end too.
    answer_in: the field of the answer the tokens stand in. spent, passing: the error codes (a pattern) of a grant
    that will not work again, and of a failure that will pass; any other code is a mistake of the settings.
    object_path: where the account's own access token is read afterwards, with the token just granted.
    otherwise: what is tried when the endpoint refuses.
    refresh_before_minutes: how long before the end of a token a run gets the next one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    path: str
    when: dict[str, str] = {}
    grant: str = "refresh_token"
    send: Literal["form", "json", "query"] = "form"
    client: dict[Literal["id", "secret"], str] = {"id": "client_id", "secret": "client_secret"}
    client_auth: Literal["parameters", "basic"] = "parameters"
    presents: Literal["refresh_token", "access_token"] = "refresh_token"
    presented_as: str = "refresh_token"
    extends_presented: bool = False
    answer_in: str | None = None
    spent: str = SPENT
    passing: str = PASSING
    object_path: str | None = None
    otherwise: OAuth | None = None
    refresh_before_minutes: int = Field(10, ge=1)

    @field_validator("spent", "passing")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        re.compile(value)
        return value

    def holds(self, settings: object) -> bool:
        """Whether the settings ask for this description."""
        return all(getattr(settings, name) == value for name, value in self.when.items())
