"""The header fields that are written, read back by a reader that follows another project's conformance set."""

import json
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.errors import CallerError
from gateway.mail.list_unsubscribe import MAX_LINE_OCTETS, HeaderError, unsubscribe_headers

URL = "https://go.example.org/u/1a.tZw9zkGOA7j2mzxBLesEiERSCSjVjYZH9_tbfaAiOr_dhCTlteygofdH5sg7sUg6TW1J"
MAILTO = "mailto:unsub@go.example.org?subject=unsubscribe%20me"
CONFORMANCE = (
    Path(__file__).parents[3].parent / "shared" / "data" / "email" / "list_unsubscribe_conformance.json"
)


def read(field: str, post: str | None) -> dict[str, Any]:
    """Read the two fields as a mail client does; the answer has the form of the conformance set."""
    uris = [uri.strip() for uri in re.findall(r"<([^<>]*)>", field)]
    parsed = [urlsplit(uri) for uri in uris]
    links = [part.geturl() for part in parsed if part.scheme in {"http", "https"} and part.hostname]
    secure = [link for link in links if link.startswith("https:")]
    mailtos = [part for part in parsed if part.scheme == "mailto"]
    if secure and (post or "").lower() == "list-unsubscribe=one-click":
        return {"kind": "OneClick", "url": secure[0]}
    if mailtos:
        subject = parse_qs(mailtos[0].query).get("subject", [None])[0]
        return {"kind": "Mailto", "address": mailtos[0].path, "subject": subject}
    return {"kind": "HttpLink", "url": links[0]} if links else {"kind": "None"}


def _cases() -> list[dict[str, Any]]:
    if not CONFORMANCE.exists():
        return []
    found: list[dict[str, Any]] = json.loads(CONFORMANCE.read_text(encoding="utf-8"))
    return found


def _given(case: dict[str, Any]) -> list[str]:
    return re.findall(r"<\s*([^<>]*?)\s*>", case["input"]["list_unsubscribe"])


@pytest.fixture
def cases() -> list[dict[str, Any]]:
    if not CONFORMANCE.exists():
        pytest.skip("the conformance set of list-unsubscribe is not beside the repository")
    return _cases()


def test_the_reader_of_these_tests_agrees_with_the_conformance_set(cases: list[dict[str, Any]]) -> None:
    for case in cases:
        given = case["input"]
        assert read(given["list_unsubscribe"], given["list_unsubscribe_post"]) == case["expected"], case[
            "name"
        ]


def test_the_writer_takes_the_sets_https_uris_and_a_client_finds_one_click(
    cases: list[dict[str, Any]],
) -> None:
    written = 0
    for case in cases:
        mailto = next((uri for uri in _given(case) if uri.startswith("mailto:")), None)
        for uri in (u for u in _given(case) if u.lower().startswith("https://") and urlsplit(u).hostname):
            (_, field), (_, post) = unsubscribe_headers(uri, mailto)
            assert read(field, post) == {"kind": "OneClick", "url": urlsplit(uri).geturl()}, case["name"]
            written += 1
    assert written >= 7


def test_the_writer_refuses_what_the_set_holds_beside_https(cases: list[dict[str, Any]]) -> None:
    refused = 0
    for case in cases:
        for uri in (
            u for u in _given(case) if not (u.lower().startswith("https://") and urlsplit(u).hostname)
        ):
            with pytest.raises(HeaderError):
                unsubscribe_headers(uri)
            refused += 1
    assert refused >= 6


def test_the_fields_are_the_two_of_rfc_8058() -> None:
    assert unsubscribe_headers(URL) == (
        ("List-Unsubscribe", f"<{URL}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def test_the_mailto_stands_after_the_https_uri() -> None:
    (_, field), (_, post) = unsubscribe_headers(URL, MAILTO)
    assert field == f"<{URL}>, <{MAILTO}>"
    assert read(field, post) == {"kind": "OneClick", "url": URL}
    assert read(field, None) == {
        "kind": "Mailto",
        "address": "unsub@go.example.org",
        "subject": "unsubscribe me",
    }


def test_the_fields_survive_being_written_into_a_message_and_read_from_it() -> None:
    message = EmailMessage(policy=policy.SMTP.clone(max_line_length=MAX_LINE_OCTETS))
    fields = unsubscribe_headers(URL, MAILTO)
    for name, value in fields:
        message[name] = value
    wire = message.as_bytes()
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in b"\r\n" + wire
    assert f"List-Unsubscribe: {fields[0][1]}\r\n".encode() in wire
    assert message_from_bytes(wire).get_all("List-Unsubscribe") == [fields[0][1]]


@pytest.mark.parametrize(
    "url",
    [
        "http://go.example.org/u/x",
        "HTTP://go.example.org/u/x",
        "http://localhost/u/x",
        "http://127.0.0.1:8000/u/x",
        "mailto:unsub@example.org",
        "ftp://go.example.org/u/x",
        "//go.example.org/u/x",
        "/u/x",
        "",
        "https://",
        "https:///u/x",
        "https://go.example.org:99999/u/x",
        "https://go.example.org:0/u/x",
        "https://[::1/u/x",
        "https://user@go.example.org/u/x",
        "https://user:pass@go.example.org/u/x",
        "https://go.example.org\r\nBcc: x@example.org",
        "https://go.example.org/u/x\n",
        "https://go.example.org/u/x\r",
        "https://go.example.org/u/a b",
        "https://go.example.org/u/x\t",
        "https://go.example.org/u/x\x00",
        "https://go.example.org/u/ü",
        "https://gö.example.org/u/x",
        "https://go.example.org/u/x>, <https://go.example.org/u/y",
        "https://go.example.org/u/x,https://go.example.org/u/y",
        "https://go.example.org/u/%zz",
        "https://go.example.org/u/x#top",
    ],
)
def test_the_writer_refuses_a_url_that_breaks_rfc_8058_or_the_header(url: str) -> None:
    with pytest.raises(HeaderError) as caught:
        unsubscribe_headers(url)
    assert isinstance(caught.value, CallerError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "mailto",
    [
        "",
        "mailto:",
        "mailto:nobody",
        "mailto:@example.org",
        "https://go.example.org/u/x",
        "http://go.example.org/u/x",
        "mailto:a@example.org,b@example.org",
        "mailto:a@example.org\r\nBcc: x@example.org",
        "mailto:a@example.org>, <https://go.example.org/u/y",
        "mailto:ü@example.org",
        "mailto:a@example.org?subject=two words",
        "mailto:a@b@example.org",
    ],
)
def test_the_writer_refuses_a_second_uri_that_is_no_single_mailto(mailto: str) -> None:
    with pytest.raises(HeaderError):
        unsubscribe_headers(URL, mailto)


def test_a_line_of_998_octets_passes_and_one_more_does_not() -> None:
    head = len("List-Unsubscribe: <>")
    url = "https://go.example.org/u/".ljust(MAX_LINE_OCTETS - head, "x")
    name, value = unsubscribe_headers(url)[0]
    assert len(f"{name}: {value}") == 998
    with pytest.raises(HeaderError, match="998"):
        unsubscribe_headers(url + "x")


def test_the_mailto_counts_for_the_length() -> None:
    url = "https://go.example.org/u/".ljust(900, "x")
    assert unsubscribe_headers(url)
    with pytest.raises(HeaderError, match="998"):
        unsubscribe_headers(url, "mailto:unsubscribe@example.org?subject=".ljust(90, "x"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1:8000", "[::1]:8000"])
def test_plain_http_to_this_machine_passes_only_where_it_is_allowed(host: str) -> None:
    url = f"http://{host}/u/x"
    assert unsubscribe_headers(url, allow_loopback=True)[0][1] == f"<{url}>"
    with pytest.raises(HeaderError):
        unsubscribe_headers(url)


@pytest.mark.parametrize(
    "host", ["go.example.org", "localhost.example.org", "10.0.0.1", "127.0.0.1.example.org"]
)
def test_allowing_loopback_allows_no_other_machine(host: str) -> None:
    with pytest.raises(HeaderError, match="HTTPS"):
        unsubscribe_headers(f"http://{host}/u/x", allow_loopback=True)


def test_the_error_does_not_repeat_the_url() -> None:
    with pytest.raises(HeaderError) as caught:
        unsubscribe_headers("http://go.example.org/u/secret-token")
    assert "secret-token" not in str(caught.value)
