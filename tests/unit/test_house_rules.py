"""The rules of the house, as docs/decisions and CONTRIBUTING.md state them, held over the whole tree."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gateway"

# Rooms from top to bottom. A room imports itself and what stands on a lower floor, never a neighbour.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"cli"}),
    frozenset({"app"}),
    frozenset({"web", "worker", "server"}),
    frozenset({"house", "advice"}),  # holds the parts that app, web and worker share; judges a configuration
    frozenset({"flows"}),
    frozenset({"keys", "programs"}),  # what flows know of the settings
    frozenset({"settings", "configuration"}),
    frozenset({"providers", "mail", "store", "metrics"}),
    frozenset({"net"}),
    frozenset({"keywords", "consent"}),
    frozenset({"errors"}),
)
# Two rooms for one matter: the typed settings, and the reading, explaining and writing of them.
NEIGHBOURS = frozenset({frozenset({"settings", "configuration"})})

PURE = ("keywords", "consent", "providers", "mail")
FRAMEWORKS = frozenset({"flask", "werkzeug", "sqlalchemy", "alembic", "psycopg", "sqlite3"})
INNERMOST = ("keywords", "consent")
OUTSIDE = frozenset(
    {"asyncio", "datetime", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib"}
)
OUTSIDE |= {"random", "requests", "secrets", "shutil", "smtplib", "socket", "ssl", "subprocess", "sys"}
OUTSIDE |= {"tempfile", "threading", "time", "urllib", "urllib3", "uuid"}

FUNCTION_LINES, FUNCTION_MEDIAN, FUNCTION_P90 = 60, 8, 25
FILE_LINES, FILE_MEDIAN = 400, 150
BROAD_HANDLERS = 3

# Split, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
CODES = r"[A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*"
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore)")
REASONED = re.compile(rf"#\s*(?:noqa: {CODES}|type: ignore\[[a-z, -]+\])\s+(?:[-#])\s*\S.*\w{{3,}}")


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def name(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    @property
    def room(self) -> str:
        return room_of(self.name)

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def tree(self) -> ast.Module:
        return parsed(self.path)

    @property
    def lines(self) -> int:
        return self.text.count("\n")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


MODULES = [Module(path) for path in sorted(PACKAGE.rglob("*.py"))]
NAMES = frozenset(module.name for module in MODULES)
# A migration is one long list of columns, written once and never changed.
SIZED = [module for module in MODULES if "/migrations/versions/" not in module.place]
SCRIPTS = [Module(path) for folder in ("tests", "bench", "config") for path in (ROOT / folder).rglob("*.py")]


def room_of(name: str) -> str:
    """Return the first part below the package, "" for the package itself."""
    return name.split(".")[1] if "." in name else ""


def imports(nodes: Iterator[ast.AST]) -> Iterator[tuple[str, int]]:
    """Yield (imported module, line); `from package import module` names the module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in NAMES else str(node.module)), node.lineno


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when the module is imported: neither functions nor imports for the type checker."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from at_import(child)


def floor_of(room: str) -> int:
    found = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    assert found, f"gateway/{room} is new: give it its floor in {Path(__file__).name}"
    return found[0]


def may_import(room: str, other: str) -> bool:
    if other in {room, ""} or frozenset({room, other}) in NEIGHBOURS:
        return True
    return floor_of(room) < floor_of(other)


def functions() -> Iterator[tuple[str, int]]:
    """Yield (place, lines) of each function; signature, docstring and body count."""
    for module in SIZED:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{module.place}:{node.lineno} {node.name}", lines


def comments(module: Module) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def names_in(node: ast.expr | None) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} if node else set()


def broad_handlers() -> Iterator[tuple[Module, int, int]]:
    """Yield (module, first line, last line in which a reason may stand)."""
    broad = {"Exception", "BaseException"}
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or names_in(node.type) & broad):
                yield module, node.lineno - 1, node.body[0].lineno
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).endswith("suppress")
                and names_in(node) & broad
            ):
                yield module, node.lineno - 1, node.lineno


# -- rooms -----------------------------------------------------------------------------------------------


def test_every_room_has_its_floor() -> None:
    rooms = {module.room for module in MODULES} - {""}
    assert not rooms - frozenset().union(*FLOORS)


def test_imports_go_downward_only() -> None:
    wrong = [
        f"{module.place}:{line} imports {name}"
        for module in MODULES
        if module.room
        for name, line in imports(ast.walk(module.tree))
        if name.split(".")[0] == "gateway" and not may_import(module.room, room_of(name))
    ]
    assert wrong == []


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {module.name: {name for name, _ in imports(at_import(module.tree))} & NAMES for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports go in a circle: {' -> '.join(error.args[1])}")


def test_rooms_that_decide_know_no_framework_and_no_database() -> None:
    wrong = [
        f"{module.place}:{line} imports {name}"
        for module in MODULES
        if module.room in PURE
        for name, line in imports(ast.walk(module.tree))
        if name.split(".")[0] in FRAMEWORKS
    ]
    assert wrong == []


def test_keywords_and_consent_reach_neither_clock_nor_world() -> None:
    wrong = [
        f"{module.place}:{line} imports {name}"
        for module in MODULES
        if module.room in INNERMOST
        for name, line in imports(ast.walk(module.tree))
        if name.split(".")[0] in OUTSIDE
    ]
    assert wrong == []


def test_only_the_lexicon_reads_files_in_the_innermost_rooms() -> None:
    """`importlib.resources` and `tomllib` load what the wheel ships; nothing opens another file."""
    readers = {"gateway.keywords.lexicon", "gateway.keywords.document"}
    wrong = [
        f"{module.place}:{line} imports {name}"
        for module in MODULES
        if module.room in INNERMOST and module.name not in readers
        for name, line in imports(ast.walk(module.tree))
        if name.split(".")[0] in {"importlib", "tomllib"}
    ]
    wrong += [
        f"{module.place}:{node.lineno} opens a file"
        for module in MODULES
        if module.room in INNERMOST
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "open"
    ]
    assert wrong == []


def test_the_clock_is_passed_to_rooms_that_decide() -> None:
    clock = re.compile(
        r"(?:^|\.)time\.(?:time|time_ns|monotonic\w*|perf_counter\w*)$|\.(?:now|utcnow|today)$"
    )
    wrong = [
        f"{module.place}:{node.lineno} {ast.unparse(node.func)}()"
        for module in MODULES
        if module.room in PURE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and clock.search(ast.unparse(node.func))
    ]
    assert wrong == []


# -- size ------------------------------------------------------------------------------------------------


def test_no_function_is_longer_than_a_screen() -> None:
    assert [f"{place}: {lines} lines" for place, lines in functions() if lines > FUNCTION_LINES] == []


def test_functions_are_short_on_the_whole() -> None:
    lengths = sorted(lines for _, lines in functions())
    assert statistics.median(lengths) <= FUNCTION_MEDIAN
    assert lengths[len(lengths) * 9 // 10] <= FUNCTION_P90


def test_files_are_short() -> None:
    lengths = {module.place: module.lines for module in SIZED if module.lines}
    assert [f"{place}: {lines} lines" for place, lines in lengths.items() if lines > FILE_LINES] == []
    assert statistics.median(lengths.values()) <= FILE_MEDIAN


# -- errors and effects ----------------------------------------------------------------------------------


def test_broad_handlers_are_few_and_each_says_why() -> None:
    found = list(broad_handlers())
    silent = [
        f"{module.place}:{first + 1}"
        for module, first, last in found
        if not any(first <= line <= last for line, _ in comments(module))
    ]
    assert silent == []
    assert len(found) <= BROAD_HANDLERS, [f"{module.place}:{first + 1}" for module, first, _ in found]


def test_nothing_happens_at_import() -> None:
    """A module defines. Calls that stand alone, loops and blocks act."""
    exempt = {
        "gateway/server/gunicorn_conf.py",  # gunicorn executes it to read its configuration
        "gateway/cli/main.py",  # a group of commands is filled by calls
        "gateway/store/migrations/env.py",  # alembic runs it
        "gateway/store/tables.py",  # an index with a condition is declared by a call
    }
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.ClassDef, ast.FunctionDef, ast.If)
    wrong = [
        f"{module.place}:{node.lineno} {ast.unparse(node)[:60]}"
        for module in MODULES
        if module.place not in exempt and module.path.name != "__main__.py"
        for node in module.tree.body
        if not isinstance(node, allowed) and not is_text(node)
    ]
    assert wrong == []


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_modules_read_neither_environment_nor_clock_at_import() -> None:
    world = re.compile(r"^(?:os\.(?:environ|getenv)|open\(|time\.time|datetime\.now)")
    wrong = [
        f"{module.place}:{node.lineno} {ast.unparse(node)[:60]}"
        for module in MODULES
        if module.place
        != "gateway/server/gunicorn_conf.py"  # executed by gunicorn at its start, not imported
        for node in at_import(module.tree)
        if isinstance(node, ast.Call | ast.Attribute | ast.Subscript) and world.match(ast.unparse(node))
    ]
    assert wrong == []


def test_only_commands_print() -> None:
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in MODULES
        if module.room != "cli"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


# -- words -----------------------------------------------------------------------------------------------


def test_nothing_is_left_unfinished() -> None:
    files = [
        path
        for folder in ("gateway", "tests", "bench", "config", "docs", ".ci")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".toml", ".md", ".html", ".css", ".js", ".mako", ""} and path.is_file()
        if ROOT / "bench" / "out" not in path.parents  # results and databases of earlier runs
    ]
    files += ROOT.glob("*.md")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert wrong == []


def test_links_in_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    wrong = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert wrong == []


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert decisions
    assert [name for name in decisions if f"(decisions/{name})" not in listed] == []


def test_every_public_module_says_what_it_is() -> None:
    wrong = [
        module.place
        for module in MODULES
        if not module.path.stem.startswith("_") and ast.get_docstring(module.tree) is None
    ]
    assert wrong == []


def test_every_exception_to_the_tools_says_why() -> None:
    wrong = [
        f"{module.place}:{line} {text}"
        for module in (*MODULES, *SCRIPTS)
        for line, text in comments(module)
        if SUPPRESSION.search(text) and not REASONED.search(text)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "comment",
    ["# noqa", "# noqa: S101", "# type: ignore", "# type: ignore[misc]", "# noqa - why", "# noqa: S101 -"],
)
def test_a_bare_exception_is_found(comment: str) -> None:
    assert SUPPRESSION.search(comment)
    assert not REASONED.search(comment)


# -- locks -----------------------------------------------------------------------------------------------


def locked(name: str) -> dict[str, str]:
    """Return the version that a lock has of each package."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["run", "dev", "build", "lock"])
def test_a_lock_names_versions_and_hashes_and_no_host(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("name", ["run", "build"])
def test_what_is_tested_is_what_runs(name: str) -> None:
    assert locked(name).items() <= locked("dev").items()
