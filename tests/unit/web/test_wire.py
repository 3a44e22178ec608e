"""A request as it came over the wire."""

import pytest

from gateway.web.wire import WireHeaders, client_ip, raw_target, webhook_request


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        ({"RAW_URI": "/sms/a%2Fb?x=%C3%A9&empty="}, "/sms/a%2Fb?x=%C3%A9&empty="),
        ({"RAW_URI": "/sms/a?"}, "/sms/a?"),
        ({"REQUEST_URI": "/sms/a?b=c"}, "/sms/a?b=c"),
        ({"RAW_URI": "http://host/sms/a?b=c", "PATH_INFO": "/sms/a", "QUERY_STRING": "b=c"}, "/sms/a?b=c"),
        ({"PATH_INFO": "/sms/\xc3\xa9 x", "QUERY_STRING": ""}, "/sms/%C3%A9%20x"),
    ],
)
def test_the_target_is_taken_undecoded(environ: dict[str, str], target: str):
    assert raw_target(environ) == target


def test_the_url_is_the_configured_base_and_the_raw_target():
    environ = {"REQUEST_METHOD": "POST", "RAW_URI": "/sms/a?x", "HTTP_HOST": "evil.example"}
    assert webhook_request(environ, "https://good.example", b"").url == "https://good.example/sms/a?x"


def test_headers_go_by_their_lower_case_names():
    headers = WireHeaders({"HTTP_X_TWILIO_SIGNATURE": "s", "CONTENT_TYPE": "t", "REQUEST_METHOD": "POST"})
    assert dict(headers) == {"x-twilio-signature": "s", "content-type": "t"}
    assert len(headers) == 2
    assert headers.get("content-length") is None


@pytest.mark.parametrize(
    ("forwarded", "trusted", "ip"),
    [
        ("9.9.9.9", 0, "10.0.0.1"),  # nobody is believed
        ("9.9.9.9", 1, "9.9.9.9"),
        ("6.6.6.6, 9.9.9.9", 1, "9.9.9.9"),  # what the caller wrote itself is not
        ("6.6.6.6, 9.9.9.9", 2, "6.6.6.6"),
        ("6.6.6.6", 5, "6.6.6.6"),
        ("", 1, "10.0.0.1"),
        (" , ", 2, "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_tell_the_callers_address(forwarded: str, trusted: int, ip: str):
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_ip(environ, trusted) == ip
