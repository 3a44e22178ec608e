"""JSON and forms as they may come, bombs included."""

import contextlib
import json
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import CallerError
from gateway.providers import payload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5000,
        b"{'a':1}",
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_is_the_callers_fault(body):
    with pytest.raises(CallerError):
        payload.read_json(body)


@given(st.binary())
def test_bytes_are_read_or_refused(body):
    for read in (payload.read_json, payload.read_object, payload.read_form):
        with contextlib.suppress(CallerError):
            read(body)


@given(JSON, st.sampled_from(["a", "b"]))
def test_any_json_is_read_or_refused(value, name):
    readers = (payload.text, payload.identifier, payload.required, payload.inner, payload.listed)
    for read in readers:
        with contextlib.suppress(CallerError):
            read(payload.as_object(value if isinstance(value, dict) else {name: value}), name)
    payload.found(value, name, 0, name)
    payload.count(value)
    payload.unreadable(value, CallerError("bad"))


def test_nul_and_half_a_pair_become_a_sign():
    fields = payload.read_object(rb'{"text": "a\u0000b\ud800c\ud83d\uded1"}')
    assert payload.text(fields, "text") == "a\ufffdb\ufffdc\U0001f6d1"


@pytest.mark.parametrize(("value", "expected"), [("m-1", "m-1"), (17, "17"), (" 1 ", "1"), (None, "")])
def test_an_id_is_text_or_a_whole_number(value, expected):
    assert payload.identifier({"id": value}, "id") == expected


@pytest.mark.parametrize("value", [1.5, 1e10, True, False, [], {}])
def test_no_other_type_is_an_id(value):
    with pytest.raises(CallerError):
        payload.identifier({"id": value}, "id")


@pytest.mark.parametrize("value", [None, "", " ", True])
def test_what_is_required_is_not_blank(value):
    with pytest.raises(CallerError):
        payload.required({"id": value}, "id")


@pytest.mark.parametrize("body", [b"a=1&a=2&b=&c", b"a=%C3%A9+%2B&b=x", b"&&=1", b"a=b=c"])
def test_a_form_is_read_as_the_standard_library_does(body):
    expected = dict(reversed(parse_qsl(body.decode(), keep_blank_values=True)))
    assert payload.read_form(body) == expected


@given(st.dictionaries(st.text(), st.text()))
def test_a_form_comes_back_as_it_was_written(fields):
    encodable = {name: value for name, value in fields.items() if not _has_surrogates(name + value)}
    assert payload.read_form(urlencode(encodable).encode()) == encodable
    url = f"https://sms.example.com/?{urlencode(encodable)}#x=1"
    assert payload.read_query(url) == encodable


def test_a_form_may_be_in_another_character_set():
    assert payload.read_form(b"a=%FC", "latin-1") == {"a": "ü"}
    for encoding in ("utf-8", "klingon"):
        with pytest.raises(CallerError):
            payload.read_form(b"a=%FC", encoding)


def test_the_path_to_a_value_may_lead_nowhere():
    answer = json.loads('{"messages": [{"id": 5, "name": "x"}], "ok": true}')
    assert payload.found(answer, "messages", 0, "id") == "5"
    assert payload.found(answer, "messages", 1, "id") == ""
    assert payload.found(answer, "messages", "id") == ""
    assert payload.found(answer, "ok") == ""
    assert payload.found(None, "messages") == ""


def test_a_bad_piece_is_set_aside_and_the_rest_counts():
    good, [bad] = payload.each([{"id": 1}, {}, {"id": "b"}], lambda piece: payload.required(piece, "id"))
    assert good == ["1", "b"]
    assert bad.reason == "id is missing"
    assert bad.piece == b"{}"


def test_a_count_is_small():
    assert [payload.count(value) for value in (2, "3", -1, True, 10**9, "²", 1.0, None)] == [
        2,
        3,
        0,
        0,
        0,
        0,
        0,
        0,
    ]


def _has_surrogates(text):
    return any("\ud800" <= char <= "\udfff" for char in text)
