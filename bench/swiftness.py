"""What a reading costs: microseconds beside a bare look-up and a bare search, memory, and the time to load."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from random import sample
from statistics import median, quantiles

from bench.tables import table
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Context

_ROUNDS = 15
_READS = 400
_LOADS = 5
_CHAT = "Running ten minutes late, can you ask the shop to keep the blue shoes for me until then? "
_TEXTS = {
    "plain keyword": "STOP",
    "160 characters": (_CHAT * 2)[:160],
    "2,000 characters": (_CHAT * 25)[:2_000],
}

# Run in a fresh interpreter each time: the lexicons are read once a process.
_LOAD = """
import time, tracemalloc
from gateway.keywords.interpreter import Interpreter
from gateway.keywords.programs import ProgramWords
{before}
interpreter = Interpreter.shipped()
reader = interpreter.for_programs([ProgramWords("offers", "Acme", interpreter.languages)])
print({after})
"""
_SECONDS = _LOAD.format(before="began = time.perf_counter()", after="time.perf_counter() - began")
_BYTES = _LOAD.format(before="tracemalloc.start()", after="tracemalloc.get_traced_memory()[0]")


def swiftness(interpreter: Interpreter, last_sent: str) -> str:
    """Return the table of readings and a line about loading."""
    readers = _readers(interpreter, last_sent)
    spent: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(_ROUNDS):
        for text, who in sample(
            [(text, who) for text in _TEXTS for who in readers], len(_TEXTS) * len(readers)
        ):
            spent.setdefault((text, who), []).append(_round(readers[who], _TEXTS[text]))
    rows = [[text, *(_cell(spent[text, who]) for who in readers)] for text in _TEXTS]
    head = ["text", *(f"{who}: median, p99 µs" for who in readers)]
    return "\n\n".join([table(head, rows), _note(), _loading(interpreter)])


def _readers(interpreter: Interpreter, last_sent: str) -> Mapping[str, Callable[[str], object]]:
    english = interpreter.for_programs([ProgramWords("offers", "Acme")])
    every = interpreter.for_programs([ProgramWords("offers", "Acme", interpreter.languages)])
    marketing = Context(marketing=True, last_sent=last_sent)
    words = {"stop": 1, "unsubscribe": 1, "cancel": 1, "end": 1, "quit": 1, "revoke": 1, "optout": 1}
    pattern = re.compile(r"\b(?:stop|unsubscribe|cancel|end|quit|revoke|opt ?out)\b", re.IGNORECASE)
    return {
        "English, chat": english.read,
        "English, marketing": lambda text: english.read(text, marketing),
        "every language, marketing": lambda text: every.read(text, marketing),
        "dict look-up": lambda text: words.get(text.strip().lower()),
        "re.search": pattern.search,
    }


def _round(read: Callable[[str], object], text: str) -> tuple[float, float]:
    """Return median and 99th percentile of one round, microseconds."""
    clock, spent = time.perf_counter_ns, []
    for _ in range(_READS):
        began = clock()
        read(text)
        spent.append(clock() - began)
    return median(spent) / 1000, quantiles(spent, n=100)[98] / 1000


def _cell(rounds: list[tuple[float, float]]) -> str:
    middle, late = (median(values) for values in zip(*rounds, strict=True))
    return f"{middle:,.2f}, {late:,.2f}"


def _note() -> str:
    return (
        f"Each figure is the median of {_ROUNDS} rounds of {_READS} readings, shuffled, so that a slow minute of the "
        "machine hits all columns alike; each reading is timed by itself, which adds some 0.05 µs. On a busy machine the "
        "99th percentile tells of its neighbours."
    )


def _loading(interpreter: Interpreter) -> str:
    seconds = median(_fresh(_SECONDS) for _ in range(_LOADS))
    return (
        f"Loading {len(interpreter.languages)} languages ({', '.join(interpreter.languages)}) into a reader takes "
        f"{seconds * 1000:,.0f} ms, the median of {_LOADS} fresh processes, and {_fresh(_BYTES) / 2**20:,.1f} MiB."
    )


def _fresh(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)
