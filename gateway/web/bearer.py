"""Operator tokens in the Authorization header (RFC 6750)."""

from gateway.errors import CallerError, NotAuthenticError
from gateway.house import House
from gateway.store.tokens import TokenIdentity
from gateway.web.guard import TokenScope

_SCHEME = "bearer"


class BearerError(NotAuthenticError):
    """No token, or none that is good: never told which. Answered with 401."""


class ScopeError(CallerError):
    """The token is good but may not do this. Answered with 403."""

    def __init__(self, scope: TokenScope) -> None:
        super().__init__(f"this token lacks the scope {scope}")
        self.scope = scope


def authorize(house: House, header: str | None, scope: TokenScope) -> TokenIdentity:
    """Return whose token the Authorization header holds.

    Raises `BearerError` for a header that is missing or malformed and for a token that is unknown, altered,
    expired or revoked, all alike; `ScopeError` when a good token lacks the scope; `OurTroubleError` when the
    database cannot be read.
    """
    scheme, _, token = (header or "").partition(" ")
    try:
        identity = house.reader.tokens.verify(token.strip(" ") if scheme.lower() == _SCHEME else "")
    except NotAuthenticError:
        raise BearerError("a valid bearer token is needed") from None
    if scope not in identity.scopes:
        raise ScopeError(scope)
    return identity
