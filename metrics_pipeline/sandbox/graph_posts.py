"""One post asked for by its id, as Facebook, Instagram and Threads find it."""

from __future__ import annotations

from metrics_pipeline.sandbox.calls import Call
from metrics_pipeline.sandbox.graph_errors import GraphWords, no_such_object
from metrics_pipeline.sandbox.ids import PostRef
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld


def post_there(call: Call, words: GraphWords, object_id: str, ref: PostRef) -> tuple[AccountWorld, Post]:
    """The account and the post behind an id, after the account's faults have spoken.

    Raises:
        RefusedError: a fault, or there is no such post: never, not any more, or not yet.
    """
    call.guard(words, ref.external_id)
    account = call.world.account(call.platform, ref.external_id, call.at)
    gone = call.faults.is_deleted(call.platform, ref.external_id, object_id)
    if account is None or gone or ref.index > account.newest_index(call.at):
        raise no_such_object(object_id)
    return account, account.post(ref.index)
