"""The three kinds of error. Each has one meaning for the other side, mapped in one place (`web/errors.py`)."""


class GatewayError(Exception):
    """Anything the gateway raises on purpose."""


class CallerError(GatewayError):
    """The caller is wrong: a 4xx. Repeating the same request will not help."""


class NotAuthenticError(CallerError):
    """The request does not prove who sent it. The answer never says which check failed."""


class OurTroubleError(GatewayError):
    """We are wrong or unable: a 5xx, so that the other side retries."""


class NotForUsError(GatewayError):
    """Genuine, but nothing we act on: acknowledged with the provider's own success form."""


class ConfigurationError(GatewayError):
    """A setting is missing or wrong. The message names the key, the place and the remedy."""
