"""Self-contained encrypted tokens: what a link in a message allows, and to whom, with no row behind it.

    1<key id>.<base64url, no padding, of the AES-256-SIV ciphertext>

AES-SIV (RFC 5297) is chosen over a cipher with random nonces for three reasons. The same grant gives the
same URL, so a repeated send repeats its headers. It has no bound on messages per key, and these links live
for years. And a token is 16 bytes longer than its contents, not 28. What it gives away, that two equal
tokens hold equal grants, is known to whoever has both links.

The version, the key id and the purpose are associated data: a token opens only as what it was minted for.
"""

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.consent.address import Address, Channel
from gateway.errors import CallerError, ConfigurationError, NotAuthenticError

MAX_TOKEN_CHARS = 700
MIN_UNSUBSCRIBE_SECONDS = 60 * 86_400  # CASL s.11(2); CAN-SPAM and the Australian Spam Act ask for 30 days

_VERSION = "1"
_KEY_ID = re.compile(r"[A-Za-z0-9]{1,8}", re.ASCII)
_MIN_SECRET = 32
_HEAD = struct.Struct(">BIIHB")  # channel, issued at, expires at (0: never), octets of address, of scope
# Links in old mail hold these places as numbers: append only.
_CHANNELS = (
    Channel.SMS,
    Channel.WHATSAPP,
    Channel.EMAIL,
    Channel.PUSH,
    Channel.CALL,
    Channel.FAX,
    Channel.POSTAL,
)
_CODES = {channel: code for code, channel in enumerate(_CHANNELS)}


class LinkPurpose(StrEnum):
    """What a link is for. A token of one purpose does not open for another."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


class GrantError(CallerError):
    """The grant does not fit into a link. The message has no personal data."""


class BadTokenError(NotAuthenticError):
    """The token is unknown, altered, cut, expired, of another key or another purpose: never told which."""

    def __init__(self) -> None:
        super().__init__("this link is not valid")


@dataclass(frozen=True, slots=True)
class LinkKey:
    """A key of the links. `id` stands readable in each token: 1 to 8 letters or digits; `secret` >= 32 bytes."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkGrant:
    """What a link allows: to act for one address, within one scope. Times are whole seconds since 1970 UTC.

    `scope` is a program's slug or `*`. `message` names the message or campaign that carried the link: it is
    evidence, and may be empty. Without `expires_at` the link never ends, which is right for unsubscribing.
    """

    purpose: LinkPurpose
    address: Address = field(repr=False)
    scope: str
    issued_at: int
    message: str = ""
    expires_at: int | None = None


class LinkTokens:
    """Mints tokens with the newest key and opens those of all keys. Safe to share between threads."""

    def __init__(self, keys: Sequence[LinkKey]) -> None:
        """Take the keys, newest first. Raises `ConfigurationError` when one is unfit or an id comes twice."""
        _check_keys(keys)
        self._ciphers = {_VERSION + key.id: _cipher(key.secret, key.id) for key in keys}
        self._newest = _VERSION + keys[0].id
        # A token that names no key of ours is tried with this one, which has never minted anything.
        self._decoy = _cipher(keys[0].secret, "")
        self._decoy_content = _HEAD.pack(0, 0, 0, 9, 1) + b"+15550100*"

    def mint(self, grant: LinkGrant) -> str:
        """Return the token of the grant: URL-safe ASCII, equal for equal grants, at most 700 characters.

        Raises `GrantError` when the grant is too long, has a field out of range, or would let a link for
        unsubscribing end within 60 days.
        """
        _check_life(grant)
        sealed = self._ciphers[self._newest].encrypt(_pack(grant), _bound(self._newest, grant.purpose))
        token = f"{self._newest}.{_base64(sealed)}"
        if len(token) > MAX_TOKEN_CHARS:
            raise GrantError("address, scope and message id together are too long for a link")
        return token

    def open(self, token: str, purpose: LinkPurpose, *, now: int) -> LinkGrant:
        """Return the grant of a token that we minted for `purpose` and that has not ended at `now`.

        Raises `BadTokenError` for everything else, after the same steps whatever the reason: one
        decryption, one unpacking, one comparison of times.
        """
        prefix, sealed = _split(token)
        cipher = self._ciphers.get(prefix, self._decoy)
        genuine = True
        try:
            content = cipher.decrypt(sealed, _bound(prefix, purpose))
        except InvalidTag:
            genuine, content = False, self._decoy_content
        grant = _unpack(content, purpose)
        ended = grant.expires_at is not None and now >= grant.expires_at
        if ended or not genuine:
            raise BadTokenError
        return grant


def _check_keys(keys: Sequence[LinkKey]) -> None:
    if not keys:
        raise ConfigurationError("link keys: give at least one, newest first")
    if len({key.id for key in keys}) < len(keys):
        raise ConfigurationError("link keys: an id comes twice; give every key its own")
    for key in keys:
        if not _KEY_ID.fullmatch(key.id):
            raise ConfigurationError(f"link key {key.id!r}: an id is 1 to 8 ASCII letters or digits")
        if len(key.secret) < _MIN_SECRET:
            raise ConfigurationError(f"link key {key.id!r}: the secret needs at least {_MIN_SECRET} bytes")


def _cipher(secret: bytes, key_id: str) -> AESSIV:
    info = b"consent-gateway link token v1 " + key_id.encode()
    return AESSIV(HKDF(algorithm=SHA256(), length=64, salt=None, info=info).derive(secret))


def _bound(prefix: str, purpose: LinkPurpose) -> list[bytes]:
    return [prefix.encode(), purpose.encode()]


def _check_life(grant: LinkGrant) -> None:
    if grant.expires_at is None:
        return
    life = grant.expires_at - grant.issued_at
    if life <= 0:
        raise GrantError("the link would end before it begins")
    if grant.purpose is LinkPurpose.UNSUBSCRIBE and life < MIN_UNSUBSCRIBE_SECONDS:
        raise GrantError("a link for unsubscribing must work for at least 60 days")


def _pack(grant: LinkGrant) -> bytes:
    try:
        address, scope = grant.address.value.encode(), grant.scope.encode()
        code, expires_at = _CODES[grant.address.channel], grant.expires_at or 0
        head = _HEAD.pack(code, grant.issued_at, expires_at, len(address), len(scope))
        return head + address + scope + grant.message.encode()
    except (struct.error, UnicodeEncodeError):
        raise GrantError("a field of the grant is out of range or no Unicode text") from None


def _unpack(content: bytes, purpose: LinkPurpose) -> LinkGrant:
    code, issued_at, expires_at, address_size, scope_size = _HEAD.unpack_from(content)
    scope_at = _HEAD.size + address_size
    message_at = scope_at + scope_size
    return LinkGrant(
        purpose=purpose,
        address=Address(_CHANNELS[code], content[_HEAD.size : scope_at].decode()),  # we wrote it: normal form
        scope=content[scope_at:message_at].decode(),
        issued_at=issued_at,
        message=content[message_at:].decode(),
        expires_at=expires_at or None,
    )


def _split(token: str) -> tuple[str, bytes]:
    """Take a token apart. A malformed one becomes no key and as many zero octets, so that it costs the same."""
    prefix, _, text = token.partition(".")
    sealed = _canonical_octets(text) if len(token) <= MAX_TOKEN_CHARS and token.isascii() else b""
    if sealed:
        return prefix, sealed
    return "", bytes(min(len(token), MAX_TOKEN_CHARS) * 3 // 4)


def _canonical_octets(text: str) -> bytes:
    """Decode strictly: of all spellings that a lenient decoder takes for the same octets, only ours passes."""
    try:
        octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
    return octets if _base64(octets) == text else b""


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
