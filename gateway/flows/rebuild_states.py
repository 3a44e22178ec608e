"""Writes the rows of states anew from the ledger, where they say something else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Engine, delete, insert
from sqlalchemy.exc import DBAPIError

from gateway.consent.address import Address, subject_of
from gateway.consent.chain import Fault
from gateway.errors import CallerError, OurTroubleError
from gateway.flows.verify_subject import Checked, Head, address_faults, check_subject, expected_rows
from gateway.keys import Keys
from gateway.store.engine import writing
from gateway.store.ledger_scan import holding_of, holdings
from gateway.store.snapshot import any_text, as_trouble, repeatable
from gateway.store.statements import STATE_COLUMNS, Row
from gateway.store.tables import states

_TRIES = 5
_SCOPE = STATE_COLUMNS.index("scope")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many subjects were written anew, and why others could not be, or not wholly."""

    rewritten: int
    refused: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """What the operator vouches for.

    `events`: those that are there are all there were, so a head that does not fit may be made anew. This
    takes away the trace of a cut tail, so ask the checkpoints first. `addresses`: by subject, for rows of
    scope `*` that are lost or altered, since the ledger itself holds no address.
    """

    events: bool = False
    addresses: Mapping[bytes, Address] = field(default_factory=dict)


_NO_TRUST = Trust()


def rebuild_states(
    engine: Engine, keys: Keys, *, subjects: Iterable[bytes] | None = None, trust: Trust = _NO_TRUST
) -> Rebuilt:
    """Make the states of these subjects, or of all, follow from their events again, byte for byte.

    A subject whose events are altered or missing is refused and left as it is: its states may be the better
    witness. Each subject is a transaction of its own, and only those that differ are written. A message
    that came in at that very moment may write back what stood there: verify afterwards. Raises
    `CallerError` for an address that is not the subject's, `OurTroubleError` when the database fails.
    """
    for subject, address in trust.addresses.items():
        if subject_of(address, keys.subject) != subject:
            raise CallerError("an address was given for a subject that is not its own")
    rewritten = 0
    refused: list[Fault] = []
    for subject in _faulty(engine, keys) if subjects is None else subjects:
        changed, faults = _rebuild(engine, keys, subject, trust)
        rewritten += changed
        refused.extend(faults)
    return Rebuilt(rewritten, tuple(refused))


def _faulty(engine: Engine, keys: Keys) -> Iterator[bytes]:
    return (holding.subject for holding in holdings(engine) if check_subject(holding, keys).faults)


def _rebuild(engine: Engine, keys: Keys, subject: bytes, trust: Trust) -> tuple[bool, list[Fault]]:
    with as_trouble("the states could not be written"):
        for _ in range(_TRIES):
            try:
                with writing(repeatable(engine)) as connection, any_text(connection):
                    return _rebuild_in(connection, keys, subject, trust)
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
                # Else somebody wrote to this subject meanwhile: look again.
    raise OurTroubleError("too many writers on the same person")


def _rebuild_in(connection: Connection, keys: Keys, subject: bytes, trust: Trust) -> tuple[bool, list[Fault]]:
    holding = holding_of(connection, subject)
    checked = check_subject(holding, keys)
    head = _head(checked, trust.addresses.get(subject))
    refusals = list(_refusals(subject, checked, trust))
    if refusals or head is None:
        return False, refusals or [Fault(subject, None, "its address is lost: give it to rebuild")]
    rows = expected_rows(subject, checked.retold, head)
    changed = {row[_SCOPE]: row for row in holding.states} != {row[_SCOPE]: row for row in rows}
    if changed or holding.faults:
        _replace(connection, subject, rows)
    return changed or bool(holding.faults), list(address_faults(subject, head, checked.retold, keys))


def _head(checked: Checked, given: Address | None) -> Head | None:
    """Return the head as the events have it, with the address that stands or is given."""
    person, found = checked.retold.person, checked.head
    if given is not None:
        prior_seq = None if found is None else found.prior_seq
        return Head(person.last_seq, prior_seq, person.head, given.channel, given.value)
    return None if found is None else replace(found, last_seq=person.last_seq, head=person.head)


def _refusals(subject: bytes, checked: Checked, trust: Trust) -> Iterator[Fault]:
    person, head = checked.retold.person, checked.head
    yield from (fault for fault in checked.faults if fault.seq is not None)
    if not checked.retold.events:
        yield Fault(subject, None, "has no event to rebuild from")
    elif trust.events:
        return
    elif head is None or (head.last_seq, head.head) != (person.last_seq, person.head):
        yield Fault(subject, None, "its head does not follow from its events, and nobody vouches for them")


def _replace(connection: Connection, subject: bytes, rows: list[Row]) -> None:
    connection.execute(delete(states).where(states.c.subject == subject))
    connection.execute(insert(states), [dict(zip(STATE_COLUMNS, row, strict=True)) for row in rows])
