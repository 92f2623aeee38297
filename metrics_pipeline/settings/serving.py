"""Settings of the API as a service: whose tokens it believes, how much one may read, and what it tells of itself."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from metrics_pipeline.settings.stores import StoreSettings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ServingSettings(StoreSettings):
    """Tokens of an external issuer, quotas of reads, metrics and logs of the API."""

    jwt_issuer: str | None = Field(
        None, description="Issuer (`iss`) whose JWTs the API takes beside keys, its address; default: keys only."
    )
    jwt_audience: str | None = Field(
        None, description="What `aud` of such a token has to name: this API, as the issuer knows it."
    )
    jwt_jwks_url: str | None = Field(
        None, description="Where the issuer's public keys are; default: what its openid-configuration says."
    )
    jwt_workspace_claim: str = Field(
        "workspace_id", min_length=1, description="Claim with the one workspace a token is for."
    )
    jwt_scope_claim: str = Field(
        "scope", min_length=1, description="Claim with read, ingest, define, admin: a list, or with spaces between."
    )
    jwt_scope_prefix: str = Field(
        "", description="What stands before these words in the claim, such as `metrics:`; others are not looked at."
    )
    jwt_roles_claim: str = Field(
        "roles", min_length=1, description="Claim with roles for custom metrics, such as metrics:define; may be absent."
    )
    jwt_teams_claim: str = Field(
        "teams", min_length=1, description="Claim with the ids of teams that own custom metrics; may be absent."
    )
    jwt_require_nbf: bool = Field(
        True, description="Refuse tokens without `nbf`; false for issuers that never write it."
    )
    api_user_reads_per_minute: int = Field(60, ge=1, description="Reads one end user (a JWT's `sub`) has in a minute.")
    api_server_key_reads_per_minute: int = Field(6000, ge=1, description="Reads a minute through one API key.")
    api_metrics: Literal["off", "loopback", "open"] = Field(
        "loopback",
        description="Who may read /metrics (Prometheus): nobody, this machine without a proxy between, everybody.",
    )
    api_log: Literal["off", "text", "json"] = Field(
        "off", description="One line for each request of the API on stderr; json: warnings as well."
    )

    @field_validator("jwt_issuer", "jwt_jwks_url")
    @classmethod
    def _is_safe(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_address(value):
            raise ValueError("write an https:// address; http:// only on this machine")
        return value

    @model_validator(mode="after")
    def _tokens_are_for_us(self) -> ServingSettings:
        if self.jwt_issuer is not None and not self.jwt_audience:
            raise ValueError(
                "METRICS_JWT_ISSUER needs METRICS_JWT_AUDIENCE: without it tokens for other services would be taken"
            )
        if self.jwt_issuer is None and (self.jwt_audience or self.jwt_jwks_url):
            raise ValueError("METRICS_JWT_AUDIENCE and METRICS_JWT_JWKS_URL need METRICS_JWT_ISSUER")
        return self


def is_safe_address(text: str) -> bool:
    """Whether nobody on the way can change what is read there: https, or this machine itself; without a password."""
    try:
        parts = urlsplit(text)
        is_one = bool(parts.hostname) and (parts.port or 1) > 0 and parts.username is None and not parts.fragment
    except ValueError:  # a port that is no number
        return False
    return is_one and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
