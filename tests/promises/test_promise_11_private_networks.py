"""Promise 11: outgoing calls never reach private networks unless the operator allows it by name."""

import ast
import gzip
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.listening import Listener, certificate, listening, reply

from gateway.consent.address import Address, Channel
from gateway.net import guard
from gateway.net.addresses import Inside
from gateway.net.guard import Guard, Target
from gateway.net.outgoing import (
    Call,
    NotAllowedError,
    NothingSentError,
    OutcomeUnknownError,
    Route,
    Web,
)
from gateway.providers.base import OutboundMessage, SendOutcome
from gateway.providers.twilio import Twilio, TwilioSettings

PACKAGE = Path(__file__).parents[2] / "gateway"


class Resolver:
    """Knows the addresses of every name, and gives other ones the next time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[Target]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(family(each), socket.SOCK_STREAM, 6, "", (each, port)) for each in found]


def family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@pytest.fixture
def server() -> Iterator[Listener]:
    with listening() as found:
        yield found


def web(*allowed: str, resolve: guard.Resolve = guard.resolved, **route: str) -> Web:
    return Web(Route(Guard(Inside.of(allowed), resolve), **route))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_not_reached_however_it_is_written(server: Listener, scheme: str, host: str):
    with pytest.raises(NothingSentError):
        Web().call(Call("GET", f"{scheme}://{host}:{server.port}/"))
    assert server.seen == []


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "app.internal"])
def test_what_is_allowed_by_name_is_reached(server: Listener, allowed: str):
    resolve = Resolver(["127.0.0.1"])
    returned = web(allowed, resolve=resolve).call(Call("GET", f"http://app.internal:{server.port}/a?b"))
    assert returned.status == 204
    assert [(seen.target, seen.named["host"]) for seen in server.seen] == [
        ("/a?b", f"app.internal:{server.port}")
    ]


def test_a_neighbour_of_what_is_allowed_is_not_reached(server: Listener):
    with pytest.raises(NotAllowedError):
        web("127.0.0.2", "other.internal").call(Call("GET", f"http://127.0.0.1:{server.port}/"))
    assert server.seen == []


def test_every_address_of_a_name_is_judged(server: Listener):
    for addresses in (["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2606:4700::1", "::1"]):
        with pytest.raises(NotAllowedError):
            web(resolve=Resolver(addresses)).call(Call("GET", f"https://evil.example:{server.port}/"))
    assert server.seen == []


def test_a_name_that_changes_its_mind_is_resolved_once(server: Listener, monkeypatch: pytest.MonkeyPatch):
    """DNS rebinding: harmless while it is judged, private while it is connected to."""
    resolve = Resolver(["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("resolved behind the guard's back"))
    with listening(host="127.0.0.2") as other:
        caller = web("127.0.0.1", resolve=resolve)
        for port in (server.port, other.port):
            url = f"http://evil.example:{port}/"
            if port == server.port:
                assert caller.call(Call("GET", url)).status == 204
                assert resolve.asked == ["evil.example"]
            else:
                with pytest.raises(NotAllowedError):
                    caller.call(Call("GET", url))
        assert (len(server.seen), len(other.seen)) == (1, 0)


def test_plain_http_goes_only_to_what_is_allowed():
    with pytest.raises(NotAllowedError, match=r"plain http"):
        web(resolve=Resolver(["8.8.8.8"])).call(Call("GET", "http://public.example/"))


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "gopher://x/", "no url", "https://"]
)
def test_there_are_no_other_schemes(url: str):
    with pytest.raises(NothingSentError):
        Web().call(Call("GET", url))


def test_the_certificate_must_be_that_of_the_name(tmp_path: Path):
    pem = certificate(tmp_path, "app.internal")
    resolve = Resolver(["127.0.0.1"])
    with listening(tls=pem) as server:
        caller = web("127.0.0.1", resolve=resolve, authorities=str(pem))
        assert caller.call(Call("GET", f"https://app.internal:{server.port}/")).status == 204
        for name in ("other.internal", "127.0.0.1"):
            with pytest.raises(NothingSentError):
                caller.call(Call("GET", f"https://{name}:{server.port}/"))
        with pytest.raises(NothingSentError):  # not signed by anybody whom the world trusts
            web("127.0.0.1", resolve=resolve).call(Call("GET", f"https://app.internal:{server.port}/"))
        assert len(server.seen) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Listener, status: int):
    location = {"Location": f"http://127.0.0.1:{server.port}/elsewhere"}
    server.answer = lambda handler: reply(handler, status, headers=location)
    assert web("127.0.0.1").call(Call("POST", f"http://127.0.0.1:{server.port}/")).status == status
    assert len(server.seen) == 1


def test_an_answer_that_drips_is_given_up(server: Listener):
    def drip(handler):
        handler.send_response_only(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b".")
            time.sleep(0.05)

    server.answer = drip
    begun = time.monotonic()
    with pytest.raises(OutcomeUnknownError):
        web("127.0.0.1").call(Call("GET", f"http://127.0.0.1:{server.port}/", timeout=0.5))
    assert time.monotonic() - begun < 2


def test_a_head_that_drips_is_given_up(server: Listener):
    def drip(handler):
        for number in range(100):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" if number == 0 else b"x: y\r\n")
            time.sleep(0.05)

    server.answer = drip
    begun = time.monotonic()
    with pytest.raises(OutcomeUnknownError):
        web("127.0.0.1").call(Call("GET", f"http://127.0.0.1:{server.port}/", timeout=0.5))
    assert time.monotonic() - begun < 2


def test_a_name_that_takes_for_ever_is_given_up():
    def slow(_host: str, _port: int) -> Sequence[Target]:
        time.sleep(3)
        return ()

    begun = time.monotonic()
    with pytest.raises(NothingSentError):
        web(resolve=slow).call(Call("GET", "https://slow.example/", timeout=0.3))
    assert time.monotonic() - begun < 1.5


def test_an_answer_without_end_is_cut(server: Listener):
    def flood(handler):
        handler.send_response_only(200)
        handler.end_headers()
        for _ in range(400):
            handler.wfile.write(b"." * 65536)

    server.answer = flood
    body = web("127.0.0.1").call(Call("GET", f"http://127.0.0.1:{server.port}/")).body
    assert len(body) == 1 << 20


def test_a_small_answer_that_unpacks_to_a_large_one_is_cut(server: Listener):
    packed = gzip.compress(b"." * (64 << 20))
    server.answer = lambda handler: reply(handler, 200, packed, {"Content-Encoding": "gzip"})
    returned = web("127.0.0.1").call(Call("GET", f"http://127.0.0.1:{server.port}/"))
    assert len(returned.body) == 1 << 20
    assert server.seen[0].named["accept-encoding"] == "identity"


def test_the_environment_decides_nothing(server: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    web("127.0.0.1").call(Call("GET", f"http://127.0.0.1:{server.port}/"))
    assert "authorization" not in server.seen[0].named


def test_a_proxy_that_is_configured_is_used_and_gets_no_private_target(server: Listener):
    caller = web("app.internal", proxy=f"http://127.0.0.1:{server.port}")
    assert caller.call(Call("GET", "http://app.internal/x")).status == 204
    assert server.seen[0].target == "http://app.internal/x"
    for url in ("https://169.254.169.254/", "https://localhost/", "http://public.example/", "https://[::1]/"):
        with pytest.raises(NotAllowedError):
            caller.call(Call("GET", url))
    assert len(server.seen) == 1


def test_the_official_library_of_twilio_goes_the_same_way():
    resolve = Resolver(["127.0.0.1"])
    settings = TwilioSettings(provider="twilio", account_sid="ACtest", auth_tokens=["secret"])
    message = OutboundMessage(Address(Channel.SMS, "+15555550100"), "+15555550199", "Bye.")
    assert Twilio(settings, web(resolve=resolve)).send(message).outcome is SendOutcome.BUSY
    assert resolve.asked == ["api.twilio.com"]


# -- nobody else calls -----------------------------------------------------------------------------------

CALLERS = (
    "requests",
    "urllib",
    "urllib3",
    "http.client",
    "socket",
    "ssl",
    "httpx",
    "aiohttp",
    "smtplib",
    "ftplib",
)
HARMLESS = {"urllib.parse", "http.HTTPStatus"}
# The commands of an operator, and the server, which takes connections and opens none.
EXEMPT = {"net", "cli", "server"}


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls_out(name: str) -> bool:
    if any(name == each or name.startswith(f"{each}.") for each in HARMLESS):
        return False
    # Its own transport; ours stands in `twilio_client`.
    if name.startswith(("twilio.http.http_client", "twilio.http.async_http_client")):
        return True
    return any(name == each or name.startswith(f"{each}.") for each in CALLERS)


def test_nothing_else_in_the_package_opens_connections():
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in EXEMPT
        for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        if calls_out(name)
    ]
    assert wrong == []


def test_what_opens_connections_would_be_found():
    source = "import requests\nfrom urllib import request\nfrom http.client import X\nfrom urllib.parse import quote"
    assert [name for name in imported(ast.parse(source)) if calls_out(name)] == [
        "requests",
        "urllib.request",
        "http.client.X",
    ]


def test_every_client_of_the_official_library_gets_our_transport():
    makers = [
        node
        for path in sorted((PACKAGE / "providers").glob("twilio*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Client"
    ]
    assert makers
    for maker in makers:
        passed = {keyword.arg: ast.unparse(keyword.value) for keyword in maker.keywords}
        assert passed["http_client"].startswith("OutgoingClient(")
