"""Whom a provider's own list of opt-outs concerns: which events it must be told of. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.consent import scope
from gateway.consent.address import Channel
from gateway.consent.choice import Choice
from gateway.consent.event import Event, Source


@dataclass(frozen=True, slots=True)
class ListedSender:
    """A sender whose account has its provider's list kept in step. `scopes`: those whose words bind it."""

    account: str
    sender: str
    scopes: frozenset[str]
    opt_ins: bool = False  # consents are told too


def concerned(event: Event, channel: Channel, listed: Sequence[ListedSender]) -> list[ListedSender]:
    """Return the senders whose list may have to change after the event.

    A word that came from a list is no news to it. The lists are of phone numbers that get SMS.
    """
    if event.choice not in {Choice.YES, Choice.NO} or channel is not Channel.SMS:
        return []
    covered = frozenset(scope.split(event.scope))
    return [
        each
        for each in listed
        if covered & each.scopes
        and (event.choice is Choice.NO or each.opt_ins)
        and not (event.source == Source.PROVIDER and event.account == each.account)
    ]
