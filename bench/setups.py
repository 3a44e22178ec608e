"""What is run, and what is claimed of it: each setup by its name, each figure with its reference."""

from dataclasses import dataclass
from enum import Enum


class Wire(Enum):
    """Which prepared requests a setup gets."""

    STOP = "signed STOP"
    ONE_CLICK = "one-click POST"
    STATUS = "status by address"


class Stack(Enum):
    """What answers them."""

    GATEWAY = "the gateway"
    TUTORIAL = "reference_tutorial under gthread"
    EMPTY_GTHREAD = "reference_empty under gthread"
    EMPTY_SYNC = "reference_empty under sync"
    TRIVIAL = "reference_trivial under the gateway's worker"


class Store(Enum):
    """What lies behind."""

    NONE = "nothing"
    SQLITE = "SQLite"
    POSTGRES = "PostgreSQL"


@dataclass(frozen=True, slots=True)
class Setup:
    """One server under one load."""

    stack: Stack
    wire: Wire = Wire.STOP
    store: Store = Store.NONE
    connections: int = 64


@dataclass(frozen=True, slots=True)
class Ratio:
    """A claim: this setup answers at least so many times as many requests a second as that one."""

    name: str  # for --only
    title: str
    setup: str
    against: str
    at_least: float


SETUPS = {
    "stop-sqlite": Setup(Stack.GATEWAY, store=Store.SQLITE),
    "stop-postgres": Setup(Stack.GATEWAY, store=Store.POSTGRES, connections=256),
    "one-click": Setup(Stack.GATEWAY, Wire.ONE_CLICK, Store.SQLITE),
    "status": Setup(Stack.GATEWAY, Wire.STATUS, Store.SQLITE),
    "tutorial-sqlite": Setup(Stack.TUTORIAL, store=Store.SQLITE),
    "tutorial-postgres": Setup(Stack.TUTORIAL, store=Store.POSTGRES),
    "empty-gthread": Setup(Stack.EMPTY_GTHREAD),
    "empty-sync": Setup(Stack.EMPTY_SYNC),
    "empty-one-click": Setup(Stack.EMPTY_GTHREAD, Wire.ONE_CLICK),
    "empty-status": Setup(Stack.EMPTY_GTHREAD, Wire.STATUS),
    "trivial": Setup(Stack.TRIVIAL),
}

# Measures the load generator; runs whatever is chosen.
CEILING = "trivial"

_STOP = "complete Twilio STOP"
RATIOS = (
    Ratio("sqlite", f"{_STOP}, SQLite", "stop-sqlite", "empty-gthread", 2.0),
    Ratio("sqlite", f"{_STOP}, SQLite", "stop-sqlite", "empty-sync", 1.4),
    Ratio("postgres", f"{_STOP}, PostgreSQL", "stop-postgres", "empty-gthread", 2.5),
    Ratio("postgres", f"{_STOP}, PostgreSQL", "stop-postgres", "empty-sync", 1.8),
    Ratio("tutorial", f"{_STOP}, SQLite", "stop-sqlite", "tutorial-sqlite", 15),
    Ratio("tutorial", f"{_STOP}, PostgreSQL", "stop-postgres", "tutorial-postgres", 15),
    Ratio("one-click", "one-click POST, durable, SQLite", "one-click", "empty-one-click", 2.5),
    Ratio("status", "status by address, SQLite", "status", "empty-status", 6),
)
MOST_P99_MS = 60.0
PACED = ("stop-sqlite", "stop-postgres")  # measured for latency, and killed
LATENCY = "latency"
KILL = "kill"
NAMES = tuple(dict.fromkeys([ratio.name for ratio in RATIOS] + [LATENCY, KILL]))

REFERENCES = {
    "empty-gthread": "empty Flask view, gthread keep-alive",
    "empty-sync": "empty Flask view, sync",
    "empty-one-click": "empty Flask view, gthread keep-alive",
    "empty-status": "empty Flask view, gthread keep-alive",
    "tutorial-sqlite": "Flask, RequestValidator, ORM session and commit a request, SQLite",
    "tutorial-postgres": "Flask, RequestValidator, ORM session and commit a request, PostgreSQL",
}


def chosen(only: tuple[str, ...]) -> tuple[list[Ratio], list[str]]:
    """Return the figures of these names, all when none is given, and the setups that they need."""
    ratios = [ratio for ratio in RATIOS if not only or ratio.name in only]
    names = {name for ratio in ratios for name in (ratio.setup, ratio.against)}
    if not only or LATENCY in only:
        names |= set(PACED)
    return ratios, sorted(names | {CEILING})
