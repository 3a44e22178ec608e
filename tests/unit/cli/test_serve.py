"""`gateway serve` from nothing, and the story that `gateway demo` tells."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from support.server import free_port


@pytest.fixture
def served(tmp_path: Path):
    """A gateway that has set itself up in an empty folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    port = free_port()
    log = (tmp_path / "serve.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "serve", "--bind", f"127.0.0.1:{port}"],
        cwd=tmp_path,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    log.close()
    wait(f"http://127.0.0.1:{port}/readyz", tmp_path)
    yield process, tmp_path, environment, port
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait(url: str, folder: Path) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError((folder / "serve.log").read_text())


def command(served, *arguments: str) -> subprocess.CompletedProcess:
    _, folder, environment, _ = served
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_from_nothing_to_a_story_a_status_and_a_clean_end(served):
    process, folder, _, port = served
    said = (folder / "serve.log").read_text()
    token = (folder / "var/operator-token").read_text().strip()
    assert token in said
    assert f"http://127.0.0.1:{port}/v1/consents/sms/" in said
    for name in ("gateway.toml", "operator-token"):
        assert (folder / "var" / name).stat().st_mode & 0o077 == 0

    story = json.loads(command(served, "demo", "--json").stdout)
    recorded = [step["recorded"].split(":")[0] for step in story]
    assert recorded == [
        "may be sent to",  # before
        "out",  # STOP
        "out",  # its duplicate
        "out",  # "Stop."
        "may be sent to",  # HELP
        "may be sent to",  # stop by
        "may be sent to",  # forged
        "may be sent to",  # START
        "may be sent to",  # a scanner opens the link
        "out",  # one-click
        "out",  # once more
        "nothing changed",
    ]
    assert story[2]["answered"] == "200 (no reply)"
    assert story[6]["answered"] == "403"
    assert command(served, "demo").returncode == 0

    found = command(served, "doctor", "--json")
    assert [each for each in json.loads(found.stdout) if not each["ok"]] == []
    assert command(served, "ledger", "verify").returncode == 0
    metrics = requests.get(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert 'gateway_events_total{klass="opt_out",rule="keyword@1",source="keyword"}' in metrics.text

    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_second_start_keeps_keys_token_and_data(served, tmp_path: Path):
    process, folder, environment, port = served
    before = [(folder / "var" / name).read_text() for name in ("gateway.toml", "operator-token")]
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    again = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "serve", "--no-worker", "--bind", f"127.0.0.1:{port}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait(f"http://127.0.0.1:{port}/readyz", tmp_path)
    again.send_signal(signal.SIGTERM)
    output, _ = again.communicate(timeout=60)
    assert "as before" in output
    assert before == [(folder / "var" / name).read_text() for name in ("gateway.toml", "operator-token")]
