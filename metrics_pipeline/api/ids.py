"""Ids in paths and queries: what the description says one may be, and the 404 for what nothing can be called.

A store is never asked for an id that it could not hold, and such an id is answered like one that nothing has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from metrics_pipeline.api.problems import not_found
from metrics_pipeline.control.identifiers import ID_LENGTH

# Workspaces and accounts are named here; everything else as a platform or an application names it.
OWN_ID: JsonDict = {"type": "string", "minLength": 1, "maxLength": ID_LENGTH, "pattern": "^[A-Za-z0-9._-]+$"}
FOREIGN_ID: JsonDict = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$",
}


def _possible(shape: JsonDict) -> Callable[[str], str]:
    pattern, longest = re.compile(str(shape["pattern"]).removesuffix("$")), int(str(shape["maxLength"]))

    def check(value: str) -> str:
        if len(value) > longest or not pattern.fullmatch(value):
            raise not_found()
        return value

    return check


OwnId = Annotated[str, AfterValidator(_possible(OWN_ID)), WithJsonSchema(OWN_ID)]
ForeignId = Annotated[str, AfterValidator(_possible(FOREIGN_ID)), WithJsonSchema(FOREIGN_ID)]
NewId = Annotated[str, WithJsonSchema(FOREIGN_ID)]
"""Of what a request makes known here: it says itself what is wrong with an id that it cannot take."""

WorkspaceId = Annotated[OwnId, Path(description="The workspace's id.")]
AccountId = Annotated[OwnId, Path(description="The account's id, as GET /v1/accounts tells it.")]
PostId = Annotated[ForeignId, Path(description="The id that the platform gave the post.")]
NewPostId = Annotated[NewId, Path(description="The id that the platform gave the post.")]
ContentId = Annotated[ForeignId, Path(description="The id that the application gave the item.")]
NewContentId = Annotated[NewId, Path(description="The id that the application gives the item.")]
CreatorId = Annotated[ForeignId, Path(description="The creator's id, as content has it.")]
UserId = Annotated[ForeignId, Path(description="The user id that events carry.")]
NewUserId = Annotated[NewId, Path(description="The user id that events carry.")]

OfAccount = Annotated[OwnId | SkipJsonSchema[None], Query(description="Of one account only.")]
OfCreator = Annotated[ForeignId | SkipJsonSchema[None], Query(description="Of one creator only.")]
WorkspaceOfOperator = Annotated[
    OwnId | SkipJsonSchema[None],
    Query(description="For an operator's key, which belongs to no workspace. Other keys have their own."),
]
