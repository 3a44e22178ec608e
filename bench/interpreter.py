"""How well the interpreter reads, and what that costs, with five other matchers beside it.

.venv/bin/python -m bench.interpreter            prints, and writes bench/out/interpreter.md
.venv/bin/python -m bench.interpreter --docs     writes docs/reference/interpreter.md instead
"""

import argparse
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.chat import false_alarms, ham, requests
from bench.judged import judged
from bench.machine import is_calm, machine
from bench.published import published
from bench.swiftness import swiftness
from gateway.keywords.interpreter import Interpreter
from tests.support.suites import LANGUAGES, read_suite, reader_of

_ROOT = Path(__file__).parents[1]
_DATA = _ROOT.parent / "shared"
_OUT = _ROOT / "bench" / "out" / "interpreter.md"
_DOCS = _ROOT / "docs" / "reference" / "interpreter.md"

_HEAD = """# The interpreter, measured

Written by `python -m bench.interpreter --docs`; do not edit. An opt-out that is missed breaks the law, a false alarm loses a
subscriber who wanted to stay, so both are counted, each beside what others do with the same texts."""


def main() -> None:
    """Print everything, and write it down."""
    options = _options()
    interpreter = Interpreter.shipped()
    if not is_calm():
        print("The machine is busy: times will be longer and less steady than they are.", file=sys.stderr)
    parts = [_HEAD]
    for title, part in _parts(interpreter, options.data).items():
        print(f"{title} ...", file=sys.stderr)
        parts.append(f"## {title}\n\n{part()}")
    text = "\n\n".join(parts) + "\n"
    print(text)
    target = _DOCS if options.docs else _OUT
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(f"Written to {target.relative_to(_ROOT)}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docs", action="store_true", help="write the page of the documentation")
    parser.add_argument(
        "--data", type=Path, default=_DATA, help="folder with the published keywords and corpora"
    )
    return parser.parse_args()


def _parts(interpreter: Interpreter, data: Path) -> Mapping[str, Callable[[], str]]:
    suites = [read_suite(language) for language in LANGUAGES]
    last_sent = next(suite.last_sent for suite in suites if suite.language == "en")
    return {
        "Suites": lambda: judged(interpreter, suites),
        "Published keywords": lambda: _published(interpreter, data / "reference" / "keywords.csv"),
        "False alarms": lambda: _false_alarms(interpreter, data / "data" / "sms", last_sent),
        "Speed and memory": lambda: f"{_machine()}\n\n{swiftness(interpreter, last_sent)}",
    }


def _published(interpreter: Interpreter, path: Path) -> str:
    return published(interpreter, path) if path.exists() else f"Not measured: {path.name} is absent."


def _false_alarms(interpreter: Interpreter, folder: Path, last_sent: str) -> str:
    paths = (folder / "SMSSpamCollection.tsv", folder / "clinc150_trap_subset.tsv")
    absent = [path.name for path in paths if not path.exists()]
    if absent:
        return f"Not measured: {', '.join(absent)} absent."
    return false_alarms(reader_of(interpreter, "en"), [ham(paths[0]), requests(paths[1])], last_sent)


def _machine() -> str:
    found = machine()
    return f"{found['cpu']}, {found['cores']} cores, load {found['load']:.1f}, Python {platform.python_version()}."


if __name__ == "__main__":
    main()
