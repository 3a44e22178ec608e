"""Alter a module in small ways, and tell which alterations no test sees.

    python bench/mutate.py gateway/keywords/typos.py [MODULE ...] [--sample 20] [--tests PATH ...]

Each mutant has one change and is tested in a copy of the tree, until the first failure. A survivor is
equivalent, dead code, or a test that is missing. The sample is drawn by the seed, so it can be drawn again.
"""

import argparse
import ast
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TREE = ("gateway", "tests", "config", "docs")
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.Continue: ast.Break, ast.Break: ast.Continue,
}  # fmt: skip
NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}
TIMEOUT = 40  # seconds; a mutant that hangs is killed, as any other


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


def mutants(module: str) -> Iterator[Mutant]:
    """Yield the module with each change in turn."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    for parent in list(ast.walk(tree)):
        for name, value in list(ast.iter_fields(parent)):
            many = isinstance(value, list)
            for at, node in enumerate(list(value) if many else [value]):
                if not isinstance(node, ast.AST) or name in {"annotation", "returns", "decorator_list"}:
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


def copied(folder: Path) -> Path:
    """Copy what the tests need, and return where."""
    for name in TREE:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def passes(tree: Path, tests: list[str]) -> bool:
    """Tell whether all tests pass in this tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def survives(mutant: Mutant, trees: "queue.Queue[Path]", tests: list[str]) -> bool:
    """Tell whether no test sees the change."""
    tree = trees.get()
    path = tree / mutant.module
    original = path.read_text(encoding="utf-8")
    try:
        _write(path, mutant.source)
        return passes(tree, tests)
    finally:
        _write(path, original)
        trees.put(tree)


def _write(path: Path, source: str) -> None:
    path.write_text(source, encoding="utf-8")
    for stale in path.parent.glob(f"__pycache__/{path.stem}.*"):  # same size and second: Python would keep it
        stale.unlink()


def main() -> None:
    """Test the mutants of the modules that were named."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("modules", nargs="+")
    options.add_argument("--tests", nargs="+", default=["tests/unit/keywords"])
    options.add_argument("--sample", type=int, default=20, help="mutants of each module")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    draw = random.Random(given.seed)
    drawn: list[Mutant] = []
    for module in given.modules:
        every = list(mutants(module))
        drawn += draw.sample(every, min(given.sample, len(every)))
        print(f"{module}: {min(given.sample, len(every))} of {len(every)} mutants")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:
        trees: queue.Queue[Path] = queue.Queue()
        for number in range(given.jobs):
            trees.put(copied(Path(folder, str(number))))
        if not passes(trees.queue[0], given.tests):
            sys.exit("the tests fail without any change")
        survived = 0
        for mutant, alive in zip(
            drawn, pool.map(lambda one: survives(one, trees, given.tests), drawn), strict=True
        ):
            survived += alive
            if alive:
                print(f"survived: {mutant.module}:{mutant.line}: {mutant.change}", flush=True)
    print(f"{len(drawn)} mutants, {len(drawn) - survived} killed, {survived} survived")


if __name__ == "__main__":
    main()
