"""Checks that the ledger is as it was written: every row of events, states and checkpoints."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from gateway.consent.chain import Fault
from gateway.consent.checkpoint import CheckpointFault
from gateway.flows.verify_checkpoints import check_checkpoints, read_exported
from gateway.flows.verify_subject import check_subject
from gateway.keys import Keys
from gateway.store.ledger_scan import holdings

# subjects and events checked so far
Progress = Callable[[int, int], None]

_MOST_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of the ledger found. `unlisted` counts the faults beyond the first ten thousand."""

    faults: tuple[Fault | CheckpointFault, ...]
    subjects: int
    events: int
    checkpoints: int
    unlisted: int = 0

    @property
    def is_intact(self) -> bool:
        """Tell whether everything is as it was written."""
        return not self.faults


class _Findings:
    """Counts, and faults up to a limit: under a wrong key every single event is one."""

    def __init__(self) -> None:
        self.faults: list[Fault | CheckpointFault] = []
        self.subjects = self.events = self.checkpoints = self.unlisted = 0

    def add(self, fault: Fault | CheckpointFault) -> None:
        if len(self.faults) < _MOST_LISTED:
            self.faults.append(fault)
        else:
            self.unlisted += 1

    def report(self) -> Report:
        return Report(tuple(self.faults), self.subjects, self.events, self.checkpoints, self.unlisted)


def verify_ledger(
    engine: Engine, keys: Keys, *, checkpoint_file: Path | None = None, progress: Progress | None = None
) -> Report:
    """Check every subject and every checkpoint, in bounded memory, while others may write.

    `checkpoint_file` holds checkpoints exported earlier; without it the loss of the newest ones is not
    seen. Raises `CallerError` when the file is none of ours, `OurTroubleError` when the database cannot be
    read.
    """
    exported = None if checkpoint_file is None else read_exported(checkpoint_file)
    findings = _Findings()
    for fault in _subject_faults(engine, keys, findings, progress or _silent):
        findings.add(fault)
    for found in check_checkpoints(engine, keys.ledger, exported):
        if found is None:
            findings.checkpoints += 1
        else:
            findings.add(found)
    return findings.report()


def _subject_faults(engine: Engine, keys: Keys, findings: _Findings, progress: Progress) -> Iterator[Fault]:
    for holding in holdings(engine):
        checked = check_subject(holding, keys)
        findings.subjects += 1
        findings.events += checked.retold.events
        yield from checked.faults
        progress(findings.subjects, findings.events)


def _silent(_subjects: int, _events: int) -> None:
    """Show nothing."""
