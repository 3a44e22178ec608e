"""What a POST asks for, by its body. The rows of the shared file name their sources."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.one_click import RAW_BODY_LIMIT, PostKind, read_post

REQUESTS = Path(__file__).parents[3].parent / "shared" / "data" / "email" / "one_click_requests.json"
FORM = "application/x-www-form-urlencoded"
PAIR = b"List-Unsubscribe=One-Click"


def _part(boundary: str, *, name: str = 'name="List-Unsubscribe"', value: str = "One-Click") -> bytes:
    head = f"Content-Disposition: form-data; {name}"
    return f"--{boundary}\r\n{head}\r\n\r\n{value}\r\n--{boundary}--\r\n".encode()


@pytest.fixture
def posts() -> list[dict[str, Any]]:
    if not REQUESTS.exists():
        pytest.skip("the collection of one-click requests is not beside the repository")
    rows = json.loads(REQUESTS.read_text(encoding="utf-8"))["requests"]
    return [row for row in rows if row["method"] == "POST"]


def test_every_post_of_the_collection_is_read_as_it_expects(posts: list[dict[str, Any]]) -> None:
    read = {row["name"]: read_post(row["content_type"], row["body"].encode()) for row in posts}
    expected = dict.fromkeys(read, PostKind.PAIR) | {
        "empty POST": PostKind.BARE,
        "JSON body": PostKind.BARE,
        "confirmation form of our own page": PostKind.CONFIRM,
    }
    assert read == expected
    bare = [row["name"] for row in posts if row["expect"].startswith("policy")]
    assert bare == [name for name, kind in read.items() if kind is PostKind.BARE]
    assert len(posts) >= 16


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, PAIR),
        ("APPLICATION/X-WWW-FORM-URLENCODED", PAIR.upper()),
        (f"{FORM};charset=utf-8", b"list-unsubscribe=ONE-CLICK"),
        (FORM, b"a=b&List-Unsubscribe=One-Click"),
        (FORM, b"List-Unsubscribe=One-Click&confirm=0&undo=1"),
        (FORM, b"\r\nList-Unsubscribe=One-Click\n"),
        (FORM, b"List%2DUnsubscribe=One%2dClick"),
        (FORM, b"%4Cist-%55nsubscribe%3DOne-%43lick"),
        (None, PAIR),
        ("", PAIR),
        ("text/plain", b'"List-Unsubscribe=One-Click"\n'),
        ("application/octet-stream", PAIR + b"\x00"),
        ("application/json", PAIR),
        ("nonsense", b"\xef\xbb\xbf" + PAIR),
        ("multipart/form-data; boundary=b0", _part("b0")),
        ("multipart/form-data; boundary=other", _part("b0")),
        ("multipart/form-data", _part("b0").replace(b"\r\n", b"\n")),
        ("multipart/form-data; boundary=b0", _part("b0", name="name=List-Unsubscribe")),
        ("multipart/form-data; boundary=b0", _part("b0", value="one-CLICK ")),
        (
            "multipart/form-data; boundary=b0",
            _part("b0", name='name="List-Unsubscribe"\r\nContent-Type: text/plain; charset=utf-8'),
        ),
        (
            "multipart/form-data; boundary=b0",
            _part("b0", name='name="a"', value="1")[:-8] + b"--b0\r\n" + _part("b0"),
        ),
        ("multipart/form-data; boundary=b0", PAIR),
        (None, _part("b0")),
        ("text/plain", _part("b0")),
    ],
)
def test_the_pair_is_found_however_it_is_written(content_type: str | None, body: bytes) -> None:
    assert read_post(content_type, body) is PostKind.PAIR


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (None, b""),
        (FORM, b""),
        (FORM, b"\r\n"),
        (FORM, b"List-Unsubscribe"),
        (FORM, b"List-Unsubscribe="),
        (FORM, b"List-Unsubscribe=Two-Clicks"),
        (FORM, b"List-Unsubscribe=One-Clicks"),
        (FORM, b"List-Unsubscribe=One-Click-Not"),
        (FORM, b"X-List-Unsubscribe=One-Click"),
        (FORM, b"unsubscribe=1"),
        ("application/json", b'{"List-Unsubscribe":"One-Click"}'),
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=b0", _part("b0", name='name="a"')),
        ("multipart/form-data; boundary=b0", _part("b0", value="no")),
        ("multipart/form-data; boundary=b0", _part("b0", name='name="List-Unsubscribe-Post"')),
        ("multipart/form-data; boundary=b0", _part("b0", name='filename="List-Unsubscribe"')),
        ("text/plain", b"\xff\xfe\x00"),
        (FORM, b"%"),
    ],
)
def test_a_body_without_the_pair_is_a_bare_post(content_type: str | None, body: bytes) -> None:
    assert read_post(content_type, body) is PostKind.BARE


def test_the_buttons_of_our_page_are_told_apart() -> None:
    assert read_post(FORM, b"confirm=1") is PostKind.CONFIRM
    assert read_post(FORM, b"undo=1") is PostKind.UNDO
    assert read_post(f"{FORM}; charset=UTF-8", b"undo=1\r\n") is PostKind.UNDO


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (None, b"undo=1"),
        ("text/plain", b"undo=1"),
        ("application/json", b'{"undo":1}'),
        ("multipart/form-data; boundary=b0", _part("b0", name='name="undo"', value="1")),
        (FORM, b"undo=0"),
        (FORM, b"undo"),
        (FORM, b"Undo=1"),
        (FORM, b"xundo=1"),
        (FORM, b"note=undo=1"),
    ],
)
def test_nothing_but_the_pages_own_form_takes_an_unsubscribe_back(
    content_type: str | None, body: bytes
) -> None:
    assert read_post(content_type, body) is PostKind.BARE


def test_where_a_body_says_both_the_unsubscribe_wins() -> None:
    assert read_post(FORM, b"undo=1&confirm=1") is PostKind.CONFIRM
    assert read_post(FORM, b"undo=1&list-unsubscribe=one-click") is PostKind.PAIR


def test_a_long_body_is_searched_only_as_the_form_it_claims_to_be() -> None:
    filler = b"a" * RAW_BODY_LIMIT
    assert read_post(FORM, filler + b"&" + PAIR) is PostKind.PAIR
    assert read_post("multipart/form-data; boundary=b0", filler + b"\r\n" + _part("b0")) is PostKind.PAIR
    assert read_post("text/plain", filler + b"&" + PAIR) is PostKind.BARE
    assert read_post("text/plain", PAIR.ljust(RAW_BODY_LIMIT - 1)) is PostKind.PAIR
    assert read_post("text/plain", PAIR.ljust(RAW_BODY_LIMIT)) is PostKind.BARE


@given(
    st.one_of(st.none(), st.text(max_size=60), st.sampled_from([FORM, "multipart/form-data"])), st.binary()
)
def test_any_body_is_read_and_only_a_form_can_ask_for_the_way_back(
    content_type: str | None, body: bytes
) -> None:
    kind = read_post(content_type, body)
    assert kind is not PostKind.UNDO or b"undo=1" in body


@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from([FORM, "text/plain", None]))
def test_other_pairs_never_hide_the_pair(before: bytes, after: bytes, content_type: str | None) -> None:
    assert read_post(content_type, before + b"&" + PAIR + b"&" + after) is PostKind.PAIR


@pytest.mark.parametrize(
    "piece",
    [
        b"&",
        b"%",
        b"=",
        b"\r\n\r\n",
        b"\r\n",
        b" ",
        b"; name=list-unsubscribe",
        b'; name="list-unsubscribe"\r\n\r\n ',
        b"list-unsubscribe=",
        b"list-unsubscribe=one-click-",
        b"confirm=0&",
    ],
)
@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data"])
def test_no_body_takes_more_than_linear_time(piece: bytes, content_type: str) -> None:
    body = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    assert read_post(content_type, body) is PostKind.BARE
    assert time.perf_counter() - started < 10
