"""The rules of access over HTTP, as a table: every kind of caller against every visibility."""

from __future__ import annotations

import httpx
import pytest

from metrics_pipeline_tests.api.conftest import code_of
from metrics_pipeline_tests.api.definitions.conftest import PATH, Call, define, simple

# Of a metric of Ada's, in the column team of the team growth. s: sees it and its values; f: with formulas; i: reads its
# audit; c: changes it.
TABLE = {
    #           private  team    organization  public
    "ada":      ("sfic", "sfic", "sfic",       "sfic"),
    "ben":      ("",     "sfic", "sf",         "s"),
    "cy":       ("",     "",     "sf",         "s"),
    "reader":   ("",     "",     "sf",         "s"),
    "ingest":   ("",     "",     "",           "s"),
    "boss":     ("sfic", "sfic", "sfic",       "sfic"),
    "operator": ("sfi",  "sfi",  "sfi",        "sfi"),
    "other":    ("",     "",     "",           ""),
}  # fmt: skip
VISIBILITIES = ("private", "team", "organization", "public")
WITHOUT_DEFINING = {"reader": "role_missing", "ingest": "insufficient_scope", "operator": "role_missing"}


@pytest.fixture(autouse=True)
def metrics(call: Call) -> None:
    owners = {"team": "team:growth"}
    define(
        call("ada"),
        *(simple(name, visibility=name, owner=owners.get(name, "user:ada"), filter="1 = 1") for name in VISIBILITIES),
    )


def told(answer: httpx.Response) -> dict[str, object]:
    return {name: value for name, value in answer.json().items() if name != "trace_id"}


def test_who_may_do_what(call: Call) -> None:
    for who in TABLE:
        check(who, call(who))


def check(who: str, client: httpx.Client) -> None:
    nothing = client.get(f"{PATH}/nothing_such")
    assert code_of(nothing) == "not_found"
    listed = {row["name"] for row in client.get(PATH).json()["data"]}
    for name, letters in zip(VISIBILITIES, TABLE[who], strict=True):
        path = f"{PATH}/{name}"
        reads = {
            "get": client.get(path),
            "versions": client.get(f"{path}/versions"),
            "values": client.get(f"{path}/values", params={"days": "3"}),
            "calculate": client.post(f"{path}:calculate", json={"range": "today"}),
        }
        assert (name in listed) == ("s" in letters), name
        for what, answer in reads.items():
            assert answer.status_code == (200 if "s" in letters else 404), (name, what, answer.text)
            if answer.status_code == 404:
                assert told(answer) == told(nothing), (name, what)
        if "s" in letters:
            found = reads["get"].json()["data"]
            assert found["has_formulas"] == ("f" in letters), name
            for what in ("get", "versions"):
                assert ("1 = 1" in reads[what].text) == ("f" in letters), (name, what)
        audit = client.get(f"{path}/audit")
        if who == "ingest":
            assert code_of(audit) == "insufficient_scope"
        else:
            assert audit.status_code == (200 if "i" in letters else 404), name
            assert "i" in letters or told(audit) == told(nothing)
        changed = client.patch(path, json={"label": "New"}, headers={"If-Match": "*"})
        if "c" in letters:
            assert changed.status_code == 200, (name, changed.text)
        elif ("s" in letters and who in WITHOUT_DEFINING) or who == "ingest":
            assert code_of(changed) == WITHOUT_DEFINING[who], name
        else:
            assert told(changed) == told(nothing), name


def test_a_key_that_everybody_can_read_reads_nothing(call: Call) -> None:
    browser = call("browser")
    assert {code_of(browser.get(path)) for path in (PATH, f"{PATH}/public", f"{PATH}/public/values")} == {
        "server_key_required"
    }


def test_an_operator_names_the_workspace_and_defines_nothing(call: Call) -> None:
    operator = call("operator")
    assert code_of(operator.post(PATH, json=simple("xx"))) == "role_missing"
    operator.params = httpx.QueryParams()
    assert code_of(operator.get(PATH)) == "workspace_required"
    assert call("other").get(PATH, params={"workspace_id": "acme"}).status_code == 404


def test_who_loses_an_input_reads_no_values_any_more(call: Call) -> None:
    ada, ben = call("ada"), call("ben")
    define(ben, {"name": "of_team", "type": "derived", "expr": "team * 2", "input_metrics": ["team"],
                 "visibility": "private"})  # fmt: skip
    assert ben.get(f"{PATH}/of_team/values").status_code == 200
    taken = ada.patch(f"{PATH}/team", json={"visibility": "private", "owner": "user:ada"}, params={"force": "true"},
                      headers={"If-Match": "*"})  # fmt: skip
    assert taken.status_code == 200, taken.text
    assert ben.get(f"{PATH}/of_team/values").status_code == 404
