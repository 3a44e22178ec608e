"""What a process does that is no server, and asks the same database by the same flow."""

from pathlib import Path

from gateway.configuration.loading import load
from gateway.consent.address import Channel
from gateway.flows.check import Checks
from gateway.house import build_house

_checks: list[Checks] = []


def prepare(config: str) -> None:
    """Open the database that a settings file names, once a process."""
    house = build_house(load(Path(config), {}))
    _checks.append(Checks(house.reader, house.book, house.keys.subject))


def is_allowed(number: str) -> bool:
    """Tell whether the number may get offers now."""
    (result,) = _checks[0].check([number], Channel.SMS, "offers")
    return result.allowed
