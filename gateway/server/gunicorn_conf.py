"""The configuration of gunicorn, for `gunicorn -c`: what an operator sets comes from the gateway's settings.

PORT, as platforms that run a Procfile give it, takes the place of `server.bind`.
"""

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from gateway.configuration.loading import load
from gateway.errors import ConfigurationError
from gateway.server.worker import GroupWorker

_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_OWN_METRICS = "gateway-metrics-"

try:
    _settings = load()
except ConfigurationError as error:
    sys.exit(str(error))  # without a traceback: the message names the key, the place and the remedy


class GatewayWorker(GroupWorker):
    """The group worker with the limits of the settings."""

    group_limit = _settings.limits.group
    body_limit = _settings.limits.body_bytes
    # The bulk calls of the API; each route of it has its own bound below this one.
    larger_bodies = {"/v1/": _settings.limits.largest_body}  # noqa: RUF012 - gunicorn takes the class, nobody alters it


worker_class = GatewayWorker
workers = _settings.server.workers
backlog = _settings.limits.backlog
proc_name = "gateway"

_port = os.environ.get("PORT", "")
if _port and not _port.isdecimal():
    sys.exit("PORT: must be the number of the port to listen on")
# A platform's router reaches the process from outside, so not on the loopback alone.
bind = f"0.0.0.0:{_port}" if _port else _settings.server.bind

# A worker is silent while its database is. It has to give up by itself, with a 503 for each request, before
# gunicorn takes it for hung and kills it without an answer.
timeout = max(60, 4 * _settings.database.statement_timeout_ms // 1000)
# Platforms kill 30 seconds after they ask a process to stop.
graceful_timeout = 25
# Load balancers drop idle connections after 60 seconds, most of them. They must be the first to: a request
# that crosses our closing comes back to the provider as a 502.
keepalive = 75

# Providers that call by GET have the text in the query: 1,600 characters of up to 9 octets each.
limit_request_line = 16_384
limit_request_fields = 100
limit_request_field_size = 8190

# The heartbeat must not wait for a disk that the database keeps busy.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes the file, private
# It would lie in the home folder, where two gateways collide; signals do all that is needed.
control_socket_disable = True

loglevel = _settings.server.log_level.value
errorlog = "-"
accesslog = "-" if _settings.server.access_log else None
# No path, query, address, referrer or header: there lie phone numbers, mailboxes and unsubscribe tokens.
access_log_format = "%(t)s %(m)s %(s)s %(B)s bytes %(M)s ms %(p)s"


def on_starting(_server: Any) -> None:
    """Name the folder in which the processes put their metrics together, so that any can tell all."""
    if not os.environ.get(_METRICS):
        os.environ[_METRICS] = tempfile.mkdtemp(prefix=_OWN_METRICS)


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a process that is gone; its counters stay in the sums."""
    from prometheus_client import multiprocess  # noqa: PLC0415 - it looks for the folder when it is imported

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # untyped in the library


def on_exit(server: Any) -> None:
    """Remove the metrics, unless a new master, started by USR2, goes on with them."""
    folder = Path(os.environ[_METRICS])
    if folder.name.startswith(_OWN_METRICS) and not server.reexec_pid:
        shutil.rmtree(folder, ignore_errors=True)


def post_worker_init(_worker: Any) -> None:
    """Leave what was loaded at the start out of every garbage collection, and collect less often.

    A request makes hundreds of small objects and no cycles: the default of 700 would collect at every third.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
