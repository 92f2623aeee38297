"""Connected accounts."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from metrics_pipeline.shapes.words import Shape


class ConnectedAccount(Shape):
    workspace_id: str
    account_id: str
    platform: str
    external_id: str = Field(description="The account as the platform knows it.")
    status: str = Field(description="active, needs_reauth or disabled.")
    reason: str | None = Field(description="Why it has this status.")
    token_valid_until: datetime | None = Field(description="After it only the owner can help; null where unknown.")


class AccountsAnswer(Shape):
    data: list[ConnectedAccount]
    meta: dict[str, str]
