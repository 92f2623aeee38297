"""Ids that paths name, each with its meaning for /docs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

WorkspaceId = Annotated[str, Path(description="The workspace's id.")]
AccountId = Annotated[str, Path(description="The account's id here, as `GET /v1/accounts` tells it.")]
PostId = Annotated[str, Path(description="The id that the platform gave the post.")]
ContentId = Annotated[str, Path(description="The application's id of the content item.")]
CreatorId = Annotated[str, Path(description="The application's id of the creator.")]
