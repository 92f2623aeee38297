"""Posts of a LinkedIn page: their URNs, the finder and single posts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from metrics_pipeline.sandbox.calls import Body, Call
from metrics_pipeline.sandbox.ids import PostRef, numeric_id, parse_numeric_id
from metrics_pipeline.sandbox.linkedin_errors import WORDS, bad_request, not_found
from metrics_pipeline.sandbox.linkedin_query import whole
from metrics_pipeline.sandbox.posts import Post
from metrics_pipeline.sandbox.world import AccountWorld

PLATFORM = "linkedin"
ORGANIZATION = "urn:li:organization:"
_UGC_KINDS = ("video", "article")  # the others are shares
_MAX_COUNT = 100


def post_urn(account: AccountWorld, post: Post) -> str:
    kind = "ugcPost" if post.kind in _UGC_KINDS else "share"
    return f"urn:li:{kind}:{numeric_id(PLATFORM, PostRef(account.external_id, post.index))}"


def find_post(call: Call, urn: str) -> tuple[AccountWorld, Post] | None:
    """The post of a URN; None where it is nobody's, of another kind, deleted or not yet published."""
    ref = parse_numeric_id(PLATFORM, urn.rpartition(":")[2])
    if ref is None or call.faults.is_deleted(PLATFORM, ref.external_id, urn):
        return None
    account = call.world.account(PLATFORM, ref.external_id, call.at)
    if account is None or ref.index > account.newest_index(call.at):
        return None
    post = account.post(ref.index)
    return (account, post) if post_urn(account, post) == urn else None


def page_of_posts(call: Call, account: AccountWorld, given: Mapping[str, str]) -> Body:
    """Answer `posts?q=author`.

    Raises:
        RefusedError: the method header of a finder is missing, or a parameter cannot be used.
    """
    if call.headers.get("x-restli-method", "").upper() != "FINDER" or given.get("q") != "author":
        raise bad_request("The posts of an author need the finder method")
    if given.get("sortBy", "LAST_MODIFIED") not in ("LAST_MODIFIED", "CREATED"):
        raise bad_request("Parameter 'sortBy' must be LAST_MODIFIED or CREATED")
    start, count = whole(given, "start", 0, 1_000_000), whole(given, "count", 10, _MAX_COUNT)
    page: list[Body] = []
    more = False
    for place, post in enumerate(_visible(call, account)):
        if place >= start + count:
            more = True
            break
        if place >= start:
            page.append(post_body(account, post))
    links = [{"rel": "next", "type": "application/json", "href": f"/rest/posts?start={start + count}"}] if more else []
    return {"paging": {"start": start, "count": count, "links": links}, "elements": page}


def single_post(call: Call, urn: str) -> Body:
    ref = parse_numeric_id(PLATFORM, urn.rpartition(":")[2])
    call.guard(WORDS, *([ref.external_id] if ref is not None else []))
    found = find_post(call, urn)
    if found is None:
        raise not_found(f"Could not find entity {urn}")
    return post_body(*found)


def post_body(account: AccountWorld, post: Post) -> Body:
    created = post.published * 1000
    number = numeric_id(PLATFORM, PostRef(account.external_id, post.index))
    content: Mapping[str, object] = {
        "image": {"media": {"id": f"urn:li:image:C{number}"}},
        "video": {"media": {"title": f"Film {post.index}", "id": f"urn:li:video:C{number}"}},
        "article": {"article": {"source": f"https://example.org/{post.index}", "title": f"Article {post.index}"}},
    }
    body: dict[str, object] = {
        "id": post_urn(account, post),
        "author": f"{ORGANIZATION}{account.external_id}",
        "commentary": f"{post.kind.title()} number {post.index}",
        "createdAt": created,
        "publishedAt": created,
        "lastModifiedAt": created,
        "lifecycleState": "PUBLISHED",
        "visibility": "PUBLIC",
        "isReshareDisabledByAuthor": False,
        "distribution": {"feedDistribution": "MAIN_FEED", "thirdPartyDistributionChannels": []},
    }
    if post.kind in content:
        body["content"] = content[post.kind]
    return body


def _visible(call: Call, account: AccountWorld) -> Iterator[Post]:
    for post in account.newest_first(call.at):
        if not call.faults.is_deleted(PLATFORM, account.external_id, post_urn(account, post)):
            yield post
