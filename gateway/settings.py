"""Typed settings. Every field carries its help text; the example file and the reference page come from them.

The models are frozen. Secrets are `SecretStr`, so that neither `repr` nor a dump shows them. Files and the
environment are read by `gateway.configuration.loading`.
"""

from enum import StrEnum
from typing import Literal

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator

from gateway.configuration.accounts import Account
from gateway.configuration.limits import LimitSettings, RetentionSettings
from gateway.configuration.outgoing import OutgoingSettings
from gateway.configuration.replies import ReplySettings
from gateway.configuration.table import Table
from gateway.configuration.values import (
    Bind,
    Contact,
    DatabaseUrl,
    Language,
    LongSecret,
    Mailbox,
    Name,
    PublicUrl,
    Sender,
    Template,
    Words,
    masked_database_url,
    wrong,
)
from gateway.consent.choice import Choice, Purpose
from gateway.keywords.source import Source

SOURCE = "source"  # in a validation's context: the file that the settings come from


class LogLevel(StrEnum):
    """From which level on messages are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class StopScope(StrEnum):
    """What a STOP covers: all programs of the sender, the one program, or all programs."""

    SENDER = "sender"
    PROGRAM = "program"
    ALL = "all"


class EmptyPost(StrEnum):
    """What a one-click POST without its body does: unsubscribe, or show the page."""

    UNSUBSCRIBE = "unsubscribe"
    PAGE = "page"


class ServerSettings(Table):
    """Where the gateway listens and how it is reached."""

    public_url: PublicUrl = Field(
        default="http://127.0.0.1:8080",
        description=(
            "Base URL under which the outside reaches the gateway. Links and provider signatures are made "
            "from it. https, except on this machine; a path is allowed."
        ),
    )
    bind: Bind = Field(
        default="127.0.0.1:8080", description="Address to listen on: HOST:PORT or unix:/PATH of a socket."
    )
    workers: int = Field(default=2, ge=1, le=256, description="Number of web processes.")
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=16,
        description=(
            "Number of proxies in front of the gateway whose X-Forwarded-For is believed. Used only for the "
            "IP address kept as evidence, never to let anyone in."
        ),
    )
    access_log: bool = Field(default=False, description="Log one line for each request, without addresses.")
    log_level: LogLevel = Field(default=LogLevel.INFO, description="Log messages from this level on.")


class DatabaseSettings(Table):
    """Where the ledger is kept."""

    url: DatabaseUrl = Field(
        default=SecretStr("sqlite:///var/gateway.sqlite3"),
        description=(
            "SQLAlchemy URL of the database: sqlite:///PATH (relative to the working directory) or "
            "postgresql://USER:PASSWORD@HOST/NAME."
        ),
    )
    sqlite_cache_mib: int = Field(
        default=64, ge=1, le=65536, description="Page cache of one SQLite connection, in MiB."
    )
    statement_timeout_ms: int = Field(
        default=5000,
        ge=100,
        le=30_000,  # well below the lag after which checkpoints take the ledger as final
        description="A statement that takes longer is given up and the request answered with 503.",
    )
    pool_size: int = Field(
        default=4, ge=1, le=256, description="Connections that one process keeps open to PostgreSQL."
    )

    @property
    def safe_url(self) -> str:
        """The URL with its passwords masked, for logs and pages."""
        return masked_database_url(self.url)


class LinkKey(Table):
    """One key that signs unsubscribe and preferences links."""

    id: str = Field(
        pattern=r"^[A-Za-z0-9]{1,8}$",
        description="Short name of the key; stands in every link made with it. Never reuse one.",
        examples=["k2025"],
    )
    secret: LongSecret = Field(
        description="The key: at least 32 characters from a random source.", examples=["${LINK_KEY_K2025}"]
    )


class KeySettings(Table):
    """Secrets from which the gateway derives its keys."""

    master: LongSecret = Field(
        description=(
            "At least 32 characters from a random source. The keys of subjects and of the ledger are derived "
            "from it: it must never change over the life of a database, and without it a backup is lost."
        ),
        examples=["${GATEWAY_KEYS_MASTER}"],
    )
    links: tuple[LinkKey, ...] = Field(
        default=(),
        description=(
            "Keys of unsubscribe links, newest first: the first signs, all are accepted. Keep old ones for as "
            "long as their links shall work. Empty: one key derived from master."
        ),
    )

    @field_validator("links")
    @classmethod
    def _ids_are_unique(cls, links: tuple[LinkKey, ...]) -> tuple[LinkKey, ...]:
        if len({key.id for key in links}) < len(links):
            raise wrong("has two keys with the same id", "Give each key an id of its own.")
        return links


class Unclear(StrEnum):
    """What is done about a message that may be an opt-out."""

    ASK = "ask"
    IGNORE = "ignore"


class ProgramTexts(Table):
    """Own wording of the replies. {name}, {contact} and {frequency} are filled in."""

    opt_out: Template | None = Field(
        default=None,
        description="Confirms a STOP. Must name the program, say that no more messages come and how to return.",
        examples=["{name}: you are unsubscribed and will get no more messages. Reply START to return."],
    )
    opt_in: Template | None = Field(
        default=None,
        description="Welcomes who has joined. Names the program, frequency, rates, HELP and STOP.",
        examples=["{name}: welcome. {frequency} Msg & data rates may apply. HELP for help, STOP to end."],
    )
    opt_in_pending: Template | None = Field(
        default=None,
        description="Asks for the confirming word of a double opt-in.",
        examples=["{name}: reply YES to confirm that you want our messages. {frequency}"],
    )
    clarify: Template | None = Field(
        default=None,
        description="Asks who wrote unclearly. Must name STOP, START and that without an answer messages end.",
        examples=[
            "{name}: did you mean to leave? Reply STOP to end, START to stay. Without an answer we end."
        ],
    )
    help: Template | None = Field(
        default=None,
        description="Answers HELP. Names the program, the contact, frequency, rates and STOP.",
        examples=["{name}: help at {contact}. {frequency} Msg & data rates may apply. STOP to end."],
    )


class ProgramKeywords(Table):
    """Words of this program, beside those of its languages. They add, and never take away."""

    opt_out: tuple[Words, ...] = Field(
        default=(), description="Further words that opt out, alone in a message.", examples=[["ENOUGH"]]
    )
    opt_in: tuple[Words, ...] = Field(
        default=(), description="Further words that opt in, alone in a message.", examples=[["DEALS"]]
    )
    help: tuple[Words, ...] = Field(
        default=(), description="Further words that ask for help, alone in a message.", examples=[["ASSIST"]]
    )


class ProgramSettings(Table):
    """One stream of messages that a person can join and leave. Programs may share senders."""

    name: str = Field(
        min_length=1,
        max_length=60,
        pattern=r"\S",
        description="Name by which people know the program; stands in every reply.",
        examples=["Acme Offers"],
    )
    purpose: Purpose = Field(description="What its messages are for.", examples=["marketing"])
    default_choice: Literal[Choice.YES, Choice.NO] = Field(
        description=(
            "What silence means: y lets messages go to people who never said anything, n does not. "
            "Shown in every decision that rests on it."
        ),
        examples=["n"],
    )
    senders: tuple[Sender, ...] = Field(
        default=(),
        description=(
            "Numbers in E.164, short codes, alphanumeric ids and mail domains that send for the program."
        ),
        examples=[["+15550100123"]],
    )
    contact: Contact | None = Field(
        default=None,
        description="Toll-free number or mailbox named in the reply to HELP. Required with senders.",
        examples=["help@example.com"],
    )
    frequency: str = Field(
        default="Msg frequency varies.",
        max_length=100,
        description="How often messages come, as the replies say it.",
    )
    rates_note: str = Field(
        default="Msg & data rates may apply.", max_length=100, description="The note on costs in the replies."
    )
    languages: tuple[Language, ...] = Field(
        default=("en",),
        min_length=1,
        description="Languages in which its people write, by code; the first is the language of the replies.",
    )
    stop_scope: StopScope = Field(
        default=StopScope.SENDER,
        description="What a STOP covers: all programs of its sender, this program only, or all programs.",
    )
    stops_with_marketing: bool = Field(
        default=False,
        description=(
            "Transactional programs only: a STOP to marketing on a shared sender stops this program too."
        ),
    )
    unclear: Unclear = Field(
        default=Unclear.ASK,
        description=(
            "What happens when it is not clear whether a person wants to leave: ask (one question; without an "
            "answer messages end, 47 CFR 64.1200(a)(12)), or ignore."
        ),
    )
    refusals_end: bool = Field(
        default=True,
        description="Whether a hostile answer to advertising that names no messages ends them all the same.",
    )
    double_opt_in: bool = Field(
        default=False, description="An opt-in counts only after a confirming word from the same address."
    )
    double_opt_in_hours: int = Field(
        default=24, ge=1, le=8760, description="How long the confirming word is waited for, in hours."
    )
    words: tuple[Words, ...] = Field(
        default=(),
        description="Names by which people may call the program after STOP, beside its name and slug.",
        examples=[["offers", "deals"]],
    )
    texts: ProgramTexts = Field(default_factory=ProgramTexts, description="Own wording of the replies.")
    keywords: ProgramKeywords = Field(default_factory=ProgramKeywords, description="Additional keywords.")

    @field_validator("senders", "languages")
    @classmethod
    def _are_unique(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise wrong("names one twice", "Remove the repetition; numbers are compared in E.164.")
        return values

    @field_validator("contact")
    @classmethod
    def _senders_need_a_contact(cls, contact: str | None, info: ValidationInfo) -> str | None:
        if contact is None and info.data.get("senders"):
            raise wrong(
                "is missing, and the reply to HELP must name it", "Add a toll-free number or a mailbox."
            )
        return contact

    @field_validator("stops_with_marketing")
    @classmethod
    def _is_for_transactional(cls, stops: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's form
        if stops and info.data.get("purpose") is Purpose.MARKETING:
            raise wrong("is for transactional programs only", "Remove it: STOP always stops marketing.")
        return stops


class MailSettings(Table):
    """List-Unsubscribe and mail."""

    unsubscribe_mailto: Mailbox | None = Field(
        default=None,
        description=(
            "Mailbox named beside the link in List-Unsubscribe headers. The subject of what comes there is the "
            "link's token; whoever reads the mailbox must act on it."
        ),
        examples=["unsubscribe@consent.example.com"],
    )
    empty_post: EmptyPost = Field(
        default=EmptyPost.UNSUBSCRIBE,
        description=(
            "What a POST to an unsubscribe link does when it lacks RFC 8058's List-Unsubscribe=One-Click: "
            "unsubscribe, since there are mail programs that forget it, or show the page."
        ),
    )


class InterpreterSettings(Table):
    """How messages are read."""

    languages: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Folder of own language files, *.toml (relative to the working directory), read at start. One of a "
            "known language adds to it, one of a new language makes it known."
        ),
        examples=["config/languages"],
    )


class Settings(Table):
    """All settings of one gateway."""

    _source: Source | None = PrivateAttr(default=None)

    server: ServerSettings = Field(default_factory=ServerSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    keys: KeySettings
    accounts: dict[Name, Account] = Field(
        default_factory=dict, description="Connections to providers: [accounts.NAME]."
    )
    programs: dict[Name, ProgramSettings] = Field(
        default_factory=dict, description="Streams of messages that people join and leave: [programs.SLUG]."
    )
    mail: MailSettings = Field(default_factory=MailSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    outgoing: OutgoingSettings = Field(default_factory=OutgoingSettings)
    replies: ReplySettings = Field(default_factory=ReplySettings)
    interpreter: InterpreterSettings = Field(default_factory=InterpreterSettings)

    def model_post_init(self, context: object) -> None:
        """Keep the file that the loader names."""
        source = context.get(SOURCE) if isinstance(context, dict) else None
        self._source = source if isinstance(source, Source) else None

    @property
    def source(self) -> Source | None:
        """Where programs and their words stand, for messages; None for settings that come from no file."""
        return self._source
