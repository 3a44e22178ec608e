"""Results as tables for people and as JSON for machines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from kill import Killing
from measure import Pace, Sample
from setups import CEILING, MOST_P99_MS, REFERENCES, SETUPS, Ratio

_SHOWN = {
    "Python": "python",
    "Flask": "flask",
    "gunicorn": "gunicorn",
    "SQLite": "sqlite",
    "psycopg": "psycopg",
}
_BOTTLENECK = 0.7  # share of what the generator reaches against a server that does nothing


@dataclass(slots=True)
class Results:
    """Everything that was measured."""

    machine: Mapping[str, str | int | float]
    versions: Mapping[str, str]
    options: Mapping[str, object]
    postgres: Mapping[str, str] = field(default_factory=dict)
    syncs: list[float] = field(default_factory=list)  # milliseconds to the disk, before each round
    samples: list[Sample] = field(default_factory=list)
    paces: list[Pace] = field(default_factory=list)
    killings: list[Killing] = field(default_factory=list)

    def rates(self, setup: str) -> list[float]:
        """Return the rates of a setup, one a round."""
        return [sample.rate for sample in self.samples if sample.setup == setup]

    def rate(self, setup: str) -> float:
        """Return the median of the rates."""
        return median(self.rates(setup))

    def factor(self, ratio: Ratio) -> float:
        """Return how many times as fast the one is as the other."""
        return self.rate(ratio.setup) / self.rate(ratio.against)

    def worst_factor(self, ratio: Ratio) -> float:
        """Return the factor of the round in which it was smallest."""
        pairs = zip(self.rates(ratio.setup), self.rates(ratio.against), strict=True)
        return min(one / other for one, other in pairs)

    def p99(self, setup: str) -> float:
        """Return the median of a setup's 99th percentiles, milliseconds."""
        return median(pace.p99 for pace in self.paces if pace.setup == setup)

    def as_json(self, ratios: Iterable[Ratio]) -> dict[str, object]:
        """Return all of it, with the factors."""
        figures = [asdict(ratio) | {"factor": round(self.factor(ratio), 2)} for ratio in ratios]
        return {"figures": figures, **asdict(self)}


def markdown(results: Results, ratios: Sequence[Ratio]) -> str:
    """Return the tables of the README."""
    parts = [_heading(results), _figures(results, ratios), _rates(results)]
    return "\n\n".join(part for part in parts if part)


def faults(results: Results, ratios: Sequence[Ratio]) -> list[str]:
    """Return everything that makes a result wrong, and every claim that it does not bear out."""
    found = [f"{s.setup}: {s.refused} requests refused" for s in results.samples if s.refused]
    found += [f"{s.setup}: {s.broken} requests without an answer" for s in results.samples if s.broken]
    found += [f"{s.setup}: {s.missing} answered without a row" for s in results.samples if s.missing]
    found += [f"{s.setup}: too few messages prepared, some came twice" for s in results.samples if s.repeated]
    found += [
        f"{p.setup}: {p.unanswered} unanswered at {p.rate:,.0f}/s" for p in results.paces if p.unanswered
    ]
    found += [f"{k.setup}: {k.lost} acknowledged and lost" for k in results.killings if k.lost]
    found += [f"{r.title}: below {r.at_least:g} times" for r in ratios if results.factor(r) < r.at_least]
    late = {pace.setup for pace in results.paces if results.p99(pace.setup) > MOST_P99_MS}
    return found + [f"{setup}: p99 above {MOST_P99_MS:g} ms" for setup in sorted(late)]


def _heading(results: Results) -> str:
    machine, versions, options = results.machine, results.versions, results.options
    shown = {name: versions[key] for name, key in _SHOWN.items()}
    if results.postgres:
        shown["PostgreSQL"] = results.postgres["server_version"]
    names = ", ".join(f"{name} {number}" for name, number in shown.items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores shared by servers, database and load generator; {names}; "
        f"64 KiB reach the disk in {median(results.syncs):.1f} ms "
        f"({min(results.syncs):.1f} to {max(results.syncs):.1f}); "
        f"{options['subjects']:,} people known; {options['rounds']} shuffled rounds of {options['seconds']} s, "
        "fresh server and database for each run; medians, least and most in brackets."
    )


def _figures(results: Results, ratios: Sequence[Ratio]) -> str:
    rows = [["figure", "against", "measured", "worst round", "at least"]]
    for ratio in ratios:
        share = results.rate(ratio.setup) / results.rate(CEILING)
        note = " (*)" if share > _BOTTLENECK else ""
        rows.append(
            [
                ratio.title,
                REFERENCES[ratio.against],
                f"**{results.factor(ratio):.1f}x**{note}",
                f"{results.worst_factor(ratio):.1f}x",
                f"{ratio.at_least:g}x",
            ]
        )
    for setup in _in_order(pace.setup for pace in results.paces):
        paces = [pace for pace in results.paces if pace.setup == setup]
        title = (
            f"p99 latency at {paces[0].rate:,.0f}/s, half of the highest rate, {SETUPS[setup].store.value}"
        )
        worst = max(pace.p99 for pace in paces)
        note = " (*)" if median(pace.generator_cores for pace in paces) > _BOTTLENECK else ""
        rows.append(
            [
                title,
                "",
                f"**{results.p99(setup):.0f} ms**{note}",
                f"{worst:.0f} ms",
                f"at most {MOST_P99_MS:g} ms",
            ]
        )
    for killing in results.killings:
        title = f"acknowledged but lost after SIGKILL, {SETUPS[killing.setup].store.value}"
        rows.append([title, "", f"**{killing.lost}** of {killing.acknowledged:,}", "", "0"])
    return _table(rows)


def _rates(results: Results) -> str:
    rows = [["setup", "connections", "requests/s", "CPU µs a request, web + database", "generator, cores"]]
    for name in _in_order(sample.setup for sample in results.samples):
        samples = [sample for sample in results.samples if sample.setup == name]
        rates = results.rates(name)
        web, database = (
            median(getattr(sample, which) for sample in samples) for which in ("server_us", "database_us")
        )
        rows.append(
            [
                name,
                str(SETUPS[name].connections),
                f"{results.rate(name):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})",
                f"{web:.0f}" + (f" + {database:.0f}" if database else ""),
                f"{median(sample.generator_cores for sample in samples):.2f}",
            ]
        )
    note = (
        f"`{CEILING}` is the least a WSGI application can do under the gateway's own worker: what the load "
        f"generator reaches here. A figure above {_BOTTLENECK:.0%} of it, and a latency for which the generator "
        f"took more than {_BOTTLENECK:g} cores, is marked (*): the generator held it back."
    )
    return _table(rows) + "\n\n" + note


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(set(names), key=list(SETUPS).index)


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
