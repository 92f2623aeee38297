"""The interface against a machine that tries everything its description allows, and everything that it does not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from metrics_pipeline.settings import Settings
from metrics_pipeline_tests.api.whole.conftest import Installation
from metrics_pipeline_tests.proofs.sizes import FULL, figure

HERE = Path(__file__).parent
# At normal size these, with the most parameters or like others, are tried at random only: the edges of all take more
# than a minute of processor time.
AT_RANDOM = """
[[operations]]
include-operation-id = [
  "get_workspace_metrics", "get_account_metrics", "get_post_metrics", "get_content_metrics", "get_creator_metrics",
  "get_dashboard", "get_creator_analytics", "list_snapshots", "list_top_performing", "list_creator_content",
  "collect_workspace", "collect_account", "track_batch", "get_definition_values", "list_definitions",
  "calculate_definition", "validate_definitions", "define_metrics",
]
phases.coverage.enabled = false
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Quotas and streams that do not keep a machine waiting; a webhook that is set up."""
    return settings.model_copy(
        update={
            "api_server_key_events_per_minute": 10_000_000,
            "api_server_key_reads_per_minute": 10_000_000,
            "api_triggers_per_minute": 1_000_000,
            "live_longest_seconds": 0.2,
            "whatsapp_verify_token": SecretStr("word"),
            "whatsapp_client_secret": SecretStr("secret"),
        }
    )


@pytest.mark.parametrize("user", ["acme", "operator"] if FULL else ["acme"])
def test_nothing_is_found(site: Installation, tmp_path: Path, user: str) -> None:
    """Every operation, check and phase, as a workspace's key and as an operator's; what is left out has its reason
    in schemathesis.toml and hooks.py.
    """
    keys = {"acme": "acme", "acm_": "acm_", "operator": None}
    bearers = {name: f"Bearer {site.key(workspace)}" for name, workspace in keys.items()}
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": text}]} for name, text in bearers.items()
    ]
    (tmp_path / "keys.json").write_text(json.dumps({"auth": users}))
    (tmp_path / "config.toml").write_text((HERE / "schemathesis.toml").read_text() + ("" if FULL else AT_RANDOM))
    seed = os.environ.get("SEED", "20260318")
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", "config.toml", "run"]
    options = ["--max-examples", "100" if FULL else "2", "--seed", seed, "--no-color", "--request-timeout", "30"]
    pinned = [] if user == "acme" else ["--auth-wfc-user", user]
    done = subprocess.run(
        [*command, f"{site.server.url}/openapi.json", *options, *pinned],
        env={
            "PATH": os.environ["PATH"],
            "KEYS_FILE": str(tmp_path / "keys.json"),
            "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    tested = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
    assert tested is not None, done.stdout[-5000:]
    assert len(set(tested.groups())) == 1, "every operation was tried"
    cases = re.search(r"(\d+) generated", done.stdout)
    assert cases is not None
    figure(f"requests as {user}, seed {seed}", cases[1])
    assert int(cases[1]) > 500
