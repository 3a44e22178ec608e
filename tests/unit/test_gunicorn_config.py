"""config/gunicorn.conf.py, read as gunicorn reads it."""

import os
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

FILE = Path(__file__).parents[2] / "config" / "gunicorn.conf.py"
MASTER = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # where no configuration lies
    for name in [name for name in os.environ if name.startswith("GATEWAY_") or name == "PORT"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATEWAY_KEYS_MASTER", MASTER)
    # Set before it is removed, so that the test's end restores what was there.
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")


def settings() -> dict[str, Any]:
    return runpy.run_path(str(FILE))


def test_gunicorn_takes_every_setting() -> None:
    config = Config()
    known = {name: value for name, value in settings().items() if name in config.settings}
    for name, value in known.items():
        config.set(name, value)
    assert config.worker_class.__name__ == "GatewayWorker"
    assert {"bind", "workers", "timeout", "access_log_format", "on_starting", "on_exit"} <= known.keys()


def test_the_settings_of_the_gateway_reach_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SERVER_BIND", "unix:/run/gateway.sock")
    monkeypatch.setenv("GATEWAY_SERVER_WORKERS", "3")
    monkeypatch.setenv("GATEWAY_LIMITS_GROUP", "17")
    monkeypatch.setenv("GATEWAY_LIMITS_BODY_BYTES", "5000")
    monkeypatch.setenv("GATEWAY_LIMITS_BACKLOG", "99")
    found = settings()
    assert (found["bind"], found["workers"], found["backlog"]) == ("unix:/run/gateway.sock", 3, 99)
    worker = found["worker_class"]
    assert (worker.group_limit, worker.body_limit) == (17, 5000)
    assert worker.larger_bodies == {"/v1/": 5000 + 10_000 * 320}


def test_the_port_of_the_platform_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SERVER_BIND", "127.0.0.1:9000")
    monkeypatch.setenv("PORT", "5123")
    assert settings()["bind"] == "0.0.0.0:5123"


@pytest.mark.parametrize("port", ["http", "80:90", "-1", " 80"])
def test_a_port_that_is_none_stops_the_start(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(SystemExit, match="PORT"):
        settings()


def test_wrong_settings_stop_the_start_with_their_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SERVER_WORKERS", "none")
    with pytest.raises(SystemExit, match=r"GATEWAY_SERVER_WORKERS") as stop:
        settings()
    assert MASTER not in str(stop.value)


def test_the_access_log_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings()["accesslog"] is None
    monkeypatch.setenv("GATEWAY_SERVER_ACCESS_LOG", "true")
    assert settings()["accesslog"] == "-"


def test_the_access_log_holds_nothing_of_a_person() -> None:
    """Time, method, status, length, duration and process id are all that gunicorn may write."""
    atoms = set(re.findall(r"%\(([^)]*)\)", settings()["access_log_format"]))
    assert atoms <= {"t", "m", "s", "B", "M", "p"}


@pytest.mark.parametrize("milliseconds", [100, 5_000, 30_000])
def test_the_worker_outlives_a_slow_database(milliseconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_STATEMENT_TIMEOUT_MS", str(milliseconds))
    assert settings()["timeout"] * 1000 >= 2 * milliseconds


def test_a_long_text_fits_into_the_query_of_a_provider_that_calls_by_get() -> None:
    longest = 1600 * len("%E4%BD%A0")
    assert settings()["limit_request_line"] > longest + 1000


def test_the_folder_of_the_metrics_lives_as_long_as_the_master() -> None:
    found = settings()
    found["on_starting"](None)
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    assert folder.is_dir()
    found["on_starting"](None)  # after a reload
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)
    found["on_exit"](SimpleNamespace(reexec_pid=123))
    assert folder.is_dir(), "the new master goes on with it"
    found["on_exit"](SimpleNamespace(reexec_pid=0))
    assert not folder.exists()


def test_a_folder_that_the_operator_named_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    found = settings()
    found["on_starting"](None)
    found["on_exit"](SimpleNamespace(reexec_pid=0))
    assert tmp_path.is_dir()
