"""LinkedIn: the versioned REST API for pages: followers, posts and their statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metrics_pipeline.sandbox.calls import Body, Call, Reply
from metrics_pipeline.sandbox.linkedin_errors import WORDS, bad_request, no_version, not_found
from metrics_pipeline.sandbox.linkedin_posts import ORGANIZATION, PLATFORM, page_of_posts, single_post
from metrics_pipeline.sandbox.linkedin_query import parameters, urn
from metrics_pipeline.sandbox.linkedin_statistics import follower_statistics, page_statistics, share_statistics
from metrics_pipeline.sandbox.world import AccountWorld
from metrics_pipeline.sandbox.zones import UTC_ZONE, day_of

_SERVED_MONTHS = 12
Statistics = Callable[[Call, AccountWorld, Mapping[str, str]], list[Body]]
# Resource -> the finder, which is also the parameter that names the page, and what answers it.
_STATISTICS: Mapping[str, tuple[str, Statistics]] = {
    "organizationalEntityShareStatistics": ("organizationalEntity", share_statistics),
    "organizationalEntityFollowerStatistics": ("organizationalEntity", follower_statistics),
    "organizationPageStatistics": ("organization", page_statistics),
}


def answer(call: Call) -> Reply:
    """Answer one LinkedIn request.

    Raises:
        RefusedError: LinkedIn would refuse it.
    """
    call.check_token(WORDS)
    _check_versions(call)
    given = parameters(call)
    match call.segments:
        case ["rest", "networkSizes", entity]:
            return Reply(_network_size(call, _owner(call, entity), given))
        case ["rest", "posts"]:
            return Reply(page_of_posts(call, _owner(call, urn(given, "author")), given))
        case ["rest", "posts", post]:
            return Reply(single_post(call, post))
        case ["rest", resource] if resource in _STATISTICS:
            finder, read = _STATISTICS[resource]
            if given.get("q") != finder:
                raise bad_request(f"No finder '{given.get('q')}' on this resource")
            elements = read(call, _owner(call, urn(given, finder)), given)
            return Reply({"paging": {"start": 0, "count": 10, "links": []}, "elements": elements})
    raise not_found("No virtual resource found")


def _check_versions(call: Call) -> None:
    """Every request names a version of the API that is still served at its instant."""
    version = call.headers.get("linkedin-version", "")
    if not (version.isdigit() and len(version) == 6 and 1 <= int(version[4:]) <= 12):
        raise no_version(version)
    today = day_of(call.at, UTC_ZONE)
    age = (today.year - int(version[:4])) * 12 + today.month - int(version[4:])
    if age > _SERVED_MONTHS:
        raise no_version(version)
    if "(" in call.query and call.headers.get("x-restli-protocol-version") != "2.0.0":
        raise bad_request("Invalid query parameters passed to request")


def _owner(call: Call, entity: str) -> AccountWorld:
    external_id = entity.removeprefix(ORGANIZATION)
    if external_id == entity:
        raise bad_request(f"{entity} is not an organization")
    call.guard(WORDS, external_id)
    account = call.world.account(PLATFORM, external_id, call.at)
    if account is None:
        raise not_found(f"Could not find entity {entity}")
    return account


def _network_size(call: Call, account: AccountWorld, given: Mapping[str, str]) -> Body:
    if given.get("edgeType") != "COMPANY_FOLLOWED_BY_MEMBER":
        raise bad_request("Parameter 'edgeType' is required")
    if "firstDegreeSize" in call.faults.names(PLATFORM, account.external_id):
        return {}
    return {"firstDegreeSize": account.followers(call.at)}
