"""The keys of one gateway, derived from its master secret, each for one use only."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.mail.tokens import LinkKey
from gateway.settings import KeySettings

_BYTES = 32
_DERIVED_LINK_KEY = "0"


@dataclass(frozen=True, slots=True)
class Keys:
    """`subject` makes subjects of addresses, `ledger` chains the events; neither may ever change."""

    subject: bytes = field(repr=False)
    ledger: bytes = field(repr=False)
    links: tuple[LinkKey, ...] = field(repr=False)

    @classmethod
    def of(cls, settings: KeySettings) -> "Keys":
        """Derive the keys (HKDF-SHA-256, RFC 5869)."""
        master = settings.master.get_secret_value().encode()
        links = tuple(LinkKey(key.id, key.secret.get_secret_value().encode()) for key in settings.links)
        return cls(
            subject=_derive(master, "subject"),
            ledger=_derive(master, "ledger"),
            # Last: links made before the first key was configured must go on working.
            links=(*links, LinkKey(_DERIVED_LINK_KEY, _derive(master, "links"))),
        )


def _derive(master: bytes, use: str) -> bytes:
    info = f"consent-gateway {use} v1".encode()
    return HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=info).derive(master)
