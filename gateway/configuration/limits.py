"""The tables `[limits]` and `[retention]`: how much is taken at once, and how long what is no consent is kept."""

from pydantic import Field

from gateway.configuration.table import Table

# An address has up to 256 characters, in quotes, with a comma, some of them escaped.
_BYTES_AN_ADDRESS = 320


class LimitSettings(Table):
    """How much the gateway takes at once."""

    body_bytes: int = Field(
        default=65536, ge=4096, le=16_777_216, description="Largest body of a webhook or one-click request."
    )
    group: int = Field(
        default=128, ge=1, le=4096, description="Most messages that share one commit of the database."
    )
    backlog: int = Field(
        default=4096, ge=16, le=65535, description="Connections that may wait to be accepted."
    )
    check_addresses: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Most addresses in one POST /v1/check."
    )
    link_recipients: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Most recipients in one POST /v1/unsubscribe-links."
    )
    link_expiry_days: int | None = Field(
        default=None,
        ge=60,
        description=(
            "Days for which an unsubscribe link works; without it, for ever. Law asks for 30 days "
            "(CAN-SPAM) and 60 (CASL) at least."
        ),
        examples=[365],
    )
    part_seconds: int = Field(
        default=120,
        ge=5,
        le=3600,
        description=(
            "How long the parts of a long message are waited for, where the provider delivers them one by one. "
            "After it each part that is there is read alone."
        ),
    )
    dead_letters: int = Field(
        default=100_000,
        ge=100,
        le=10_000_000,
        description="Most dead letters that are kept; beyond, the handled ones go first, then the oldest.",
    )

    def bulk_body(self, addresses: int) -> int:
        """Return the most bytes of a request that may hold so many addresses."""
        return self.body_bytes + addresses * _BYTES_AN_ADDRESS

    @property
    def largest_body(self) -> int:
        """The most bytes of any request."""
        return self.bulk_body(max(self.check_addresses, self.link_recipients))


class RetentionSettings(Table):
    """How long things are kept that are no record of consent. The worker deletes what is older."""

    dead_letters_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description=(
            "Days for which webhooks that could not be read are kept, handled or not. They hold what people "
            "wrote: no longer than you need to have them looked at."
        ),
    )
    outbox_days: int = Field(
        default=30,
        ge=7,
        le=3650,
        description=(
            "Days for which it is kept what became of replies, forwarded webhooks and entries of providers' lists. "
            "What was forwarded well loses its content at once; it is known again for so long."
        ),
    )
    nonces_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description=(
            "Days for which the nonces of signatures are kept that do not cover the body. Within them nobody can "
            "send other content under a signature that was overheard."
        ),
    )
