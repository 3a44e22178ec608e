"""The configured programs, seen from the two sides that ask: a sender that gets a message, and a decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.consent import scope
from gateway.consent.choice import Choice, Purpose
from gateway.consent.decision import ProgramRule
from gateway.errors import CallerError
from gateway.keywords.interpreter import Interpreter, Reader
from gateway.keywords.programs import ProgramWords
from gateway.keywords.reading import Reach, Reading
from gateway.keywords.source import Source
from gateway.keywords.texts import Texts
from gateway.settings import ProgramSettings, StopScope, Unclear

_MICROSECONDS_AN_HOUR = 3_600_000_000
# Asked about as a whole: no program is configured, or the question is about all of them.
_ALL = ProgramRule(scope.ALL, Purpose.MARKETING, Choice.NO, (scope.ALL,))


class UnknownProgramError(CallerError):
    """No program has this slug."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that the programs of one sender say about a message to it."""

    sender: str
    reader: Reader
    programs: Mapping[str, ProgramSettings]
    texts: Texts
    opt_out_scope: str
    opt_in_scope: str
    double_opt_in: int | None = None  # microseconds for which a pending opt-in waits; None: none needed
    marketing: tuple[str, ...] = ()  # the programs whose messages are advertising
    asks: bool = True  # whether who writes unclearly is asked
    ends_on_refusal: bool = True  # whether a hostile answer ends messages

    def scope_of_opt_out(self, reading: Reading) -> str:
        """Return what an opt-out covers: as far as its words reach, else as the programs' settings say."""
        if reading.reach is Reach.ALL:
            return scope.ALL
        if reading.reach is Reach.NAMED and reading.program is not None:
            return reading.program
        if reading.reach is Reach.MARKETING and self.marketing:
            return scope.join(self.marketing)
        return self.opt_out_scope

    def scope_of_opt_in(self, reading: Reading) -> str:
        """Return what an opt-in covers: the named program, else the programs that are here now."""
        if reading.reach is Reach.NAMED and reading.program is not None:
            return reading.program
        return self.opt_in_scope


@dataclass(slots=True)
class ProgramBook:
    """All programs. Built once at start; raises `ConfigurationError` when their words clash."""

    programs: Mapping[str, ProgramSettings]
    interpreter: Interpreter
    source: Source | None = None  # the file that configures them, for messages
    rules: dict[str, ProgramRule] = field(init=False)
    _desks: dict[str, Desk] = field(init=False)
    _other: Reader = field(init=False)
    _texts: Texts = field(init=False)

    def __post_init__(self) -> None:
        self._texts = self.interpreter.texts
        self.rules = {slug: self._rule(slug, program) for slug, program in self.programs.items()}
        senders = {sender for program in self.programs.values() for sender in program.senders}
        self._desks = {sender: self._desk(sender) for sender in sorted(senders)}
        self._other = self.interpreter.for_programs(())

    def desk(self, sender: str) -> Desk:
        """Return the desk of a sender.

        A sender that no program names still takes a STOP, and then for everything: we cannot know what it
        sends, and a STOP that stops too much costs less than one that stops too little.
        """
        found = self._desks.get(sender)
        return found or Desk(
            sender, self._other, {}, self._texts, opt_out_scope=scope.ALL, opt_in_scope=scope.ALL
        )

    def rule(self, slug: str) -> ProgramRule:
        """Return the rule of a program, `*` being all of them; raise `UnknownProgramError`."""
        if slug == scope.ALL:
            return _ALL
        if slug not in self.rules:
            known = ", ".join(sorted(self.rules)) or "none"
            raise UnknownProgramError(f"no program {slug!r}: configured are {known}")
        return self.rules[slug]

    def name(self, slug: str) -> str | None:
        """Return the shown name of a program, None for all programs; a program that is gone keeps its slug."""
        if slug == scope.ALL:
            return None
        return self.programs[slug].name if slug in self.programs else slug

    def _rule(self, slug: str, program: ProgramSettings) -> ProgramRule:
        binding = (scope.of_sender(sender) for sender in program.senders if self._binds(sender, program))
        return ProgramRule(slug, program.purpose, program.default_choice, (scope.ALL, *binding, slug))

    def _binds(self, sender: str, program: ProgramSettings) -> bool:
        """Tell whether a STOP to the sender binds the program: not a marketing STOP a transactional one."""
        if _stops(program):
            return True
        return all(other.purpose is not Purpose.MARKETING for other in self._of(sender).values())

    def _of(self, sender: str) -> dict[str, ProgramSettings]:
        return {slug: program for slug, program in self.programs.items() if sender in program.senders}

    def _desk(self, sender: str) -> Desk:
        programs = self._of(sender)
        opt_out = _broadest(sender, programs)
        waits = [program.double_opt_in_hours for program in programs.values() if program.double_opt_in]
        return Desk(
            sender,
            self.interpreter.for_programs(
                [_words(slug, program, self.source) for slug, program in programs.items()]
            ),
            programs,
            self._texts,
            opt_out_scope=opt_out,
            # The broad scope lifts an earlier STOP, the slugs are the consent to what is here today.
            opt_in_scope=scope.join([*scope.split(opt_out), *programs]),
            double_opt_in=min(waits) * _MICROSECONDS_AN_HOUR if waits else None,
            marketing=tuple(slug for slug, each in programs.items() if each.purpose is Purpose.MARKETING),
            asks=all(each.unclear is Unclear.ASK for each in programs.values()),
            ends_on_refusal=all(each.refusals_end for each in programs.values()),
        )


def _broadest(sender: str, programs: Mapping[str, ProgramSettings]) -> str:
    """Return the scope of a STOP: where programs differ, the one that stops most."""
    wanted = {program.stop_scope for program in programs.values()}
    if StopScope.ALL in wanted:
        return scope.ALL
    if StopScope.SENDER in wanted:
        return scope.of_sender(sender)
    marketing = [slug for slug, program in programs.items() if _stops(program)]
    return scope.join(marketing or programs)


def _stops(program: ProgramSettings) -> bool:
    """Tell whether a STOP to marketing stops the program."""
    return program.purpose is Purpose.MARKETING or program.stops_with_marketing


def _words(slug: str, program: ProgramSettings, source: Source | None) -> ProgramWords:
    return ProgramWords(
        slug=slug,
        name=program.name,
        languages=program.languages,
        keywords={
            "opt_out": program.keywords.opt_out,
            "opt_in": program.keywords.opt_in,
            "help": program.keywords.help,
        },
        words=program.words,
        source=source,
    )
