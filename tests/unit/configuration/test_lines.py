import sysconfig
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.configuration.lines import key_lines

DOCUMENT = '''\
# [server]
title = "a [server] # no comment"

[server] # public
public_url = "x" # a = 1
  "log level" = 'y'

[programs."winter sale"]
name = """
line = 1
[not.a.table]
"""
senders = [
  "1", # first
  # nothing
  "2", "3",
]
texts = { help = "h", opt_out = 'o', deep.er = 1 }
keywords.opt_in = [["a"], [
 "b"]]
[programs.b]
name = \'\'\'n\'\'\'
when = 1979-05-27 07:32:00
[[keys.links]]
id = "a"
[[keys.links]]
id = "b"
[keys.links.more]
id = "c"
[keys]
master = "m"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("server",), 4),
        (("server", "public_url"), 5),
        (("server", "log level"), 6),
        (("programs",), 8),
        (("programs", "winter sale"), 8),
        (("programs", "winter sale", "name"), 9),
        (("programs", "winter sale", "senders"), 13),
        (("programs", "winter sale", "senders", 0), 14),
        (("programs", "winter sale", "senders", 1), 16),
        (("programs", "winter sale", "senders", 2), 16),
        (("programs", "winter sale", "texts"), 18),
        (("programs", "winter sale", "texts", "opt_out"), 18),
        (("programs", "winter sale", "texts", "deep", "er"), 18),
        (("programs", "winter sale", "keywords"), 19),
        (("programs", "winter sale", "keywords", "opt_in", 0, 0), 19),
        (("programs", "winter sale", "keywords", "opt_in", 1), 19),
        (("programs", "winter sale", "keywords", "opt_in", 1, 0), 20),
        (("programs", "b", "name"), 22),
        (("programs", "b", "when"), 23),
        (("keys", "links"), 24),
        (("keys", "links", 0, "id"), 25),
        (("keys", "links", 1), 26),
        (("keys", "links", 1, "id"), 27),
        (("keys", "links", 1, "more", "id"), 29),
        (("keys",), 30),
        (("keys", "master"), 31),
    ],
)
def test_each_key_has_the_line_on_which_it_is_written(path, line):
    assert key_lines(DOCUMENT)[path] == line


def test_windows_line_ends_count_once():
    assert key_lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n")[("b", "c")] == 4


def test_text_in_a_value_is_never_taken_for_a_key():
    assert set(key_lines('a = """\nb = 1\n\\""" c = 2"""""\nd = 3\n')) == {("a",), ("d",)}


def test_the_paths_are_those_that_tomllib_finds_in_documents_of_others():
    """CPython's own test suite has them; some systems ship Python without it."""
    folder = Path(sysconfig.get_path("stdlib")) / "test" / "test_tomllib" / "data" / "valid"
    files = sorted(folder.rglob("*.toml"))
    if not files:
        pytest.skip("this Python comes without its own tests")
    for file in files:
        text = file.read_bytes().decode()
        assert set(key_lines(text)) == set(_paths(tomllib.loads(text))), file.name


def _paths(value, path=()):
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)
TEXTS = st.text(st.sampled_from("ab[]{}=#,'\"\n "), max_size=12)
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4)


@given(TABLES, st.integers(0, 2))
def test_lines_are_right_whatever_keys_and_values_hold(tables, gap):
    """The document is written key by key, so that the right lines are known."""
    text, expected = "", {}
    for table, pairs in tables.items():
        text += "\n" * gap
        expected[(table,)] = text.count("\n") + 1
        text += f"[{_quoted(table)}] # [x]\n"
        for key, value in pairs.items():
            expected[table, key] = text.count("\n") + 1
            text += f"{_quoted(key)} = {_written(value)} # y = 1\n"
    lines = key_lines(text)
    assert tomllib.loads(text) == tables
    assert {path: lines[path] for path in expected} == expected
    assert set(lines) == set(_paths(tables))


def _quoted(text):
    return '"' + "".join(_escaped(mark) for mark in text) + '"'


def _escaped(mark):
    return mark if mark.isalnum() or mark in "[]{}=#,' " else f"\\U{ord(mark):08x}"


def _written(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _over_lines(value)
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_written(item)}, # ]\n" for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)} = {_written(item)}" for key, item in value.items()) + "}"
    return str(value)


def _over_lines(text):
    if "\n" in text and '"' not in text:
        return f'"""\n{text}"""'
    return _quoted(text)
