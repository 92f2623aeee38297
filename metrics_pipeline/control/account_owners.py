"""Whose an account of a platform is: the way from what a platform calls it to workspaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Engine, select

from metrics_pipeline.control.database import reading
from metrics_pipeline.control.models import DISABLED, Account


class Owner(NamedTuple):
    """A workspace that has the account, and its id there."""

    workspace_id: str
    account_id: str


Owners = Mapping[str, tuple[Owner, ...]]
"""By external id."""


def account_owners(engine: Engine, platform: str) -> Owners:
    """Every workspace that has an account of this platform; not those that removed or disabled it.

    An account whose token died still counts: what the platform sends by itself needs none.
    """
    query = (
        select(Account.external_id, Account.workspace_id, Account.account_id)
        .where(Account.platform == platform, Account.removed_at.is_(None), Account.status != DISABLED)
        .order_by(Account.workspace_id, Account.account_id)
    )
    found: defaultdict[str, list[Owner]] = defaultdict(list)
    with reading(engine) as session:
        for external_id, workspace_id, account_id in session.execute(query):
            found[external_id].append(Owner(workspace_id, account_id))
    return {external_id: tuple(owners) for external_id, owners in found.items()}
