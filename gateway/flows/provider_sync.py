"""The ledger and the lists that providers keep by themselves: what they are told, what is taken over from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.consent import scope
from gateway.consent.address import Address, Channel, subject_of
from gateway.consent.choice import Choice
from gateway.consent.entry import Entry, Result
from gateway.consent.event import Source
from gateway.consent.state import States
from gateway.errors import CallerError
from gateway.flows.listing import Listing
from gateway.keywords.reading import ReadingClass
from gateway.programs import ProgramBook
from gateway.providers.account import AccountSettings
from gateway.providers.base import Provider
from gateway.providers.opt_outs import ListEntry, ListUnavailableError, OptOutList
from gateway.store.reader import NOTHING, Reader
from gateway.store.recorder import Recorder
from gateway.store.syncs import SyncItem, Syncs


class NoListError(CallerError):
    """The provider has no list, or none that can be read."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One person at one sender who is out, there or here. `seq` is of our own word, 0 without one."""

    subject: bytes
    sender: str
    address: Address | None = field(repr=False)
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the ledger and a list are apart, person by person and sender by sender."""

    only_there: Sequence[Listed]
    only_here: Sequence[Listed]
    both: int


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the flow works with."""

    accounts: Mapping[str, AccountSettings]
    providers: Mapping[str, Provider]
    book: ProgramBook
    reader: Reader
    recorder: Recorder
    syncs: Syncs
    subject_key: bytes = field(repr=False)


class ProviderSync:
    """The use case; one for all accounts."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._listing = Listing(rooms.accounts, rooms.book)

    def pushed_list(self, account: str) -> OptOutList | None:
        """Return the list of an account that is to be told, None when it is not, or cannot be."""
        settings, provider = self._rooms.accounts.get(account), self._rooms.providers.get(account)
        if settings is None or provider is None or not settings.sync.pushes:
            return None
        return provider.opt_outs if can_push(provider) else None

    def pulled(self) -> Iterator[str]:
        """Yield the accounts whose lists are to be taken over, and can be."""
        for name, settings in self._rooms.accounts.items():
            found = self._rooms.providers[name].opt_outs
            if settings.sync.pulls and found is not None and found.can_pull:
                yield name

    def entries(self, items: Sequence[SyncItem]) -> list[ListEntry | None]:
        """Return what the provider is to be told about each person as of now, None where there is nothing to tell.

        Raises `OurTroubleError`.
        """
        persons = self._rooms.reader.persons([item.subject for item in items])
        return [self._entry(item, persons.get(item.subject, NOTHING).states) for item in items]

    def take_over(self, account: str, now: int) -> Iterator[int]:
        """Record the opt-outs of an account's list, and yield after each page how many were new.

        Consents on it are not taken over: a provider's word is no proof of one. Raises `ListUnavailableError`
        and `OurTroubleError`.
        """
        for page in _pages(self._readable(account)):
            yield self._record(account, page, now)

    def drift(self, account: str) -> Drift:
        """Compare an account's list with the ledger. Raises `ListUnavailableError` and `OurTroubleError`."""
        there: dict[tuple[bytes, str], Listed] = {}
        for page in _pages(self._readable(account)):
            for entry in page:
                there |= {(found.subject, found.sender): found for found in self._there(account, entry)}
        here: dict[tuple[bytes, str], Listed] = {}
        for listed in self.here(account):
            here[listed.subject, listed.sender] = listed
        return Drift(
            only_there=[there[key] for key in there if key not in here],
            only_here=[here[key] for key in here if key not in there],
            both=len(there.keys() & here.keys()),
        )

    def here(self, account: str) -> Iterator[Listed]:
        """Yield who is out at a sender of the account by the ledger. Raises `OurTroubleError`."""
        senders = self._listing.senders(account)
        scopes = sorted({key for sender in senders for key in self._listing.scopes(sender)})
        for chunk in self._rooms.syncs.opted_out(scopes):
            persons = self._rooms.reader.persons([subject for subject, _ in chunk])
            for subject, address in chunk:
                for sender in senders:
                    standing = self._listing.standing(sender, persons.get(subject, NOTHING).states)
                    if standing is not None and standing.is_out:
                        yield Listed(subject, sender, address, standing.word.seq)

    def ask(self, account: str, listed: Sequence[Listed], now: int) -> int:
        """Ask for the provider to be told of these persons; return how many. Raises `OurTroubleError`."""
        rows = [(each.subject, account, each.sender, each.seq) for each in listed if each.address is not None]
        return self._rooms.syncs.ask(rows, now)

    def _readable(self, account: str) -> OptOutList:
        provider = self._rooms.providers.get(account)
        if provider is None:
            raise NoListError(f"no account is named {account}")
        found = provider.opt_outs
        if found is None:
            raise NoListError(
                f"the provider of {account} has no interface to its list, or lacks credentials for it"
            )
        if not found.can_pull:
            raise NoListError(f"the list of the provider of {account} can be written and not read")
        return found

    def _entry(self, item: SyncItem, states: States) -> ListEntry | None:
        standing = self._listing.standing(item.sender, states)
        if item.address is None or standing is None:
            return None
        if not standing.is_out and not self._rooms.accounts[item.account].sync_opt_ins:
            return None
        return ListEntry(item.address, item.sender, opted_out=standing.is_out, at=standing.word.said_at)

    def _there(self, account: str, entry: ListEntry) -> list[Listed]:
        if not entry.opted_out or entry.address.channel is not Channel.SMS:
            return []
        subject = subject_of(entry.address, self._rooms.subject_key)
        senders = (entry.sender,) if entry.sender else self._listing.senders(account)
        return [Listed(subject, sender, entry.address) for sender in senders]

    def _record(self, account: str, page: Sequence[ListEntry], now: int) -> int:
        found = [(entry, self._there(account, entry)) for entry in page]
        subjects = sorted({listed.subject for _, each in found for listed in each})
        persons = self._rooms.reader.persons(subjects)
        tickets = [
            self._rooms.recorder.stage(self._event(account, entry, listed, now))
            for entry, each in found
            for listed in each
            if self._is_news(entry, listed, persons.get(listed.subject, NOTHING).states)
        ]
        return sum(ticket.outcome().result is Result.RECORDED for ticket in tickets)

    def _is_news(self, entry: ListEntry, listed: Listed, states: States) -> bool:
        """Tell whether the list says more than the ledger: who is out already, by a word as new, is out."""
        standing = self._listing.standing(listed.sender, states)
        if standing is None or not standing.is_out:
            return True
        return entry.at is not None and entry.at > standing.word.said_at

    def _event(self, account: str, entry: ListEntry, listed: Listed, now: int) -> Entry:
        # Of an unknown time the opt-out wins: the provider would not deliver anyway.
        said_at = now if entry.at is None else min(entry.at, now)
        return Entry(
            address=entry.address,
            subject=listed.subject,
            account=account,
            message_id=f"list:{listed.sender}:{said_at}",
            klass=ReadingClass.OPT_OUT,
            choice=Choice.NO,
            scope=self._rooms.book.desk(listed.sender).opt_out_scope if listed.sender else scope.ALL,
            sender=listed.sender,
            source=Source.PROVIDER,
            rule="provider_list@1",
            said_at=said_at,
            received_at=now,
            only_if_new=True,
        )


def can_push(provider: Provider) -> bool:
    """Tell whether the provider has a list that can be written, and we may."""
    found = provider.opt_outs
    return found is not None and found.batch > 0


def _pages(found: OptOutList) -> Iterator[Sequence[ListEntry]]:
    """Yield the pages of a list. A provider whose cursor does not move would keep us for ever."""
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        page = found.pull(cursor)
        yield page.entries
        cursor = page.following
        if cursor is None:
            return
        if cursor in seen:
            raise ListUnavailableError("the list goes round in a circle")
        seen.add(cursor)
