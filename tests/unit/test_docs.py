"""The documentation against the code: generated pages, tables of codes, routes, commands, settings, links."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from gateway.app import create_app
from gateway.cli import reference as command_pages
from gateway.cli.main import main as command
from gateway.configuration import reference as setting_pages
from gateway.configuration.faults import written
from gateway.configuration.loading import load
from gateway.configuration.schema import fields_of
from gateway.consent.address import Channel
from gateway.consent.choice import EFFECTS
from gateway.consent.decision import Decision, Reason
from gateway.consent.entry import Result
from gateway.consent.event import Source
from gateway.flows.replies import ReplyKey
from gateway.flows.status import Caveat
from gateway.keywords.reading import Band, Reach, ReadingClass
from gateway.keywords.rules import Rule
from gateway.mail.one_click import PostKind
from gateway.metrics import Metrics
from gateway.web.guard import Guard, TokenScope, guard_of
from gateway.worker.endings import Ending

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

Table = list[list[str]]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its rank or higher."""
    rank, _, _ = heading.partition(" ")
    return re.split(
        rf"^#{{1,{len(rank)}}} ", page(name).split(f"\n{heading}\n")[1], maxsplit=1, flags=re.MULTILINE
    )[0]


def tables(text: str) -> list[Table]:
    """Return the rows of each table, without head, and without the marks of code."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [line.strip()[1:-1].split("|") for line in block.splitlines()[2:]]
        found.append([[cell.strip("` ") for cell in row] for row in rows])
    return found


def codes(name: str, heading: str) -> list[str]:
    return [row[0] for row in tables(section(name, heading))[0]]


def blocks(text: str, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def slug(heading: str) -> str:
    """Return a heading's anchor, as the usual renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


# -- generated pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("reference/settings.md", setting_pages.reference()),
        ("reference/commands.md", command_pages.reference()),
    ],
)
def test_generated_pages_are_current(name: str, made: str):
    assert page(name) == made, "run: make docs"


@pytest.mark.parametrize("module", [setting_pages, command_pages])
def test_the_generators_print_their_page(module: Any, capsys: pytest.CaptureFixture[str]):
    module.main()
    assert capsys.readouterr().out == module.reference()


def test_every_setting_has_its_heading():
    data = {"accounts": {"NAME": {"provider": "twilio"}}, "programs": {"NAME": {}}}
    headings = re.findall(r"^#+ `(.+)`$", page("reference/settings.md"), re.MULTILINE)
    assert [written(path) for path in fields_of(data) if written(path) not in headings] == []


def test_no_secret_has_a_default_in_the_page():
    found = page("reference/settings.md")
    assert "secret text · default `" not in found.replace('default `"sqlite:///var/gateway.sqlite3"`', "")


def test_every_command_has_its_heading():
    headings = re.findall(r"^## `(.+)`$", page("reference/commands.md"), re.MULTILINE)
    assert sorted(headings) == sorted(" ".join(["gateway", *path]) for path, _ in commands(command))


def commands(
    group: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, inner in getattr(group, "commands", {}).items():
        yield from commands(inner, (*path, name))


# -- codes -----------------------------------------------------------------------------------------------


def test_every_reason_is_explained_with_what_it_does():
    rows = tables(section("reference/reasons.md", "## Reasons"))[0]
    allowing = {Reason.CONSENT, Reason.DEFAULT_CONSENT}
    assert {row[0]: row[1] for row in rows} == {
        reason.value: "yes" if reason in allowing else "no" for reason in Reason
    }


def test_every_choice_is_shown_with_its_effect():
    rows = tables(section("reference/reasons.md", "## Choices"))[0]
    yes = {True: "yes", False: "no"}
    assert [(row[0], *row[2:]) for row in rows] == [
        (choice.value, yes[effect.marketing], yes[effect.transactional], str(effect.weight))
        for choice, effect in EFFECTS.items()
    ]


def test_every_channel_is_shown_with_the_codes_of_journey_optimizer():
    rows = tables(section("reference/reasons.md", "## Codes of Adobe Journey Optimizer"))[0]
    suppressed = Decision(allowed=False, reason=Reason.SUPPRESSED)
    others = [Decision(allowed=False, reason=reason) for reason in Reason if reason is not Reason.SUPPRESSED]
    for channel, row in zip(Channel, rows, strict=True):
        assert row[:2] == [channel, suppressed.ajo_code(channel)]
        assert {other.ajo_code(channel) or "none" for other in others} == {row[2]}


def rule_names() -> set[str]:
    links = {f"{kind}@1" for kind in PostKind}
    return (
        {rule.value for rule in Rule} | links | {"no_person@1", "provider_list@1", "provider_refusal_CODE@1"}
    )


@pytest.mark.parametrize(
    ("name", "heading", "values"),
    [
        ("reference/reasons.md", "## Warnings", set(Caveat)),
        ("reference/reasons.md", "## Classes", set(ReadingClass)),
        ("reference/reasons.md", "## Bands", set(Band)),
        ("reference/reasons.md", "## Reach", set(Reach)),
        ("reference/reasons.md", "## Sources", set(Source)),
        ("reference/reasons.md", "## Replies", set(ReplyKey)),
        ("reference/reasons.md", "## Rules", rule_names()),
        ("reference/api.md", "## Guards", set(Guard)),
        ("reference/api.md", "## Scopes", set(TokenScope)),
    ],
)
def test_every_code_has_its_row(name: str, heading: str, values: set[str]):
    found = codes(name, heading)
    assert set(found) == {str(value) for value in values}
    assert len(found) == len(values)


def test_rules_that_flows_name_by_themselves_are_known():
    found = {
        match
        for path in (ROOT / "gateway" / "flows").glob("*.py")
        for match in re.findall(r'rule=f?"([^"]+@\d+)"', path.read_text(encoding="utf-8"))
    }
    assert found == {"no_person@1", "{kind}@1", "provider_list@1", "provider_refusal_{status.error_code}@1"}


# -- metrics ---------------------------------------------------------------------------------------------


def metric_rows() -> Iterator[list[str]]:
    for metric in Metrics().registry._collector_to_names:
        family = next(iter(metric.describe()))
        name = family.name + "_total" * (family.type == "counter")
        yield [name, family.type, ", ".join(metric._labelnames), family.documentation]


def test_every_metric_has_its_row():
    found = tables(page("reference/metrics.md"))[0]
    assert [[cell.replace("`", "") for cell in row] for row in found] == list(metric_rows())


def refusals() -> set[str]:
    tree = ast.parse((ROOT / "gateway" / "web" / "accounts.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = "self.metrics.refused"
    return {ast.literal_eval(call.args[1]) for call in calls if ast.unparse(call.func) == named}


def test_every_label_of_the_metrics_has_its_row():
    repeats, refused, sent = tables(section("reference/metrics.md", "## Labels"))
    assert {row[0] for row in repeats} == set(Result) - {Result.RECORDED}
    assert {row[0] for row in refused} == refusals()
    assert {row[0] for row in sent} == set(Ending)


# -- routes ----------------------------------------------------------------------------------------------


@pytest.fixture
def routes(tmp_path: Path) -> dict[str, tuple[set[str], str, str]]:
    """Every route with its methods, its guard and its scope."""
    (tmp_path / "gateway.toml").touch()
    environ = {"GATEWAY_KEYS_MASTER": "m" * 40, "GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path}/g.sqlite3"}
    app = create_app(load(tmp_path / "gateway.toml", environ))
    found: dict[str, tuple[set[str], str, str]] = {}
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if methods:
            name, guarding = rule.rule.replace("<path:", "<"), guard_of(app, rule.endpoint)
            found.setdefault(name, (set(), guarding.guard, guarding.scope or ""))[0].update(methods)
    app.extensions["gateway"].close()
    return found


def test_every_route_is_listed_with_its_guard(routes: dict[str, tuple[set[str], str, str]]):
    listed = tables(section("reference/api.md", "## Routes"))[0]
    assert {row[0]: (set(row[1].split(", ")), row[2], row[3]) for row in listed} == routes


def test_pages_name_no_path_that_is_not_there(routes: dict[str, tuple[set[str], str, str]]):
    known = [re.compile(re.sub(r"<\w+>", "[^/]+", route)) for route in routes]
    path = re.compile(r"(?<=[\s`0-9m])/v1/[a-z/.+0-9<>-]+[a-z0-9>]")
    named = {match for each in PAGES for match in path.findall(each.read_text(encoding="utf-8"))}
    assert named
    # A path may be named by its beginning: /v1/consents/…
    strays = [name for name in named if not any(route.startswith(f"{name}/") for route in routes)]
    assert [name for name in strays if not any(each.fullmatch(name) for each in known)] == []


# -- pages -----------------------------------------------------------------------------------------------


def test_every_page_is_in_the_index():
    listed = page("README.md")
    names = [str(path.relative_to(DOCS)) for path in PAGES if path.name != "README.md"]
    assert [name for name in names if f"]({name})" not in listed] == []


def test_links_to_headings_lead_to_one():
    wrong = []
    for path in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", path.read_text(encoding="utf-8")):
            text = (path.parent / target).read_text(encoding="utf-8") if target else path.read_text()
            if anchor not in {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}:
                wrong.append(f"{path.relative_to(DOCS)}: {target}#{anchor}")
    assert wrong == []


def test_pages_speak_of_the_product_only():
    # Split, so that this file does not find itself.
    others = re.compile("|".join(("/wo" + "rk/", "sha" + "red/", "DES" + "IGN", "py" + "pi")), re.IGNORECASE)
    assert [path.name for path in PAGES if others.search(path.read_text(encoding="utf-8"))] == []


def shell_lines() -> Iterator[str]:
    """Yield what follows our command in each block for the shell."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for block in [*blocks(text, "sh"), *blocks(text, "cron")]:
            for line in block.replace("\\\n", " ").splitlines():
                if match := re.search(r"(?:^|[ ;(])(?:\.venv/bin/)?gateway( [a-z-].*)", line):
                    yield match[1].split("#")[0].split(" > ")[0].split(" || ")[0]


@pytest.mark.parametrize("line", sorted(set(shell_lines())))
def test_commands_on_the_pages_are_understood(line: str):
    words = shlex.split(line)
    inner: click.Command = command
    while isinstance(inner, click.Group):
        inner = inner.commands[words.pop(0)]
    # Raises for an option that there is not; an argument that is missing has no value.
    values, _, _ = inner.make_parser(click.Context(inner)).parse_args(words)
    needed = [each.name for each in inner.params if each.required]
    assert [name for name in needed if not isinstance(values.get(str(name)), str | tuple)] == []


def test_settings_on_the_pages_are_settings():
    wrong = []
    for path in PAGES:
        for block in blocks(path.read_text(encoding="utf-8"), "toml"):
            data = tomllib.loads(block)
            for name in data.get("accounts", {}):
                data["accounts"][name].setdefault("provider", "twilio")
            known = set(fields_of(data))
            wrong += [f"{path.name}: {written(key)}" for key in leaves(data) if not starts(key, known)]
    assert wrong == []


def leaves(data: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def starts(key: tuple[str, ...], known: set[tuple[str | int, ...]]) -> bool:
    """Tell whether the key is a setting, or inside one that holds tables."""
    return any(key[: len(each)] == each for each in known)


def test_programs_on_the_pages_are_python():
    found = [block for path in PAGES for block in blocks(path.read_text(encoding="utf-8"), "python")]
    assert len(found) > 3
    for block in found:
        ast.parse(block)
