import pytest

from gateway.configuration.references import References

ENVIRON = {"A": "one", "B_2": "two", "DEEP": "${A}", "EMPTY": ""}


def expanded(text):
    references = References(ENVIRON)
    return references.table({"k": text})["k"], references


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${A}", "one"),
        ("x${A}y${B_2}z", "xoneytwoz"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A and {A} and $ {A}", "$A and {A} and $ {A}"),
        ("${DEEP}", "${A}"),
        ("{name} costs $5", "{name} costs $5"),
    ],
)
def test_reference_takes_the_value_as_it_is(text, result):
    value, references = expanded(text)
    assert value == result
    assert references.findings == []


@pytest.mark.parametrize("text", ["${MISSING}", "${EMPTY}"])
def test_missing_and_empty_variables_are_faults_that_name_them(text):
    _, references = expanded(text)
    (finding,) = references.findings
    assert finding.path == ("k",)
    assert text[2:-1] in finding.problem


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${A B}", "${1A}", "${A-x}", "${ A }"])
def test_malformed_references_are_faults(text):
    _, references = expanded(text)
    assert [finding.problem for finding in references.findings] == ["has a malformed ${NAME}"]


def test_references_are_found_at_every_depth_and_nowhere_else():
    references = References(ENVIRON)
    data = {"${A}": 1, "t": {"l": ["${A}", ["${NO}"], {"d": "${B_2}"}]}, "n": 5}
    assert references.table(data) == {"${A}": 1, "t": {"l": ["one", ["${NO}"], {"d": "two"}]}, "n": 5}
    assert references.used == {"A", "B_2", "NO"}
    assert [finding.path for finding in references.findings] == [("t", "l", 1, 0)]
