"""What it costs to read a text: the median of many readings, microseconds.

.venv/bin/python bench/reading.py
"""

import time
from statistics import median

import world

from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords

_BATCHES = 15
_A_BATCH = 2000
_TEXTS = (
    ("one word", "STOP"),
    ("a word as people type it", " Stop. "),
    ("a courtesy around it", "stop please"),
    ("a program named", "STOP OFFERS"),
    ("a double opt-in's word", "YES"),
    ("free text", "Please take me off this list, I never signed up for it"),
    ("chat", "Running ten minutes late, can you stop by the shop and get some milk? Thanks, see you later"),
    ("other script", "Больше не присылайте мне сообщения, пожалуйста"),
    ("emoji and odd letters", "ＳＴＯＰ 🙏🙏"),  # noqa: RUF001 - full-width letters are what is measured
    ("1,600 characters", "I would like to know when you open on Sunday " * 35 + "or not at"),
    ("1,600 characters of keywords", "stop " * 320),
)


def main() -> None:
    """Print a table."""
    program = ProgramWords(slug=world.PROGRAM, name="Bench Shop", languages=("en",), keywords={}, words=())
    reader = Interpreter.shipped().for_programs([program])
    print("| text | read as | µs |\n| --- | --- | --- |")
    for name, text in _TEXTS:
        print(f"| {name} | {reader.read(text).klass} | {_microseconds(reader, text):.1f} |")


def _microseconds(reader: Reader, text: str) -> float:
    return median(_batch(reader, text) for _ in range(_BATCHES))


def _batch(reader: Reader, text: str) -> float:
    read = reader.read
    began = time.perf_counter()
    for _ in range(_A_BATCH):
        read(text)
    return (time.perf_counter() - began) / _A_BATCH * 1e6


if __name__ == "__main__":
    main()
