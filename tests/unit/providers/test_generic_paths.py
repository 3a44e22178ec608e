import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.generic_paths import Path, document

DOCUMENT = {
    "a": {"b": [{"c": 1}, {"c": 2}, {}], "d.e": "dotted"},
    "list": [[1, 2], [3]],
    "empty": [],
    "null": None,
}


def values(text):
    return list(Path.parse(text).values(DOCUMENT))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [DOCUMENT]),
        ("a.b[0].c", [1]),
        ("a.b[].c", [1, 2]),
        ('a."d.e"', ["dotted"]),
        ("list[][]", [1, 2, 3]),
        ("list[1][0]", [3]),
        ("null", [None]),
        ("empty[]", []),
        ("a.b.c", []),
        ("a.b[9]", []),
        ("nothing", []),
        ("list.a", []),
        ("$.list[1][0]", [3]),
    ],
)
def test_a_path_leads_to_its_values(text, found):
    assert values(text) == found


@pytest.mark.parametrize(
    "text", ["a..b", ".a", "a.", "a[x]", "a[", "a]b", "a[1000]", '"a', "a[-1]", "a b[].", '""']
)
def test_what_is_no_path_says_how_to_write_one(text):
    with pytest.raises(ValueError, match="no path"):
        Path.parse(text)


def test_only_a_path_with_the_root_is_absolute():
    assert Path.parse("$.a").is_absolute
    assert Path.parse("$[0]").is_absolute
    assert not Path.parse("$a").is_absolute
    assert not Path.parse("a").is_absolute


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("empty[]", True),
        ("list[][]", True),
        ("a.b[]", True),
        ("a", True),
        ("nothing[]", False),
        ("a[]", False),
        ("list[][][]", False),
        ("null[]", False),
    ],
)
def test_a_missing_list_is_told_from_an_empty_one(text, there):
    assert Path.parse(text).has_list(DOCUMENT) is there


names = st.text(st.characters(exclude_characters='.[]"$', exclude_categories=["Cs"]), min_size=1, max_size=5)
steps = st.lists(names | st.just("[]") | st.sampled_from(["[0]", "[2]"]), min_size=1, max_size=5)


@given(steps)
def test_what_is_put_at_a_path_is_found_there(parts):
    text = "".join(part if part.startswith("[") else f".{part}" for part in parts).removeprefix(".")
    path = Path.parse(text)
    assert list(path.values(path.put(None, "value"))) == ["value"]


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a.b"), ("a.b", "a[0]"), ("a[]", "a")])
def test_paths_that_contradict_each_other_are_told(paths):
    with pytest.raises(ValueError, match="paths"):
        document(Path(), [(Path.parse(each), "x") for each in paths])


def test_a_document_holds_absolute_paths_beside_its_element():
    places = [(Path.parse("id"), "1"), (Path.parse("$.to"), "2")]
    assert document(Path.parse("items[]"), places) == {"items": [{"id": "1"}], "to": "2"}


def test_a_field_of_a_form_may_be_named_as_it_likes():
    assert Path.name("a.b[0]").first({"a.b[0]": "x"}) == "x"
