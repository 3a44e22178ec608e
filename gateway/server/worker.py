"""gunicorn worker class: `gunicorn -k gateway.server.worker.GroupWorker`. Serves any WSGI application.

The application sees `environ["gateway.group_server"]`: bodies are iterated after a round of calls, so that
the first body of a group can commit for all of it. Not offered, and refused at boot: TLS, HTTP/2, the PROXY and
uwsgi protocols, and gunicorn's switches that read requests leniently.
"""

import os
import re
import select
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from wsgiref.types import WSGIEnvironment

from gunicorn import SERVER
from gunicorn.glogging import Logger
from gunicorn.http.wsgi import base_environ
from gunicorn.workers.base import Worker

from gateway.server.acceptor import Listener
from gateway.server.environ import HeaderNames, Targets, TrustedProxies, server_names
from gateway.server.host import LoopSettings
from gateway.server.loop import GroupLoop
from gateway.server.request import Limits, Request, Rules
from gateway.server.response import Exchange

_MAX_FIELDS = 32768  # gunicorn's own bound
_DEFAULT_FIELD_SIZE = 8190  # what gunicorn takes for "0"
_UNLIMITED_LINE = 1 << 20
_OUR_FAULTS = frozenset({HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.INSUFFICIENT_STORAGE})
_LENIENT = (
    "permit_obsolete_folding",
    "strip_header_spaces",
    "casefold_http_method",
    "permit_unconventional_http_method",
    "permit_unconventional_http_version",
)


_GROUP_LIMIT = "GATEWAY_GROUP_LIMIT"
_BODY_LIMIT = "GATEWAY_BODY_LIMIT"
_POSITIVE = re.compile(r"0*[1-9][0-9]{0,14}")


class WorkerConfigurationError(RuntimeError):
    """gunicorn is configured for something that this worker does not do. gunicorn prints it and exits."""


class RequestView:
    """A request as gunicorn's hooks and access log know it."""

    def __init__(self, request: Request) -> None:
        self._environ = request.environ
        self.method = request.environ["REQUEST_METHOD"]
        self.uri = request.environ["RAW_URI"]
        self.path = request.environ.get("PATH_INFO", "")
        self.remote_addr = (request.environ.get("REMOTE_ADDR", ""), request.environ.get("REMOTE_PORT", ""))
        self.query = request.environ.get("QUERY_STRING", "")
        self.version = (1, 1 if request.modern else 0)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return the headers by upper-case name; repeated ones are joined."""
        pairs = [
            (key[5:].replace("_", "-"), text) for key, text in self._environ.items() if key[:5] == "HTTP_"
        ]
        rest = [
            (key, self._environ[key]) for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if key in self._environ
        ]
        return pairs + [(key.replace("_", "-"), text) for key, text in rest]


def refuse_unsupported(cfg: Any) -> None:
    """Raise `WorkerConfigurationError` if gunicorn's configuration asks for what this worker does not do."""
    remedy = "terminate it in front (a proxy or load balancer), or use gunicorn's -k gthread"
    if not hasattr(select, "epoll"):
        raise WorkerConfigurationError("GroupWorker needs epoll, so Linux; use gunicorn's -k gthread")
    if cfg.is_ssl:
        raise WorkerConfigurationError(f"GroupWorker does not speak TLS (certfile, keyfile): {remedy}")
    if "h2" in cfg.http_protocols or cfg.http2_cleartext != "off":
        raise WorkerConfigurationError(f"GroupWorker does not speak HTTP/2 (http_protocols): {remedy}")
    if cfg.proxy_protocol != "off":
        raise WorkerConfigurationError(
            f"GroupWorker does not read the PROXY protocol (proxy_protocol): {remedy}"
        )
    if cfg.protocol != "http":
        raise WorkerConfigurationError("GroupWorker speaks HTTP only (protocol)")
    lenient = [name for name in _LENIENT if getattr(cfg, name)]
    if cfg.header_map == "dangerous":
        lenient.append("header_map=dangerous")
    if lenient:
        raise WorkerConfigurationError(f"GroupWorker reads requests strictly; unset {', '.join(lenient)}")


def _positive(name: str, default: int) -> int:
    """Return an environment variable that must hold a positive number."""
    text = os.environ.get(name, "")
    if not text:
        return default
    if not _POSITIVE.fullmatch(text):
        raise WorkerConfigurationError(f"{name} must be a positive number")
    return int(text)


class GroupWorker(Worker):  # type: ignore[misc] # gunicorn has no types
    """One thread, epoll, group commit. Set the attributes in a subclass, or the two limits by environment.

    `GATEWAY_GROUP_LIMIT`: requests whose application calls go before the first body is iterated.
    `GATEWAY_BODY_LIMIT`: bytes of a request body, beyond which the answer is 413. `larger_bodies` has other
    limits for paths that begin so.
    """

    group_limit = 128
    body_limit = 16 << 20
    larger_bodies: Mapping[str, int] = MappingProxyType({})
    head_timeout = 10.0
    body_timeout = 20.0
    send_timeout = 30.0

    alive: bool
    before_call: Callable[[Exchange], None] | None = None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:  # noqa: ARG003 - gunicorn's signature
        """Refuse at boot what the worker does not do."""
        refuse_unsupported(cfg)
        _positive(_GROUP_LIMIT, cls.group_limit)
        _positive(_BODY_LIMIT, cls.body_limit)

    def init_process(self) -> None:
        """Check once more: a reload by HUP does not call `check_config`."""
        self.check_config(self.cfg, self.log)
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop; gunicorn calls it in the worker process."""
        if self._is_set("pre_request"):
            self.before_call = self._pre_request
        self._has_post_request = self._is_set("post_request")
        # A logger of its own (statsd's) may count requests in `access` where no log is kept.
        self._logs_access = self.log.access_log_enabled or type(self.log).access is not Logger.access
        self._loop().run()

    # -- what the loop asks --------------------------------------------------------------------------

    def beat(self) -> None:
        """Tell the arbiter that we live; stop if it does not."""
        self.notify()
        if self.alive and self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False

    def finished(self, exchange: Exchange, seconds: float) -> None:
        """Count, log and restart as gunicorn is configured."""
        if exchange.refusal is not None:
            self._note_refusal(exchange)
        else:
            self._count()
        if self._logs_access and exchange.status:
            view = RequestView(exchange.request)
            self.log.access(exchange, view, exchange.request.environ, timedelta(seconds=seconds))
        if self._has_post_request and exchange.refusal is None:
            view = RequestView(exchange.request)
            self.cfg.post_request(self, view, exchange.request.environ, exchange)

    def failed(self, what: str, error: BaseException) -> None:
        """Log an error that the loop survives; without the request, which may hold personal data."""
        self.log.error(what, exc_info=error)

    # -- inside --------------------------------------------------------------------------------------

    def _is_set(self, hook: str) -> bool:
        setting = self.cfg.settings[hook]
        return setting.get() is not setting.default

    def _pre_request(self, exchange: Exchange) -> None:
        self.cfg.pre_request(self, RequestView(exchange.request))

    def _count(self) -> None:
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

    def _note_refusal(self, exchange: Exchange) -> None:
        refusal = exchange.refusal
        if refusal is None:
            return
        note = self.log.error if refusal.status in _OUR_FAULTS else self.log.info
        note("Refused a request: %d %s", refusal.status, refusal.reason)

    def _loop(self) -> GroupLoop:
        mount = os.environ.get("SCRIPT_NAME", "").rstrip("/")
        cfg = self.cfg
        return GroupLoop(
            self.wsgi,
            [self._listener(wrapper, mount) for wrapper in self.sockets],
            host=self,
            settings=self._settings(),
            rules=Rules(self._limits(), HeaderNames(refuse=cfg.header_map == "refuse"), Targets(mount)),
            proxies=TrustedProxies.from_lists(cfg.secure_scheme_headers, cfg.forwarded_allow_ips),
            wake_fd=self.PIPE[0],
        )

    def _settings(self) -> LoopSettings:
        return LoopSettings(
            group_limit=_positive(_GROUP_LIMIT, self.group_limit),
            max_connections=self.cfg.worker_connections,
            keep_alive=self.cfg.keepalive,
            head_timeout=self.head_timeout,
            body_timeout=self.body_timeout,
            send_timeout=self.send_timeout,
            graceful_timeout=self.cfg.graceful_timeout,
            # gunicorn gives half of its timeout; half of that again bears a late turn.
            beat=min(1.0, self.timeout / 2) if self.timeout else 1.0,
            software=SERVER,
        )

    def _limits(self) -> Limits:
        cfg = self.cfg
        fields = cfg.limit_request_fields
        return Limits(
            line=cfg.limit_request_line or _UNLIMITED_LINE,
            fields=fields if 0 < fields < _MAX_FIELDS else _MAX_FIELDS,
            field_size=cfg.limit_request_field_size or _DEFAULT_FIELD_SIZE,
            body=_positive(_BODY_LIMIT, self.body_limit),
            larger=tuple(self.larger_bodies.items()),
        )

    def _listener(self, wrapper: Any, mount: str) -> Listener:
        listener = getattr(wrapper, "sock", wrapper)
        listener.setblocking(False)
        environ: WSGIEnvironment = {
            **base_environ(self.cfg),
            **server_names(listener.getsockname()),
            "SCRIPT_NAME": mount,
            "wsgi.url_scheme": "http",
            "gateway.group_server": True,
        }
        return Listener(listener, environ)
