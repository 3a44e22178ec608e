import os
import re
import signal
import time

import psutil
import pytest
from gunicorn.config import Config

from gateway.server.worker import GroupWorker, RequestView, WorkerConfigurationError, refuse_unsupported

ECHO = """
def app(environ, start_response):
    start_response("200 OK", [("X-Scheme", environ["wsgi.url_scheme"])])
    return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}|{environ['REMOTE_ADDR']}|".encode(), environ["wsgi.input"].read()]
"""

SLOW = """
import time

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        print("working", flush=True)
        time.sleep(1)
    start_response("200 OK", [("Content-Length", "4")])
    return iter([b"done"])
"""


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


def test_gunicorn_runs_it(gunicorn):
    server = gunicorn(ECHO)
    client = server.client()
    client.send(b"POST /a%20b HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
    answer = client.answer()
    assert answer.body == b"|/a b|127.0.0.1|hello"
    assert answer["x-scheme"] == "http"
    assert client.get("/", "X-Forwarded-Proto: https")["x-scheme"] == "https"
    assert server.client().get("/c").body == b"|/c|127.0.0.1|"


def test_scheme_headers_of_strangers_are_not_believed(gunicorn):
    client = gunicorn(ECHO, "--forwarded-allow-ips=192.0.2.1").client()
    assert client.get("/", "X-Forwarded-Proto: https")["x-scheme"] == "http"


def test_several_listeners_and_unix_sockets(gunicorn, tmp_path):
    path = str(tmp_path / "socket")
    server = gunicorn(ECHO, bind=f"127.0.0.1:0 127.0.0.1:0 unix:{path}")
    server.wait_for("Booting worker")
    for port in server.ports:
        assert server.client(("127.0.0.1", port)).get("/a").body == b"|/a|127.0.0.1|"
    assert len(server.ports) == 2
    client = server.client(path)
    assert client.get("/b").body == b"|/b||"
    assert client.get("/", "X-Forwarded-Proto: https")["x-scheme"] == "https"


def test_a_mount_is_taken_from_script_name(gunicorn):
    client = gunicorn(ECHO, env={"SCRIPT_NAME": "/gate/"}).client()
    assert client.get("/gate/a").body == b"/gate|/a|127.0.0.1|"
    assert client.get("/elsewhere").status == 404


def test_sigterm_finishes_what_was_received(gunicorn):
    server = gunicorn(SLOW)
    busy, idle = server.client(), server.client()
    idle.get("/fast")
    busy.send(get("/slow"))
    server.wait_for("working")
    idle.send(get("/fast"))
    time.sleep(0.1)
    server.process.terminate()
    assert busy.answer().body == b"done"
    assert busy.is_closed()
    answer = idle.answer()
    assert (answer.status, answer.body) == (200, b"done")
    assert server.exit_code() == 0
    assert "Traceback" not in server.log


def test_sigterm_keeps_to_the_graceful_timeout(gunicorn):
    server = gunicorn(ECHO, "--graceful-timeout=1")
    server.client().send(b"GET / HT")
    time.sleep(0.2)
    started = time.monotonic()
    server.process.terminate()
    assert server.exit_code() == 0
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_sigint_and_sigquit_are_quick(gunicorn, number):
    server = gunicorn(SLOW.replace("time.sleep(1)", "time.sleep(10)"))
    client = server.client().send(get("/slow"))
    server.wait_for("working")
    started = time.monotonic()
    os.kill(server.worker_pid, number)
    assert client.is_closed()
    assert time.monotonic() - started < 5
    server.wait_for("Booting worker", 2)
    server.process.send_signal(number)
    assert server.exit_code() == 0


def test_an_idle_worker_wakes_for_its_signal(gunicorn):
    server = gunicorn(ECHO)
    server.client().get("/")
    pid = server.worker_pid
    os.kill(pid, signal.SIGTERM)
    server.wait_for(rf"Worker exiting \(pid: {pid}\)")
    assert server.client().get("/").status == 200


def test_a_worker_without_its_parent_stops(gunicorn):
    server = gunicorn(ECHO)
    server.client().get("/")
    worker = psutil.Process(server.worker_pid)
    server.process.kill()
    server.process.wait()
    worker.wait(10)


def test_a_hung_worker_is_replaced_and_an_idle_one_is_not(gunicorn):
    server = gunicorn(SLOW.replace("time.sleep(1)", "time.sleep(60)"), "--timeout=1")
    server.client().get("/")
    time.sleep(2.5)
    assert "WORKER TIMEOUT" not in server.log
    client = server.client().send(get("/slow"))
    server.wait_for("WORKER TIMEOUT")
    assert client.is_closed()
    server.wait_for("Booting worker", 2)
    assert server.client().get("/").status == 200


def test_max_requests_restarts_without_losing_one(gunicorn):
    server = gunicorn(ECHO, "--max-requests=50", "--max-requests-jitter=10")
    answered = 0
    while answered < 400:
        client = server.client()
        answer = client.get("/")
        while answer["connection"] != "close":
            assert answer.status == 200
            answered += 1
            answer = client.get("/")
        answered += 1
        client.close()
    assert len(server.wait_for("Autorestarting worker")) >= 4
    assert "Traceback" not in server.log


def test_the_access_log_is_gunicorns(gunicorn):
    form = '%(h)s "%(r)s" %(s)s %(B)s %(f)s %({x-a}i)s %({content-type}i)s %({x-b}o)s %({query_string}e)s %(m)s %(U)s %(L)s'
    source = ECHO.replace('("X-Scheme"', '("X-B", "b"), ("X-Scheme"')
    server = gunicorn(source, "--access-logfile=-", f"--access-logformat={form}")
    client = server.client()
    client.get("/a?b=c", "Referer: http://r/", "X-A: a", "Content-Type: t/t")
    client.send(b"nonsense\r\n\r\n").answer()
    (line,) = server.wait_for(r'127\.0\.0\.1 "GET.*')
    assert re.fullmatch(
        r'127\.0\.0\.1 "GET /a\?b=c HTTP/1\.1" 200 14 http://r/ a t/t b b=c GET /a \d+\.\d+', line
    )
    server.wait_for(r'127\.0\.0\.1 "- - -" 400')


def test_hooks_are_called_where_set(gunicorn, tmp_path):
    (tmp_path / "hooks.py").write_text(
        """
def pre_request(worker, req):
    print("before", req.method, req.uri, req.path, req.query, req.version, dict(req.headers)["X-A"], flush=True)
    if req.path == "/fail":
        raise OSError("hook")

def post_request(worker, req, environ, resp):
    print("after", req.path, environ["PATH_INFO"], resp.status, resp.sent, flush=True)
"""
    )
    server = gunicorn(ECHO, "--config=hooks.py")
    client = server.client()
    assert client.get("/a?b", "X-A: a").status == 200
    assert client.get("/fail", "X-A: a").status == 500
    server.wait_for(r"before GET /a\?b /a b \(1, 1\) a")
    server.wait_for("after /a /a 200 OK 14")
    server.wait_for("after /fail /fail 500 Internal Server Error 22")


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("--certfile=app.py", "terminate it in front"),
        ("--proxy-protocol=auto", "PROXY"),
        ("--strip-header-spaces", "strictly"),
    ],
)
def test_what_is_not_offered_is_refused_at_boot_with_a_remedy(gunicorn, option, remedy):
    server = gunicorn(ECHO, option)
    assert server.exit_code() == 1
    assert remedy in server.log
    assert "Traceback" not in server.log


@pytest.mark.parametrize("name", ["GATEWAY_GROUP_LIMIT", "GATEWAY_BODY_LIMIT"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "1e3", "٣"])
def test_a_limit_must_be_a_positive_number(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(WorkerConfigurationError, match=f"{name} must be a positive number"):
        GroupWorker.check_config(Config(), None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keyfile", "key.pem"),
        ("http_protocols", "h2,h1"),
        ("http2_cleartext", "prior-knowledge"),
        ("protocol", "uwsgi"),
        ("header_map", "dangerous"),
        ("permit_obsolete_folding", True),
        ("casefold_http_method", True),
        ("permit_unconventional_http_method", True),
        ("permit_unconventional_http_version", True),
    ],
)
def test_unsupported_settings(name, value):
    config = Config()
    refuse_unsupported(config)
    config.set(name, value)
    with pytest.raises(WorkerConfigurationError):
        refuse_unsupported(config)


def test_without_epoll_the_error_says_so(monkeypatch):
    monkeypatch.delattr("select.epoll")
    with pytest.raises(WorkerConfigurationError, match="Linux"):
        refuse_unsupported(Config())


def test_what_was_given_up_before_its_call_is_not_logged(serve, diary):
    class Accesses(list):
        access_log_enabled = True
        info = error = lambda *_, **__: None

        def access(self, answer, *_):
            self.append(answer.status)

    served = serve(diary, log=Accesses(), group_limit=1, graceful_timeout=0)
    first, second = served.client(), served.client()
    second.get("/warm")
    diary.hold(first)
    second.ask("/late")
    served.client().ask("/late")
    served.stop()
    diary.release()
    served.join()
    assert diary.paths("call") == ["/warm", "/gate", "/late"]
    assert served.log == ["200 OK"] * 3


def test_hooks_see_headers_by_their_names(serve):
    seen = []

    def application(_environ, start_response):
        start_response("200 OK", [])
        return [b""]

    served = serve(application, post_request=lambda _worker, request, _environ, _answer: seen.append(request))
    served.client().get("/a?b=c", "Content-Type: t/t", "X-Long-Name: x")
    served.stop()
    served.join()
    (view,) = seen
    assert isinstance(view, RequestView)
    assert sorted(view.headers) == [("CONTENT-TYPE", "t/t"), ("HOST", "test"), ("X-LONG-NAME", "x")]
    assert view.remote_addr[0] == "127.0.0.1"
