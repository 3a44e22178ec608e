import gc
import threading
import time

import pytest

# A generous bound for "at once" on a busy machine, and far below the time-outs it is told from.
SOON = 3


def echo(environ, start_response):
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode()]


def test_an_answer_without_a_body_leaves_the_connection_usable(serve):
    def application(environ, start_response):
        start_response("204 No Content" if environ["PATH_INFO"] == "/204" else "304 Not Modified", [])
        return [b"never sent"]

    client = serve(application).client()
    for path in ("/204", "/304", "/204"):
        assert client.get(path).status == int(path[1:])
    client.send(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
    assert client.answer(head=True).status == 304
    assert client.get("/204").status == 204


def test_a_forged_header_is_a_500(serve):
    def application(_environ, start_response):
        start_response("200 OK", [("Location", "/\r\nSet-Cookie: evil=1")])
        return [b""]

    answer = serve(application).client().get()
    assert answer.status == 500
    assert answer["set-cookie"] is None


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, RecursionError, MemoryError])
def test_the_worker_survives_an_application_that_fails(serve, error):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/fail":
            raise error
        return echo(environ, start_response)

    served = serve(application)
    client = served.client()
    assert client.get("/fail").status == 500
    assert client.get("/fine").status == 200


@pytest.mark.parametrize("headers", [[], [("Content-Length", "10")]])
def test_an_answer_that_fails_in_the_middle_is_not_taken_for_whole(serve, headers):
    def application(_environ, start_response):
        start_response("200 OK", headers)
        yield b"begin"
        raise ZeroDivisionError

    answer = serve(application).client().get()
    assert (answer.status, answer.whole) == (200, False)


def test_an_http_1_0_answer_that_fails_in_the_middle_ends_in_a_reset(serve):
    go_on = threading.Event()

    def application(_environ, start_response):
        start_response("200 OK", [])
        yield b"begin"
        go_on.wait(20)
        raise ZeroDivisionError

    client = serve(application).client().send(b"GET / HTTP/1.0\r\n\r\n")
    while b"begin" not in client.buffer:
        client._more()
    go_on.set()
    with pytest.raises(ConnectionResetError):
        client.socket.recv(100)


def test_a_body_is_closed_also_when_the_client_has_gone(serve):
    closed = threading.Semaphore(0)

    class Body:
        def __init__(self, failing):
            self.failing = failing

        def __iter__(self):
            while True:
                yield b"x" * 100_000
                if self.failing:
                    raise ZeroDivisionError

        def close(self):
            closed.release()

    def application(environ, start_response):
        start_response("200 OK", [])
        return Body(environ["PATH_INFO"] == "/fail")

    served = serve(application)
    gone = served.client().ask("/")
    gone._more()
    gone.close()
    assert closed.acquire(timeout=SOON)
    served.client().ask("/fail")
    assert closed.acquire(timeout=SOON)


def test_a_close_that_fails_is_only_logged(serve):
    class Body(list):
        def close(self):
            raise ZeroDivisionError

    def application(_environ, start_response):
        start_response("200 OK", [])
        return Body([b"ok"])

    served = serve(application)
    client = served.client()
    assert [client.get().body for _ in range(2)] == [b"ok", b"ok"]
    assert [type(error) for error in served.log.errors[:1]] == [ZeroDivisionError]


def test_a_request_leaves_nothing_for_the_garbage_collector(serve):
    def application(environ, start_response):
        def body():
            start_response("200 OK", [("Content-Length", "4")])
            if environ["PATH_INFO"] == "/fail":
                raise ZeroDivisionError
            yield b"done"

        return body()

    served = serve(application)
    clients = [served.client() for _ in range(20)]
    for client in clients:
        client.get("/warm")
    served.log.errors.clear()
    gc.collect()
    gc.disable()
    try:
        for client in clients:
            assert client.get("/").status == 200
            client.send(b"GET / HTTP/1.0\r\n\r\n").answer()
            assert client.is_closed()
        assert gc.collect() < len(clients)
    finally:
        gc.enable()


def test_a_file_is_wrapped(serve, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 10_000)

    def application(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    answer = serve(application).client().get()
    assert answer.body == path.read_bytes()


def test_a_client_that_reads_slowly_blocks_nobody_and_fills_no_memory(serve, flood):
    served = serve(flood)
    slow, other = served.client().ask("/flood"), served.client()
    for number in range(5):
        assert other.get(f"/{number}").status == 200
    time.sleep(0.1)
    assert flood.taken < 200
    assert len(slow.answer().body) == flood.size
    assert slow.get("/next").body == b"/next"


def test_a_client_that_does_not_read_at_all_is_cut_off(serve, flood):
    served = serve(flood, send_timeout=0.3)
    client = served.client().ask("/flood")
    assert flood.closed.wait(SOON)
    with pytest.raises((EOFError, OSError)):
        client._exactly(flood.size)


def test_a_long_answer_makes_room_for_others(serve, flood):
    served = serve(flood)
    reader, other = served.client(), served.client()
    other.get()
    taken_meanwhile = []

    def read():
        reader.ask("/flood")
        reader.answer()

    thread = threading.Thread(target=read)
    thread.start()
    while thread.is_alive():
        other.get()
        taken_meanwhile.append(flood.taken)
    thread.join()
    assert any(0 < taken < flood.pieces for taken in taken_meanwhile)


def test_a_request_that_comes_during_a_long_answer_waits_its_turn(serve, flood):
    client = serve(flood).client().ask("/flood")
    while len(client.buffer) < 1 << 20:
        client._more()
    client.ask("/next")
    assert len(client.answer().body) == flood.size
    assert client.answer().body == b"/next"


def test_a_body_that_yields_nothing_for_long_makes_room_too(serve):
    begun, done = threading.Event(), threading.Event()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/end":
            done.set()
            return echo(environ, start_response)
        start_response("200 OK", [("Content-Length", "1")])
        return until_done()

    def until_done():
        begun.set()
        while not done.is_set():
            yield b""
        yield b"x"

    served = serve(application)
    waiting = served.client().ask("/wait")
    assert begun.wait(SOON)
    assert served.client().get("/end").status == 200
    assert waiting.answer().body == b"x"
