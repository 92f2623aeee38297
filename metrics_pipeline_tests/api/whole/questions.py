"""Every GET there is, asked in several ways: made from the application's routes, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product
from urllib.parse import quote, urlencode

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from metrics_pipeline_tests.api.whole.filled import ACCOUNTS, CONTENT, CREATORS, METRICS, POSTS, USERS

Query = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """One request of one route."""

    route: str
    path: str
    accept: str = "application/json"


# By the name of a parameter in paths: a new one has to be given values here. The last ones are nobody's.
IDS: Mapping[str, Sequence[str]] = {
    "account_id": (*ACCOUNTS, "none"),
    "post_id": (*POSTS, "none"),
    "content_id": (*CONTENT, "none"),
    "creator_id": (*CREATORS, "none"),
    "user_id": (*USERS, "none"),
    "definition_id": (*METRICS, "none"),
    "run_id": ("acme-run-0", "acm_-run-0"),
    "metric": ("views", "unique_viewers", "watch_time", "events", "none"),
}
_SPAN: Query = {"start": "2026-03-01", "end": "2026-03-12"}
_SERIES: Sequence[Query] = (
    {},
    {**_SPAN, "compare": "previous_period", "metric": "views,likes,followers"},
    {"granularity": "week", "range": "last_28d"},
    {"granularity": "month", "days": "20", "compare": "previous_year"},
)
_PAGES: Sequence[Query] = ({}, {"limit": "1"}, {"days": "10", "limit": "2"})
# By the name of the route; others are asked once, without parameters.
_ASKED: Mapping[str, Sequence[Query]] = {
    "get_workspace_metrics": (*_SERIES, {"platform": "all", "range": "mtd"}),
    "get_account_metrics": _SERIES,
    "get_post_metrics": (*_SERIES, {"account_id": "a.1"}),
    "get_content_metrics": (_SERIES[1], {"granularity": "hour", "range": "today"}, {"timezone": "Asia/Tokyo", **_SPAN}),
    "get_creator_metrics": (_SERIES[1], {"granularity": "hour", "days": "3"}),
    "get_dashboard": ({}, {"range": "mtd", "compare": "previous_period"}),
    "get_creator_analytics": ({**_SPAN, "compare": "previous_period"},),
    "list_snapshots": (
        {},
        {"type": "weekly"},
        {"type": "monthly", "of": "workspace"},
        {"account_id": "a.1", "limit": "3"},
    ),
    "list_creator_content": ({}, {"sort": "views", "limit": "1"}),
    "list_top_performing": ({}, {"sort": "quality"}, {"sort": "engagement", "creator_id": "ann_"}),
    "list_watch_history": _PAGES[:2],
    "list_definitions": ({}, {"limit": "1"}, {"tag": "demo"}, {"text": "acm"}),
    "get_definition": ({}, {"version": "1"}),
    "get_definition_values": (
        _SPAN,
        {"granularity": "week", "range": "last_28d"},
        {"days": "20", "dimension": "country"},
        {"granularity": "month", "range": "mtd", "version": "1"},
    ),
    "list_jobs": ({}, {"limit": "1"}, {"since": "2026-03-18T10:30:00Z"}),
    "get_realtime": (
        {},
        {"window_seconds": "3600", "group_by": "event_type"},
        {"label": "event_type:like", "percentile": "0.5"},
    ),
    "get_coverage": ({}, {"start": "2026-03-01", "platform": "x"}),
}
# Takes two seconds of a processor each time.
AS_OF = [Asked("get_workspace_metrics", "/v1/workspaces/acme/metrics?as_of=2026-03-10&start=2026-03-01&end=2026-03-12")]
_TABLES = ("get_account_metrics", "get_content_metrics", "get_definition_values")
FORMATS = ("text/csv", "application/vnd.apache.parquet")


def every_get(
    app: FastAPI, ids: Mapping[str, Sequence[str]], *, besides: Sequence[str] = (), whole: bool = False
) -> Iterator[Asked]:
    """Requests to every GET below /v1 but those `besides`.

    ids: of what is named differently in every installation or workspace. whole: every id in every way, else every id
    and every way at least once.
    """
    for route in iter_route_contexts(app.routes):
        if "GET" not in (route.methods or ()) or not str(route.path).startswith("/v1/") or route.name in besides:
            continue
        name = str(route.name)
        queries = _ASKED.get(name, ({},))
        paths = list(_paths(str(route.path_format), {**IDS, **ids}))
        pairs = list(product(paths, queries)) if whole else _side_by_side(paths, queries)
        yield from (Asked(name, f"{path}?{urlencode(query)}") for path, query in pairs)
        for accept in FORMATS if name in _TABLES else ():
            yield Asked(name, paths[0], accept)


def _side_by_side(paths: Sequence[str], queries: Sequence[Query]) -> list[tuple[str, Query]]:
    longest = max(len(paths), len(queries))
    return list(islice(zip(cycle(paths), cycle(queries), strict=False), longest))


def _paths(template: str, ids: Mapping[str, Sequence[str]]) -> Iterator[str]:
    name = template.partition("{")[2].partition("}")[0]
    if not name:
        yield template
        return
    for each in ids[name]:
        yield template.replace(f"{{{name}}}", quote(each, safe=""))
