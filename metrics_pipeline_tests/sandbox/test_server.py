"""The server around the platforms: instants in paths, the log, starting, stopping, and the command."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import httpx
import pytest

from metrics_pipeline.clock import FixedClock
from metrics_pipeline.sandbox.server import PLATFORMS, SandboxServer
from metrics_pipeline_tests.sandbox.conftest import NOW, Ask

HEADERS = {"Authorization": "Bearer token"}


def test_the_base_url_keeps_its_placeholder(server: SandboxServer) -> None:
    assert server.base_url("x") == f"http://127.0.0.1:{server.port}/at/{{at}}/x"
    with pytest.raises(ValueError, match="myspace"):
        server.base_url("myspace")


def test_without_an_instant_the_clock_decides(ask: Ask, server: SandboxServer) -> None:
    path, params = "/2/users", {"ids": "44", "user.fields": "public_metrics"}
    direct = httpx.get(f"http://127.0.0.1:{server.port}/x{path}", params=params, headers=HEADERS).json()
    assert direct == ask("x", path, at=NOW, ids="44", user__fields="public_metrics").json()
    assert direct != ask("x", path, at="2026-08-20T10:00:00Z", ids="44", user__fields="public_metrics").json()


@pytest.mark.parametrize(
    "instant", ["2026-11-20T10%3A00%3A00Z", "2026-11-20T12:00:00%2B02:00", "2026-11-20T10:00:00.000Z"]
)
def test_an_instant_can_be_written_in_several_ways(ask: Ask, instant: str) -> None:
    asked = {"fields": "followers_count"}
    assert ask("instagram", "/1784", at=instant, **asked).json() == ask("instagram", "/1784", at=NOW, **asked).json()


@pytest.mark.parametrize("instant", ["yesterday", "2026-11-20T10:00:00"])
def test_an_instant_that_cannot_be_read_is_refused(ask: Ask, instant: str) -> None:
    assert ask("x", "/2/users", at=instant, ids="44").status_code == 400


def test_unknown_platforms_are_not_found(server: SandboxServer) -> None:
    assert httpx.get(f"http://127.0.0.1:{server.port}/myspace/x", headers=HEADERS).status_code == 404


def test_the_log_counts_by_platform_account_path_and_status(ask: Ask, server: SandboxServer) -> None:
    ask("x", "/2/users", ids="44,45")
    ask("x", "/2/users", ids="44", token="expired")
    ask("instagram", "/v26.0/1784/insights", metric="reach", period="day")
    assert server.requests.count() == 3
    assert server.requests.count("x") == 2
    assert server.requests.count("x", "45") == server.requests.count("x", "44") == 1
    assert server.requests.count(path="*/insights") == 1
    assert server.requests.count(status=401) == 1
    url = f"http://127.0.0.1:{server.port}/sandbox/log"
    body = httpx.get(url).json()
    assert body["total"] == 3
    assert {"platform": "x", "accounts": ["44", "45"], "path": "/2/users", "status": 200, "count": 1} in body[
        "requests"
    ]
    assert httpx.delete(url).status_code == 204
    assert server.requests.count() == 0


def test_health_names_the_seed(server: SandboxServer) -> None:
    assert httpx.get(f"http://127.0.0.1:{server.port}/sandbox/health").json() == {"status": "ok", "seed": 7}


def test_two_servers_of_one_seed_agree_and_of_two_seeds_do_not() -> None:
    clock = FixedClock(datetime(2026, 11, 20, tzinfo=UTC))

    def followers(seed: int) -> str:
        with SandboxServer(seed=seed, clock=clock) as server:
            url = f"http://127.0.0.1:{server.port}/instagram/v26.0/1784"
            return httpx.get(url, params={"fields": "followers_count"}, headers=HEADERS).text

    assert followers(7) == followers(7) != followers(8)


def test_a_stopped_server_frees_its_port() -> None:
    with SandboxServer() as server:
        port = server.port
        with pytest.raises(OSError, match="in use"):
            SandboxServer(port=port).start()
    with SandboxServer(port=port) as again:
        assert again.port == port


def test_a_report_is_answered_quickly(ask: Ask) -> None:
    asked = {
        "ids": "channel==UCquick",
        "startDate": "2026-10-20",
        "endDate": "2026-11-18",
        "metrics": "views,likes,comments,shares,subscribersGained,subscribersLost,estimatedMinutesWatched",
        "dimensions": "day",
    }
    ask("youtube", "/v2/reports", **asked)
    before = time.perf_counter()
    for _ in range(20):
        ask("youtube", "/v2/reports", **asked)
    # About 2 ms on an idle core, network included; the bound leaves room for a busy machine.
    assert (time.perf_counter() - before) / 20 < 0.02


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(port: int) -> subprocess.Popen[str]:
    code = "from metrics_pipeline.cli.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "sandbox", "--port", str(port), "--seed", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_the_command_says_what_to_set_and_stops_cleanly() -> None:
    port = free_port()
    process = run(port)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(len(PLATFORMS) + 1)]
        urls = dict(re.findall(r"export METRICS_(\w+)_BASE_URL='(.+)'", "".join(lines)))
        assert set(urls) == {name.upper() for name in PLATFORMS}
        health = f"http://127.0.0.1:{port}/sandbox/health"
        deadline = time.monotonic() + 10
        while True:
            try:
                assert httpx.get(health).json()["seed"] == 3
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        url = urls["X"].format(at="2026-11-20T10:00:00Z")
        assert httpx.get(f"{url}/2/users?ids=44", headers=HEADERS).status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "stopped" in out


def test_the_command_says_when_the_port_is_taken() -> None:
    with SandboxServer() as server:
        _out, err = run(server.port).communicate(timeout=20)
    assert f"cannot listen on port {server.port}" in err
    assert "Traceback" not in err
