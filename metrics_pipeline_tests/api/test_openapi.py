"""The description of the interface: a change of it is a change somebody has to see."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx

SNAPSHOT = Path(__file__).with_name("openapi.json")


def test_the_description_is_the_reviewed_one(acme: httpx.Client) -> None:
    """After an intended change: UPDATE_SNAPSHOT=1 pytest, then read the diff."""
    text = json.dumps(acme.get("/openapi.json").json(), indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()


def test_there_is_a_page_for_people(acme: httpx.Client) -> None:
    answer = acme.get("/docs")
    assert answer.status_code == 200
    assert "/openapi.json" in answer.text
