"""What one process of the gateway holds, made once from the settings: the rooms get their parts from here."""

from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.consent.person import ReplyLimits
from gateway.keys import Keys
from gateway.keywords.interpreter import Interpreter
from gateway.mail.tokens import LinkTokens
from gateway.metrics import Metrics
from gateway.net.outgoing import Web
from gateway.programs import ProgramBook
from gateway.providers.base import Provider
from gateway.providers.registry import build
from gateway.settings import Settings
from gateway.store.engine import open_engine
from gateway.store.ledger import LedgerRules
from gateway.store.reader import Reader
from gateway.store.recorder import Recorder

_MICROSECONDS_A_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class House:
    """The parts. `engine` opens no connection before it is used, so a house may be made before a fork."""

    settings: Settings
    keys: Keys
    book: ProgramBook
    providers: dict[str, Provider]
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
    net = Web()
    return House(
        settings=settings,
        keys=keys,
        book=ProgramBook(settings.programs, Interpreter.shipped()),
        providers={name: build(account, net) for name, account in settings.accounts.items()},
        engine=engine,
        recorder=Recorder(
            engine, _rules(settings, keys), group_limit=settings.limits.group, observer=metrics
        ),
        reader=Reader(engine),
        links=LinkTokens(keys.links),
        metrics=metrics,
    )


def _engine(settings: Settings) -> Engine:
    database = settings.database
    return open_engine(
        database.url.get_secret_value(),
        timeout_ms=database.statement_timeout_ms,
        cache_mib=database.sqlite_cache_mib,
        pool_size=database.pool_size,
    )


def _rules(settings: Settings, keys: Keys) -> LedgerRules:
    replies = settings.replies
    return LedgerRules(
        key=keys.ledger,
        limits=ReplyLimits(replies.window_minutes * _MICROSECONDS_A_MINUTE, replies.per_day),
        reply_max_age=replies.max_age_minutes * _MICROSECONDS_A_MINUTE,
    )
