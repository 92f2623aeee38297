"""Whether there is such an entity: asked only where no number of it was found."""

from __future__ import annotations

from metrics_pipeline.api.problems import LakeUnavailable, not_found
from metrics_pipeline.api.reading.question import Question
from metrics_pipeline.api.services import Services
from metrics_pipeline.control.accounts import list_accounts
from metrics_pipeline.control.workspaces import list_workspaces

# Where a post, a content item or a creator is named, if it is known at all.
_NAMED_IN = {
    "post": "select 1 from posts where workspace_id = $workspace_id and post_id = $entity_id limit 1",
    "content": "select 1 from content_metrics where workspace_id = $workspace_id and content_id = $entity_id limit 1",
    "creator": "select 1 from content_metrics where workspace_id = $workspace_id and creator_id = $entity_id limit 1",
}


def existing(parts: Services, question: Question) -> None:
    """Raises Problem 404 for an entity that nothing is known of."""
    if not _exists(parts, question):
        raise not_found()


def _exists(parts: Services, question: Question) -> bool:
    if question.level == "workspace":
        return any(
            w.workspace_id == question.workspace_id for w in list_workspaces(parts.control, include_removed=True)
        )
    if question.level == "account":
        accounts = list_accounts(parts.control, workspace_id=question.workspace_id, include_removed=True)
        return any(account.account_id == question.entity_id for account in accounts)
    statement = _NAMED_IN[question.level]
    try:
        with parts.reads.session("posts" if question.level == "post" else "content_metrics") as session:
            named = {"workspace_id": question.workspace_id, "entity_id": question.entity_id}
            return session.run(statement, named).read_all().num_rows > 0
    except LakeUnavailable:
        return False
