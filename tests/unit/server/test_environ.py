import pytest

from gateway.server.environ import HeaderNames, Targets, TrustedProxies, peer_names, scheme_of, server_names
from gateway.server.refusal import RefusedError

GUNICORN_SECURE_HEADERS = {
    "X-FORWARDED-PROTOCOL": "ssl",
    "X-FORWARDED-PROTO": "https",
    "X-FORWARDED-SSL": "on",
}


@pytest.mark.parametrize(
    ("wire", "key"),
    [
        (b"Host", "HTTP_HOST"),
        (b"content-type", "CONTENT_TYPE"),
        (b"Content-Length", "CONTENT_LENGTH"),
        (b"X-Twilio-Signature", "HTTP_X_TWILIO_SIGNATURE"),
        (b"X.Odd!", "HTTP_X.ODD!"),
    ],
)
def test_a_header_name_becomes_its_cgi_key(wire, key):
    assert HeaderNames()[wire] == key


@pytest.mark.parametrize("wire", [b"X_Forwarded_Proto", b"Content_Type", b"Content_Length", b"SCRIPT_NAME"])
def test_a_name_with_an_underscore_is_dropped_or_refused(wire):
    assert HeaderNames()[wire] == ""
    with pytest.raises(RefusedError) as caught:
        HeaderNames(refuse=True)[wire]
    assert caught.value.refusal.status == 400


def test_junk_names_do_not_grow_the_table_without_bound():
    names = HeaderNames()
    for number in range(1000):
        assert names[f"X-{number}".encode()] == f"HTTP_X_{number}"
    assert len(names) <= 256


@pytest.mark.parametrize(
    ("wire", "path", "query", "host"),
    [
        (b"/", "/", "", ""),
        (b"/sms/acme?a=b&c=%20", "/sms/acme", "a=b&c=%20", ""),
        (b"/caf%C3%A9", "/caf\xc3\xa9", "", ""),
        (b"/a%2Fb%00", "/a/b\x00", "", ""),
        (b"/100%", "/100%", "", ""),
        (b"//host/path", "//host/path", "", ""),
        (b"/a#b?c", "/a", "", ""),
        (b"/a??b", "/a", "?b", ""),
        (b"http://example.org:8080/a?b", "/a", "b", "example.org:8080"),
        (b"HTTPS://example.org", "/", "", "example.org"),
        (b"http://example.org?b", "/", "b", "example.org"),
        (b"*", "*", "", ""),
    ],
)
def test_a_target_is_split_and_the_path_decoded_to_latin_1(wire, path, query, host):
    target = Targets()[wire]
    assert target == (wire.decode(), path, query, host)


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"a",
        b"host:443",
        b"ftp://host/",
        b"http:///a",
        b"http://user:word@host/",
        b"/\xe9",
        b"/a b",
        b"/\x7f",
    ],
)
def test_a_target_of_no_known_form_is_a_400(wire):
    with pytest.raises(RefusedError) as caught:
        Targets()[wire]
    assert caught.value.refusal.status == 400


@pytest.mark.parametrize(("wire", "path"), [(b"/gate", ""), (b"/gate/", "/"), (b"/gate/a%20b?c", "/a b")])
def test_the_mount_is_taken_off_the_path(wire, path):
    assert Targets("/gate")[wire].path == path


@pytest.mark.parametrize("wire", [b"/", b"/gateway", b"/other/gate"])
def test_a_path_outside_of_the_mount_is_a_404(wire):
    with pytest.raises(RefusedError) as caught:
        Targets("/gate")[wire]
    assert caught.value.refusal.status == 404


def test_random_targets_do_not_grow_the_table_without_bound():
    targets = Targets()
    for number in range(3000):
        targets[b"/%d" % number]
    targets[b"/" + b"a" * 4000]
    assert len(targets) <= 1024
    assert all(len(wire) <= 512 for wire in targets)


@pytest.mark.parametrize(
    ("allowed", "peer", "trusted"),
    [
        (["127.0.0.1", "::1"], ("127.0.0.1", 5), True),
        (["127.0.0.1", "::1"], ("127.0.0.2", 5), False),
        (["10.0.0.0/8"], ("10.9.8.7", 5), True),
        (["10.0.0.0/8"], ("11.9.8.7", 5), False),
        (["::1"], ("::1", 5, 0, 0), True),
        (["fe80::/10"], ("fe80::1%eth0", 5, 0, 2), True),
        (["10.0.0.0/8"], ("::1", 5, 0, 0), False),
        (["*"], ("203.0.113.9", 5), True),
        ([], ("127.0.0.1", 5), False),
        ([], "", True),
    ],
)
def test_scheme_headers_hold_for_listed_peers_and_unix_sockets_only(allowed, peer, trusted):
    rules = TrustedProxies.from_lists(GUNICORN_SECURE_HEADERS, allowed).rules_for(peer)
    assert bool(rules) is trusted


@pytest.mark.parametrize(
    ("said", "scheme"),
    [
        ({}, "http"),
        ({"HTTP_X_FORWARDED_PROTO": "https"}, "https"),
        ({"HTTP_X_FORWARDED_PROTO": "http"}, "http"),
        ({"HTTP_X_FORWARDED_PROTO": "https,http"}, "http"),
        ({"HTTP_X_FORWARDED_SSL": "on", "HTTP_X_FORWARDED_PROTO": "https"}, "https"),
    ],
)
def test_the_scheme_is_what_the_proxy_says(said, scheme):
    rules = TrustedProxies.from_lists(GUNICORN_SECURE_HEADERS, ["*"]).rules
    assert scheme_of(said, rules) == scheme


def test_a_proxy_that_contradicts_itself_is_refused():
    rules = TrustedProxies.from_lists(GUNICORN_SECURE_HEADERS, ["*"]).rules
    with pytest.raises(RefusedError):
        scheme_of({"HTTP_X_FORWARDED_SSL": "off", "HTTP_X_FORWARDED_PROTO": "https"}, rules)


def test_names_of_both_ends():
    assert server_names(("127.0.0.1", 80)) == {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80"}
    assert server_names("/run/gateway.sock") == {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    assert peer_names(("::1", 4000, 0, 0)) == {"REMOTE_ADDR": "::1", "REMOTE_PORT": "4000"}
    assert peer_names("") == {"REMOTE_ADDR": ""}
