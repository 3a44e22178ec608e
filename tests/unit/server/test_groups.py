from wsgiref.validate import validator


def echo(environ, start_response):
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode()]


def test_what_arrives_during_a_commit_is_called_whole_before_the_next_body(serve, diary):
    served = serve(diary)
    first, *others = [served.client() for _ in range(9)]
    for client in others:
        client.get("/warm")
    del diary.lines[:]
    diary.hold(first)
    for number, client in enumerate(others):
        client.ask(f"/{number}")
    diary.release()
    assert [client.answer().body for client in others] == [b"/%d" % number for number in range(8)]
    assert diary.kinds == "cb" + "c" * 8 + "b" * 8
    assert diary.paths("call") == diary.paths("body")


def test_a_group_is_bounded(serve, diary):
    served = serve(diary, group_limit=3)
    first, *others = [served.client() for _ in range(9)]
    diary.hold(first)
    for number, client in enumerate(others):
        client.ask(f"/{number}")
    diary.release()
    assert [client.answer().status for client in others] == [200] * 8
    assert max(len(calls) for calls in diary.kinds.split("b")) == 3


def test_the_group_limit_comes_from_the_environment(serve, diary, monkeypatch):
    monkeypatch.setenv("GATEWAY_GROUP_LIMIT", "1")
    served = serve(diary)
    first, *others = [served.client() for _ in range(4)]
    diary.hold(first)
    for client in others:
        client.ask("/a")
    diary.release()
    assert [client.answer().status for client in others] == [200] * 3
    assert diary.kinds == "cb" * 4


def test_a_failure_costs_only_its_own_request(serve):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/call":
            raise OSError("down")
        return body(environ["PATH_INFO"], start_response)

    def body(path, start_response):
        if path == "/body":
            raise OSError("down")
        start_response("200 OK", [])
        yield b"ok"

    served = serve(application)
    clients = [served.client().ask(path) for path in ("/a", "/call", "/b", "/body", "/c")]
    assert [client.answer().status for client in clients] == [200, 500, 200, 500, 200]
    assert [client.get("/again").status for client in clients] == [200] * 5
    assert [type(error) for error in served.log.errors] == [OSError, OSError]
    assert served.log.lines.count("Error handling request") == 2


def test_the_standard_librarys_validator_finds_no_fault(serve):
    @validator
    def application(environ, start_response):
        body = environ["wsgi.input"].read(10)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([body, b"", b"end"])

    served = serve(application)
    client = served.client().send(b"POST /a%20b?c HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
    assert client.answer().body == b"helloend"
    assert served.client().get("/", "X-A: b", "X-A: c").body == b"end"
    served.catch_up()
    assert served.log.errors == []


def test_the_application_knows_that_bodies_come_after_a_round_of_calls(serve):
    seen = {}

    def application(environ, start_response):
        seen.update(environ)
        return echo(environ, start_response)

    client = serve(application).client()
    port = client.socket.getsockname()[1]
    client.get("/a%20b?c=d", "X-Forwarded-Proto: https")
    assert seen["gateway.group_server"] is True
    assert seen["wsgi.version"] == (1, 0)
    assert seen["wsgi.url_scheme"] == "https"  # 127.0.0.1 is a trusted proxy by gunicorn's default
    assert seen["wsgi.multithread"] is False
    assert seen["wsgi.multiprocess"] is False
    assert seen["wsgi.run_once"] is False
    assert seen["wsgi.input_terminated"] is True
    assert seen["SCRIPT_NAME"] == ""
    assert seen["PATH_INFO"] == "/a b"
    assert seen["RAW_URI"] == "/a%20b?c=d"
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("127.0.0.1", str(client.socket.getpeername()[1]))
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("127.0.0.1", str(port))
    seen["wsgi.errors"].write("")
