"""What one process of the gateway holds, made once from the settings: the rooms get their parts from here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from gateway.configuration.languages import interpreter_of
from gateway.configuration.outgoing import OutgoingSettings
from gateway.consent.listed import ListedSender
from gateway.consent.person import ReplyLimits
from gateway.errors import ConfigurationError
from gateway.flows.forward_request import Targets
from gateway.flows.listing import Listing
from gateway.flows.provider_sync import ProviderSync, Rooms, can_push
from gateway.keys import Keys
from gateway.mail.tokens import LinkTokens
from gateway.metrics import Metrics
from gateway.net.addresses import Inside
from gateway.net.guard import Guard
from gateway.net.outgoing import Outgoing, Route, Web
from gateway.programs import ProgramBook
from gateway.providers.base import Provider
from gateway.providers.registry import build
from gateway.settings import Settings
from gateway.store.engine import open_engine
from gateway.store.ledger import LedgerRules
from gateway.store.reader import Reader
from gateway.store.recorder import Recorder
from gateway.store.syncs import Syncs

_MICROSECONDS_A_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class House:
    """The parts. `engine` opens no connection before it is used, so a house may be made before a fork."""

    settings: Settings
    keys: Keys
    book: ProgramBook
    providers: dict[str, Provider]
    net: Outgoing
    targets: Targets
    engine: Engine
    recorder: Recorder
    reader: Reader
    links: LinkTokens
    metrics: Metrics

    def close(self) -> None:
        """Give back what is open."""
        self.recorder.close()
        self.reader.close()
        self.engine.dispose()


def build_house(settings: Settings) -> House:
    """Make the parts; raise `ConfigurationError` when they do not fit together."""
    keys = Keys.of(settings.keys)
    engine = _engine(settings)
    metrics = Metrics()
    inside = Inside.of(settings.outgoing.allow)
    net = Web(_route(settings.outgoing, inside))
    book = ProgramBook(settings.programs, interpreter_of(settings), settings.source)
    providers = {name: build(account, net) for name, account in settings.accounts.items()}
    rules = _rules(settings, keys, _listed(settings, providers, book))
    return House(
        settings=settings,
        keys=keys,
        book=book,
        providers=providers,
        net=net,
        targets=Targets(settings.accounts, inside),
        engine=engine,
        recorder=Recorder(engine, rules, group_limit=settings.limits.group, observer=metrics),
        reader=Reader(engine),
        links=LinkTokens(keys.links),
        metrics=metrics,
    )


def provider_sync_of(house: House) -> ProviderSync:
    """Return the flow that keeps providers' lists in step."""
    return ProviderSync(
        Rooms(
            accounts=house.settings.accounts,
            providers=house.providers,
            book=house.book,
            reader=house.reader,
            recorder=house.recorder,
            syncs=Syncs(house.engine),
            subject_key=house.keys.subject,
        )
    )


def _listed(
    settings: Settings, providers: Mapping[str, Provider], book: ProgramBook
) -> tuple[ListedSender, ...]:
    """Return the senders whose providers are told of words; none costs nothing."""
    pushing = [name for name, account in settings.accounts.items() if account.sync.pushes]
    able = [name for name in pushing if can_push(providers[name])]
    return Listing(settings.accounts, book).told(able) if able else ()


def _route(settings: OutgoingSettings, inside: Inside) -> Route:
    if settings.ca_file is not None and not Path(settings.ca_file).is_file():
        raise ConfigurationError(f"outgoing.ca_file: there is no file {settings.ca_file}: name a PEM file")
    proxy = None if settings.proxy is None else settings.proxy.get_secret_value()
    return Route(Guard(inside), proxy, settings.ca_file)


def _engine(settings: Settings) -> Engine:
    database = settings.database
    return open_engine(
        database.url.get_secret_value(),
        timeout_ms=database.statement_timeout_ms,
        cache_mib=database.sqlite_cache_mib,
        pool_size=database.pool_size,
    )


def _rules(settings: Settings, keys: Keys, listed: tuple[ListedSender, ...]) -> LedgerRules:
    replies = settings.replies
    return LedgerRules(
        key=keys.ledger,
        limits=ReplyLimits(replies.window_minutes * _MICROSECONDS_A_MINUTE, replies.per_day),
        reply_max_age=replies.max_age_minutes * _MICROSECONDS_A_MINUTE,
        listed=listed,
    )
