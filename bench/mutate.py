"""Alter modules in small ways, and tell which alterations no test sees.

    python bench/mutate.py gateway/keywords/typos.py [MODULE ...] [--sample 20] [--tests PATH ...]
    python bench/mutate.py gateway/keywords --all --tests QUICK ... --then SLOW ...

Each mutant has one change. A child process imports it in place of the module, and runs the tests until the
first failure: first the file that killed most mutants of the module so far, then the quickest. It is forked
from one that has imported pytest and all that the tests need from elsewhere. Random tests try few examples.
A survivor is equivalent, dead code, or a test that is missing. The sample is drawn by the seed, so it can be
drawn again. Processes that a test starts see the module unaltered.
"""

import argparse
import ast
import gc
import itertools
import os
import random
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import Phase, settings

ROOT = Path(__file__).parents[1]
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.Continue: ast.Break, ast.Break: ast.Continue,
}  # fmt: skip
ANNOTATIONS = {"annotation", "returns"}  # they are for mypy
NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}
SLOW = 0.3  # seconds; slower tests are for the mutants that survive the others
OURS = {"gateway", "tests", "support"}
TIMEOUT = 60  # seconds of processor time; a mutant that hangs is killed, as any other
MEMORY = 4 << 30  # bytes, likewise


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module."""

    module: str
    line: int
    change: str
    source: str


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in place of the node."""
    if type(node) in SWAPS:
        yield SWAPS[type(node)]()
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Name) and node.id in NAMES:
        yield ast.Name(NAMES[node.id])
    elif isinstance(node, ast.Return) and node.value and ast.unparse(node.value) != "None":
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Assign | ast.AugAssign) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    ):
        yield ast.Pass()


def negations(parent: ast.AST, name: str, node: ast.AST) -> Iterator[ast.AST]:
    """Yield the opposite of a condition."""
    is_condition = name == "test" or (isinstance(parent, ast.comprehension) and name == "ifs")
    if is_condition and not isinstance(node, ast.UnaryOp | ast.Compare):
        yield ast.UnaryOp(ast.Not(), node)


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ANNOTATIONS:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _walked(child)


def mutants(module: str) -> Iterator[Mutant]:
    """Yield the module with each change in turn."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    for parent in list(_walked(tree)):
        for name, value in list(ast.iter_fields(parent)):
            many = isinstance(value, list)
            for at, node in enumerate(list(value) if many else [value]):
                if not isinstance(node, ast.AST) or name in {*ANNOTATIONS, "decorator_list"}:
                    continue
                for other in (*replacements(node), *negations(parent, name, node)):
                    _put(parent, name, at if many else None, other)
                    line = getattr(node, "lineno", getattr(parent, "lineno", 0))
                    change = f"{_shown(node)} -> {_shown(other)}"
                    yield Mutant(module, line, change, ast.unparse(ast.fix_missing_locations(tree)))
                    _put(parent, name, at if many else None, node)


def _put(parent: ast.AST, name: str, at: int | None, node: ast.AST) -> None:
    if at is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[at] = node


def _shown(node: ast.AST) -> str:
    is_operator = isinstance(node, ast.operator | ast.cmpop | ast.boolop)
    return type(node).__name__ if is_operator else ast.unparse(node)[:70]


class _Watch:
    """Leaves the tests that were chosen, the quickest first, and tells what each took and which file failed."""

    def __init__(self, chosen: Mapping[str, float] | None = None) -> None:
        self._chosen = chosen
        self.took: Counter[str] = Counter()
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._chosen is not None:
            items[:] = [item for item in items if item.nodeid in self._chosen]
            items.sort(
                key=lambda item: (
                    self._chosen[_file(item.nodeid)],
                    _file(item.nodeid),
                    self._chosen[item.nodeid],
                )
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took[report.nodeid] += report.duration
        if report.failed:
            self.failed = self.failed or _file(report.nodeid)


class _Altered(MetaPathFinder, SourceFileLoader):
    """Imports the mutant in place of the module; nothing is written."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module.removesuffix(".py").replace("/", "."), str(ROOT / mutant.module))
        self._code = compile(mutant.source, self.path, "exec")

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the signature of importlib
        return self._code


def measured(paths: list[str]) -> Mapping[str, float]:
    """Run the tests without any change, and return the seconds of each. What they import stays imported."""
    watch = _Watch()
    if _pytest(paths, watch):
        sys.exit("the tests fail without any change")
    for module in _ours().values():
        _imports(module.__file__)
    gc.collect()
    gc.freeze()  # else each child would look through it all again
    return watch.took


class Suite:
    """Tests with the seconds that each takes."""

    def __init__(self, took: Mapping[str, float]) -> None:
        files: Counter[str] = Counter()
        for test, seconds in took.items():
            files[_file(test)] += seconds
        self.took = {**files, **took}
        self.files = sorted(files, key=lambda file: files[file])

    def start(self, mutant: Mutant, killers: Counter[str]) -> int:
        """Test the mutant in a child process, the file that killed most first. Return the child's number."""
        child = os.fork()
        if child:
            return child
        gc.disable()
        resource.setrlimit(resource.RLIMIT_CPU, (TIMEOUT, TIMEOUT))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        found = len(self.files)  # no test file: the mutant cannot be imported
        try:
            found = self._first_failure(mutant, killers)
        finally:
            os._exit(1 + found)

    def _first_failure(self, mutant: Mutant, killers: Counter[str]) -> int:
        """Return which file failed first, -1 for none."""
        altered = _Altered(mutant)
        _forget(altered.name)
        sys.meta_path.insert(0, altered)
        files = sorted(self.files, key=lambda file: -killers[file])
        for some in (files[:1], files[1:]):
            watch = _Watch(self.took)
            if some and _pytest(some, watch):
                return self.files.index(watch.failed) if watch.failed else len(self.files)
        return -1


_WITHOUT = [f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "unraisableexception")]
_SEEN = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # hypothesis is imported before


def _pytest(paths: list[str], watch: _Watch) -> int:
    options = ("-q", "-x", "-n0", "--tb=no", *_WITHOUT, *_SEEN)
    return pytest.main([*options, "-o", f"timeout={TIMEOUT}", *paths], plugins=[watch])


def _forget(altered: str) -> None:
    """Drop the tests, the altered module and all that import it, at whatever distance; the others stay as they are."""
    ours = _ours()
    forgotten = {altered, *(name for name in ours if name.split(".")[0] != "gateway")}
    imports = {name: _imports(module.__file__) for name, module in ours.items() if name not in forgotten}
    while more := {name for name, wanted in imports.items() if not wanted.isdisjoint(forgotten)} - forgotten:
        forgotten |= more
    for name in forgotten & ours.keys():
        del sys.modules[name]
        package, _, own = name.rpartition(".")
        if package in sys.modules:
            vars(sys.modules[package]).pop(own, None)  # `from package import module` would find it there


def _ours() -> dict[str, ModuleType]:
    return {
        name: module
        for name, module in sys.modules.items()
        if name.split(".")[0] in OURS and getattr(module, "__file__", None)
    }


@cache
def _imports(path: str) -> frozenset[str]:
    """Return the names of the modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    names = {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return frozenset(names | plain | {str(node.module) for node in froms})


def _file(test: str) -> str:
    return test.partition("::")[0]


def survivors(every: Iterable[Mutant], suite: Suite, jobs: int) -> Iterator[Mutant]:
    """Yield the mutants that no test sees."""
    killers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    running: dict[int, Mutant] = {}
    waiting = iter(every)
    while True:
        for mutant in itertools.islice(waiting, jobs - len(running)):
            running[suite.start(mutant, killers[mutant.module])] = mutant
        if not running:
            return
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            yield mutant
        elif os.WIFEXITED(status) and os.WEXITSTATUS(status) <= len(suite.files):
            killers[mutant.module][suite.files[os.WEXITSTATUS(status) - 1]] += 1


def drawn(modules: Iterable[str], sample: int | None, seed: int) -> list[Mutant]:
    """Return all mutants of the modules, or some of each."""
    draw = random.Random(seed)
    found: list[Mutant] = []
    for module in modules:
        every = list(mutants(module))
        some = every if sample is None else draw.sample(every, min(sample, len(every)))
        print(f"{module}: {len(some)} of {len(every)} mutants")
        found += some
    return found


def main() -> None:
    """Test the mutants of the modules that were named."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("modules", nargs="+", help="files, or folders of them")
    options.add_argument("--tests", nargs="+", default=["tests/unit/keywords"])
    options.add_argument("--then", nargs="+", default=[], help="tests for those that survive")
    options.add_argument("--all", action="store_true", help="every mutant, no sample")
    options.add_argument("--sample", type=int, default=20, help="mutants of each module")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    settings.register_profile(
        "few", max_examples=25, phases=[Phase.explicit, Phase.generate], database=None, derandomize=True
    )
    settings.load_profile("few")
    found = [str(path) for name in given.modules for path in sorted(Path(name).glob("*.py")) or [Path(name)]]
    altered = drawn(found, None if given.all else given.sample, given.seed)
    took = measured([*given.tests, *given.then])
    quick = {test: time for test, time in took.items() if time < SLOW and test.startswith(tuple(given.tests))}
    slow = {test: time for test, time in took.items() if test not in quick}
    left: Iterable[Mutant] = altered
    for suite in map(Suite, filter(None, (quick, slow))):
        print(f"{sum(map(suite.took.get, suite.files)):.0f} seconds of tests", flush=True)
        left, tested = [], left
        for mutant in survivors(tested, suite, given.jobs):
            left.append(mutant)
            print(f"survived: {mutant.module}:{mutant.line}: {mutant.change}", flush=True)
    print(f"{len(altered)} mutants, {len(altered) - len(left)} killed, {len(left)} survived")


if __name__ == "__main__":
    main()
