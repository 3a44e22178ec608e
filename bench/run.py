"""`make bench`: measures every figure that the documentation claims, with its reference beside it.

Setups are shuffled in each round, so that a slow minute of the machine hits all of them alike; only ratios
within one run mean anything. Exits with 1 when a figure is missed or anything was lost.
"""

import argparse
import json
import random
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import wrk
from databases import Databases, NoServerError, PostgresDatabases, SqliteDatabases, alone
from kill import kill_round
from machine import is_calm, machine, sync_milliseconds, versions
from measure import Range
from report import Results, faults, markdown
from setups import KILL, LATENCY, NAMES, PACED, SETUPS, Ratio, Store, chosen

_OUT = Path(__file__).with_name("out")


def main() -> int:
    """Measure, print, and return the exit status."""
    options = _options()
    try:
        found = {"wrk": wrk.version()}
    except wrk.NoGeneratorError as error:
        sys.exit(str(error))
    if not is_calm():
        print("The machine is busy: figures will be lower and less steady than they are.", file=sys.stderr)
    results = Results(machine(), versions() | found, vars(options) | {"json": str(options.json)})
    with alone(_OUT):
        engines = _engines(options.subjects, results)
        ratios, setups = chosen(tuple(options.only))
        ratios = [ratio for ratio in ratios if _is_possible(ratio.setup, engines)]
        setups = [name for name in setups if _is_possible(name, engines)]
        with (
            tempfile.TemporaryDirectory(dir=_OUT, prefix="run-") as folder,
            Range(Path(folder), engines, port=_free_port(), seconds=options.seconds) as ground,
        ):
            _measure(ground, setups, options, results)
    return _publish(results, ratios, options.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each setup runs (5)")
    parser.add_argument(
        "--seconds", type=int, default=4, help="seconds of each run, after a second of warmth (4)"
    )
    parser.add_argument(
        "--subjects", type=int, default=1_000_000, help="people whom the gateway knows (1000000)"
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=[], help="only these figures")
    parser.add_argument("--json", type=Path, help="where to write the results (bench/out/TIME.json)")
    return parser.parse_args()


def _free_port() -> int:
    """Return a port below those that clients get by themselves, and that nobody listens on."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    sys.exit("No free port.")


def _engines(subjects: int, results: Results) -> dict[Store, Databases]:
    engines: dict[Store, Databases] = {Store.SQLITE: SqliteDatabases(_OUT, subjects)}
    try:
        postgres = PostgresDatabases(_OUT, subjects)
    except NoServerError as error:
        print(f"Without the figures on PostgreSQL: {error}", file=sys.stderr)
    else:
        engines[Store.POSTGRES] = postgres
        results.postgres = postgres.settings()
    for databases in engines.values():
        databases.prepare()
    return engines


def _is_possible(setup: str, engines: dict[Store, Databases]) -> bool:
    return SETUPS[setup].store in (Store.NONE, *engines)


def _measure(ground: Range, setups: Sequence[str], options: argparse.Namespace, results: Results) -> None:
    paced = [name for name in PACED if _is_possible(name, ground.engines)]
    for number in range(1, options.rounds + 1):
        results.syncs.append(sync_milliseconds(ground.folder))
        for name in random.sample(list(setups), len(setups)):
            sample = ground.sample(name)
            results.samples.append(sample)
            _tell(f"round {number}  {name:18}{sample.rate:10,.0f}/s")
    for number in range(1, options.rounds + 1) if _is_wanted(LATENCY, options) else ():
        for name in random.sample(paced, len(paced)):
            pace = ground.pace(name, results.rate(name) / 2)
            results.paces.append(pace)
            _tell(f"round {number}  {name:18}{pace.p99:10,.1f} ms p99 at {pace.rate:,.0f}/s")
    for name in paced if _is_wanted(KILL, options) else ():
        killing = kill_round(ground, name)
        results.killings.append(killing)
        _tell(f"kill     {name:18}{killing.lost:10} lost of {killing.acknowledged:,}")


def _is_wanted(name: str, options: argparse.Namespace) -> bool:
    return not options.only or name in options.only


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _publish(results: Results, ratios: Sequence[Ratio], path: Path | None) -> int:
    path = path or _OUT / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
    path.write_text(json.dumps(results.as_json(ratios), indent=1) + "\n")
    print(markdown(results, ratios))
    found = faults(results, ratios)
    for fault in found:
        _tell(f"! {fault}")
    _tell(f"Written to {path}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
