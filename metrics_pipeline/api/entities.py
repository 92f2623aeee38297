"""Whether there is such an entity, for answers that would say nothing of one that is not."""

from __future__ import annotations

from metrics_pipeline.api.problems import LakeUnavailable, not_found
from metrics_pipeline.api.reading.question import Level, Question
from metrics_pipeline.api.services import Services
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.workspaces import is_known_workspace

# Where a post, a content item or a creator is named, if it is known at all.
_NAMED_IN = {
    "post": "select 1 from posts where workspace_id = $workspace_id and post_id = $entity_id limit 1",
    "content": "select 1 from content_metrics where workspace_id = $workspace_id and content_id = $entity_id limit 1",
    "creator": "select 1 from content_metrics where workspace_id = $workspace_id and creator_id = $entity_id limit 1",
}


def existing_creator(parts: Services, workspace_id: str, creator_id: str) -> None:
    """Raises Problem 404 for a creator whom no content names."""
    if not _is_named(parts, "creator", workspace_id, creator_id):
        raise not_found()


def existing_workspace(parts: Services, workspace_id: str) -> None:
    """Raises Problem 404 for a workspace that there never was."""
    if not is_known_workspace(parts.control, workspace_id):
        raise not_found()


def existing(parts: Services, question: Question) -> None:
    """Raises Problem 404 for an entity that nothing is known of."""
    if not _exists(parts, question):
        raise not_found()


def _exists(parts: Services, question: Question) -> bool:
    if question.level == "workspace":
        return is_known_workspace(parts.control, question.workspace_id)
    if question.level == "account":
        accounts = list_accounts(parts.control, workspace_id=question.workspace_id, include_removed=True)
        return any(account.account_id == question.entity_id for account in accounts)
    return _is_named(parts, question.level, question.workspace_id, question.entity_id)


def _is_named(parts: Services, level: Level, workspace_id: str, entity_id: str) -> bool:
    try:
        with parts.reads.session("posts" if level == "post" else "content_metrics") as session:
            named = {"workspace_id": workspace_id, "entity_id": entity_id}
            return session.run(_NAMED_IN[level], named).read_all().num_rows > 0
    except LakeUnavailable:
        return False
