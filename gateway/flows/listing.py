"""Which senders of which accounts have a list at their provider, and where a person stands at one of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.consent import scope
from gateway.consent.address import normal_sender
from gateway.consent.choice import Choice
from gateway.consent.listed import ListedSender
from gateway.consent.state import State, States
from gateway.programs import ProgramBook
from gateway.providers.account import AccountSettings

_LONGEST_SENDER_ID = (
    11  # 3GPP TS 23.040 section 9.1.2.5: an alphanumeric address; longer ones are mail domains
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands at a sender, by the word that decides it."""

    is_out: bool
    word: State


class Listing:
    """The senders of all accounts, as their providers' lists know them."""

    def __init__(self, accounts: Mapping[str, AccountSettings], book: ProgramBook) -> None:
        self._accounts = accounts
        self._book = book
        self._named = {
            name: tuple(normal_sender(sender) for sender in account.senders)
            for name, account in accounts.items()
        }

    def senders(self, account: str) -> tuple[str, ...]:
        """Return the senders of an account: those that it names, else all that no other account names.

        Without any, "": the whole account.
        """
        if self._named[account]:
            return self._named[account]
        elsewhere = {sender for senders in self._named.values() for sender in senders}
        programs = self._book.programs.values()
        own = {sender for program in programs for sender in program.senders if _sends_sms(sender)}
        return tuple(sorted(own - elsewhere)) or ("",)

    def scopes(self, sender: str) -> tuple[str, ...]:
        """Return the scopes whose words bind a sender, "" being all of them."""
        return (
            (scope.ALL, scope.of_sender(sender), *self._book.desk(sender).programs)
            if sender
            else (scope.ALL,)
        )

    def told(self, pushing: Iterable[str]) -> tuple[ListedSender, ...]:
        """Return the senders of those accounts whose providers are told of words."""
        return tuple(
            ListedSender(name, sender, frozenset(self.scopes(sender)), self._accounts[name].sync_opt_ins)
            for name in pushing
            for sender in self.senders(name)
        )

    def standing(self, sender: str, states: States) -> Standing | None:
        """Return where a person stands; None when no word is about the sender as a whole.

        Out is who is out of all its programs, in is who is in one of them and out of none.
        """
        programs: Sequence[str] = tuple(self._book.desk(sender).programs) if sender else ()
        broad = self.scopes(sender)[: 2 if sender else 1]
        words = [_newest((*broad, slug), states) for slug in programs] or [_newest(broad, states)]
        found = [word for word in words if word is not None]
        if found and len(found) == len(words) and all(word.choice is Choice.NO for word in found):
            return Standing(is_out=True, word=max(found, key=lambda word: word.precedence))
        consents = [word for word in found if word.choice is Choice.YES]
        if consents and all(word.choice is not Choice.NO for word in found):
            return Standing(is_out=False, word=max(consents, key=lambda word: word.precedence))
        return None


def _newest(keys: Iterable[str], states: States) -> State | None:
    found = [states[key] for key in keys if key in states]
    return max(found, key=lambda state: state.precedence, default=None)


def _sends_sms(sender: str) -> bool:
    return sender.removeprefix("+").isdecimal() or (len(sender) <= _LONGEST_SENDER_ID and "." not in sender)
