"""Definitions over HTTP: made, changed, refused, looked at."""

from __future__ import annotations

import json
import logging

import pytest

from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.api.definitions.conftest import PATH, Call, define, etag, simple

OLDER = {
    "name": "Shares per user",
    "metricType": "RATIO",
    "dataSource": "events",
    "calculationFormula": "COUNT(*) / COUNT(DISTINCT userId)",
}


def test_a_definition_from_its_first_version_to_its_last(call: Call) -> None:
    ada = call("ada")
    made = ada.post(PATH, json=simple("likes_seen", label="Likes"), params={"note": "first"})
    assert made.status_code == 201, made.text
    [change] = made.json()["data"]
    assert change["what"] == "created"
    found = ada.get(made.headers["Location"])
    assert found.json()["data"] == change["metric"]
    assert found.headers["ETag"] == made.headers["ETag"]
    assert ada.get(made.headers["Location"], headers={"If-None-Match": found.headers["ETag"]}).status_code == 304
    again = ada.post(PATH, json=simple("likes_seen", label="Likes"))
    assert (again.status_code, again.json()["data"][0]["what"]) == (200, "unchanged")
    define(ada, {"name": "twice", "type": "derived", "expr": "likes_seen * 2", "input_metrics": ["likes_seen"]})

    first, tag = found.headers["ETag"], etag(ada, "likes_seen")
    patched = ada.patch(f"{PATH}/likes_seen", json={"filter": "event_type = 'like'"}, headers={"If-Match": tag})
    assert patched.status_code == 200, patched.text
    assert (patched.json()["data"]["metric"]["version"], patched.json()["data"]["others"]) == (2, ["twice"])
    stale = ada.patch(f"{PATH}/likes_seen", json={"label": "x"}, headers={"If-Match": first})
    assert (stale.status_code, code_of(stale), stale.json()["version"]) == (412, "version_conflict", 2)
    assert code_of(ada.patch(f"{PATH}/likes_seen", json={"label": "x"})) == "precondition_required"
    shown = ada.patch(
        f"{PATH}/likes_seen", json={"label": None, "tags": ["a"]}, headers={"If-Match": patched.headers["ETag"]}
    )
    assert "label" not in shown.json()["data"]["metric"]["definition"]
    assert shown.json()["data"]["metric"]["version"] == 2
    assert shown.headers["ETag"] != patched.headers["ETag"]

    old = ada.get(f"{PATH}/likes_seen", params={"version": 1}).json()["data"]
    assert (old["version"], "filter" in old["definition"]) == (1, False)
    assert ada.get(f"{PATH}/likes_seen", params={"version": 3}).status_code == 404
    body = {"version": 1, "effective_from": "2026-03-10"}
    assert ada.post(f"{PATH}/likes_seen:activate", json=body).json()["data"]["what"] == "activated"
    versions = ada.get(f"{PATH}/likes_seen/versions").json()["data"]
    assert [(v["version"], v["is_active"], v["change_note"]) for v in versions] == [
        (1, True, "first"),
        (2, False, None),
    ]

    refused = ada.post(f"{PATH}/likes_seen:archive")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_definition")
    gone = ada.post(f"{PATH}/likes_seen:archive", json={"force": True}).json()["data"]
    assert (gone["what"], gone["others"]) == ("archived", ["twice"])
    assert ada.get(PATH).json()["data"] == []
    restored = ada.post(f"{PATH}/{gone['metric']['definition_id']}:restore").json()["data"]
    assert (restored["what"], restored["metric"]["status"]) == ("restored", "active")
    actions = [row["action"] for row in ada.get(f"{PATH}/likes_seen/audit").json()["data"]]
    assert actions[:2] == ["restore", "archive"]
    assert actions[-1] == "import"


def test_an_older_ratio_becomes_three(call: Call) -> None:
    ada = call("ada")
    made = ada.post(PATH, json=OLDER)
    assert [row["metric"]["type"] for row in made.json()["data"]] == ["simple", "simple", "ratio"]
    assert ada.get(made.headers["Location"]).json()["data"]["name"] == "shares_per_user"


def test_the_list_in_pages_and_by_what_they_are(call: Call) -> None:
    ada = call("ada")
    define(ada, *(simple(f"m{n}", tags=["even"] if n % 2 == 0 else []) for n in range(5)))
    define(ada, {"name": "rr", "type": "ratio", "numerator": "m0", "denominator": "m1", "owner": "team:growth"})
    seen, query = [], {"limit": "2"}
    while True:
        answer = ada.get(PATH, params=query).json()
        seen += [row["name"] for row in answer["data"]]
        if not answer["meta"]["has_more"]:
            break
        query["cursor"] = answer["meta"]["next_cursor"]
    assert seen == ["m0", "m1", "m2", "m3", "m4", "rr"]
    for query, expected in (
        ({"tag": "even"}, ["m0", "m2", "m4"]),
        ({"type": "ratio"}, ["rr"]),
        ({"owner": "team:growth"}, ["rr"]),
        ({"text": "M3"}, ["m3"]),
        ({"status": "archived"}, []),
    ):
        assert [row["name"] for row in ada.get(PATH, params=query).json()["data"]] == expected, query
    cursor = ada.get(PATH, params={"limit": "2"}).json()["meta"]["next_cursor"]
    assert code_of(ada.get(PATH, params={"cursor": cursor, "tag": "even"})) == "cursor_mismatch"


def test_what_is_tried_is_not_stored(call: Call) -> None:
    ada = call("ada")
    answer = ada.post(
        f"{PATH}:validate", json=simple("watch", "sum", "watch_time / 60 + 1 * 2", filter="country = 'DE'")
    )
    [tried] = answer.json()["data"]
    assert {each["place"]: each["text"] for each in tried["formulas"]}["watch.expr"] == "(watch_time / 60) + (1 * 2)"
    assert tried["cost_class"] == "low"
    assert tried["usual_conditions"] == ["events: rows of bots are left out"]
    assert [row["start"] for row in tried["preview"]] == [f"2026-03-{day}" for day in range(12, 19)]
    assert any(row["value"] for row in tried["preview"])
    assert "select" in tried["statement"].lower()
    assert ada.get(f"{PATH}/watch").status_code == 404


def test_statements_with_hidden_formulas_are_not_told(call: Call) -> None:
    define(call("ada"), simple("open_to_all", visibility="public", filter="country = 'Freedonia'"))
    document = {"name": "mine", "type": "derived", "expr": "open_to_all * 2", "input_metrics": ["open_to_all"]}
    told = {who: call(who).post(f"{PATH}:validate", json=document | {"visibility": "private"}) for who in ("cy", "ada")}
    assert told["cy"].json()["data"][0]["statement"] is None
    assert "Freedonia" not in told["cy"].text
    assert "Freedonia" in told["ada"].text


REFUSED: list[tuple[object, int, str, set[tuple[str, str]]]] = [
    (simple("xx", "sum", "nothing_such"), 422, "invalid_definition", {("/expr", "expr_unknown_column")}),
    (simple("xx", "sum"), 422, "invalid_definition", {("", "expr_missing")}),
    (
        simple("xx", filters=[{"field": "country", "op": "in", "value": "secret-1"}]),
        422,
        "invalid_definition",
        {("/filters/0", "filter_value_type")},
    ),
    (
        {"metrics": [simple("xx"), simple("yy", "sum", "'secret-1' b")]},
        422,
        "invalid_definition",
        {("/metrics/1/expr", "expr_parse_error")},
    ),
    ({"metrics": []}, 422, "invalid_definition", {("/metrics", "field_invalid")}),
    ({"metrics": [simple("xx")], "more": 1}, 422, "invalid_definition", {("", "field_invalid")}),
    (
        {"metrics": [simple("xx"), OLDER | {"calculationFormula": "COUNT('secret-1'"}]},
        422,
        "invalid_definition",
        {("/metrics/1/calculationFormula", "expr_parse_error")},
    ),
    (simple("xx", label="\x00"), 422, "invalid_definition", {("", "field_invalid")}),
    (simple("xx") | {"secret\ud800": 1}, 422, "invalid_definition", {("", "field_invalid")}),
    (simple("xx", owner="team:none"), 403, "owner_forbidden", {("/owner", "owner_forbidden")}),
    (simple("xx", visibility="public"), 403, "visibility_forbidden", {("/visibility", "visibility_forbidden")}),
    (simple("taken"), 409, "name_taken", {("/name", "name_taken")}),
    ([], 422, "invalid_definition", {("", "field_invalid")}),
]


def test_what_is_refused(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    define(call("ada"), simple("taken"))
    cy = call("cy")
    caplog.set_level(logging.DEBUG)
    for document, status, code, errors in REFUSED:
        answer = cy.post(PATH, content=json.dumps(document), headers={"Content-Type": "application/json"})
        assert (answer.status_code, code_of(answer)) == (status, code), answer.text
        assert {(each["pointer"], each["code"]) for each in answer.json()["errors"]} == errors, document
        assert "secret-1" not in answer.text + caplog.text
        caplog.clear()
    assert [row["name"] for row in cy.get(PATH).json()["data"]] == ["taken"]


def test_data_sets_can_be_chosen_from(call: Call) -> None:
    answer = call("reader").get("/v1/datasets")
    known = {each["name"]: each for each in answer.json()["data"]}
    assert {"events", "daily_metrics", "orders", "licences"} <= set(known)
    personal = {each["name"] for each in known["events"]["fields"] if each["is_personal"]}
    assert {"user_id", "viewer"} <= personal
    assert known["licences"]["is_application"]
    assert known["events"]["usual_conditions"] == ["rows of bots are left out"]
    assert call("reader").get("/v1/datasets", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert code_of(call("ingest").get("/v1/datasets")) == "insufficient_scope"
