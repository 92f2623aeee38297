"""`GET /v1/accounts`: which accounts are connected, and which of them need somebody."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from metrics_pipeline.api.answers import ERRORS
from metrics_pipeline.api.callers import Reader
from metrics_pipeline.api.services import Parts
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.token_refresh import valid_until
from metrics_pipeline.shapes.accounts import AccountsAnswer, ConnectedAccount

router = APIRouter(prefix="/v1", tags=["accounts"])


@router.get("/accounts", responses=ERRORS, name="list_accounts")
async def accounts(caller: Reader, parts: Parts) -> AccountsAnswer:
    """The accounts of the key's workspace, of every workspace for an operator; removed ones are left out.

    `needs_reauth` means that nothing is read until its owner has signed in again; `reason` is the platform's.
    """
    records = await asyncio.to_thread(list_accounts, parts.control)
    tokens = await asyncio.to_thread(valid_until, parts.control)
    return AccountsAnswer(
        data=[
            ConnectedAccount(
                workspace_id=record.workspace_id,
                account_id=record.account_id,
                platform=record.platform,
                external_id=record.external_id,
                status=record.status,
                reason=record.status_reason,
                token_valid_until=tokens.get((record.workspace_id, record.account_id)),
            )
            for record in records
            if caller.workspace_id in (None, record.workspace_id)
        ],
        meta={},
    )
