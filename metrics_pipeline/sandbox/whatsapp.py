"""WhatsApp Business over the Graph API: the account with its analytics, its templates, one template."""

from __future__ import annotations

from collections.abc import Mapping

from metrics_pipeline.sandbox.calls import Call, Reply
from metrics_pipeline.sandbox.graph_errors import GraphWords, graph_error, invalid, no_such_object
from metrics_pipeline.sandbox.graph_paging import post_page
from metrics_pipeline.sandbox.graph_path import graph_path
from metrics_pipeline.sandbox.ids import PostRef, parse_numeric_id
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.whatsapp_analytics import ANALYTICS, Asked, asked_fields
from metrics_pipeline.sandbox.whatsapp_numbers import CURRENCY, PLATFORM, category, template_id, timezone_id
from metrics_pipeline.sandbox.whatsapp_templates import template_analytics
from metrics_pipeline.sandbox.world import AccountWorld

SERVED_VERSION = "v26.0"
WORDS = GraphWords(80008, "whatsapp", "this WhatsApp Business account")
TEMPLATES = 24  # an account keeps its newest templates and deletes the older ones
_STATUSES = ("APPROVED", "APPROVED", "APPROVED", "PAUSED", "REJECTED")


def answer(call: Call) -> Reply:
    """Answer one Graph request.

    Raises:
        RefusedError: the Graph API would refuse it.
    """
    call.check_token(WORDS)
    path = graph_path(call, SERVED_VERSION)
    ref = parse_numeric_id(PLATFORM, path.object_id)
    if ref is None:
        body = _of_account(call, path.object_id, path.edge)
    else:
        body = _of_template(call, path.object_id, ref, path.edge)
    return Reply(body, headers={"facebook-api-version": path.version})


def _of_account(call: Call, external_id: str, edge: str | None) -> dict[str, object]:
    call.guard(WORDS, external_id)
    account = call.world.account(PLATFORM, external_id, call.at)
    if account is None:
        raise no_such_object(external_id)
    if edge is None:
        return _account_fields(call, account)
    if edge == "message_templates":
        return post_page(
            call,
            account,
            lambda post: _is_there(call, account, post.index),
            lambda post: _fields(call, "WhatsAppMessageTemplate", _template(account, post)),
            TEMPLATES,
        )
    if edge == "template_analytics":
        return template_analytics(call, account, lambda index: _is_there(call, account, index))
    raise graph_error(2500, f"Unknown path components: /{edge}")


def _of_template(call: Call, object_id: str, ref: PostRef, edge: str | None) -> dict[str, object]:
    call.guard(WORDS, ref.external_id)
    account = call.world.account(PLATFORM, ref.external_id, call.at)
    if account is None or not _is_there(call, account, ref.index):
        raise no_such_object(object_id)
    if edge is not None:
        raise graph_error(2500, f"Unknown path components: /{edge}")
    return _fields(call, "WhatsAppMessageTemplate", _template(account, account.post(ref.index)))


def _is_there(call: Call, account: AccountWorld, index: int) -> bool:
    newest = account.newest_index(call.at)
    gone = call.faults.is_deleted(PLATFORM, account.external_id, template_id(account, index))
    return newest - TEMPLATES < index <= newest and not gone


def _account_fields(call: Call, account: AccountWorld) -> dict[str, object]:
    """The account's own fields, and the analytics that are asked for as fields with arguments."""
    attributes = {
        "id": account.external_id,
        "name": account.name.replace("_", " ").title(),
        "currency": CURRENCY,
        "timezone_id": timezone_id(account),
    }
    values: dict[str, object] = {}
    for asked in asked_fields(call.params.get("fields", "")):
        if asked.name in ANALYTICS:
            found = ANALYTICS[asked.name](call, account, asked)
            if found is not None:
                values[asked.name] = found
        elif asked.name in attributes:
            values[asked.name] = attributes[asked.name]
        else:
            raise _no_field(asked, "WhatsAppBusinessAccount")
    return values | {"id": account.external_id}


def _no_field(asked: Asked, node: str) -> Exception:
    return invalid(f"Tried accessing nonexisting field ({asked.name}) on node type ({node})")


def _template(account: AccountWorld, post: Post) -> dict[str, object]:
    return {
        "id": template_id(account, post.index),
        "name": f"campaign_{post.index:05d}",
        "status": _STATUSES[post.index % len(_STATUSES)],
        "category": category(post.index),
        "language": "pt_BR" if post.index % 4 == 0 else "en_US",
    }


def _fields(call: Call, node: str, attributes: Mapping[str, object]) -> dict[str, object]:
    """The requested fields; the id alone where none are requested."""
    for asked in asked_fields(call.params.get("fields", "")):
        if asked.name not in attributes:
            raise _no_field(asked, node)
    return {name: attributes[name] for name in [*call.listed("fields"), "id"]}
