"""Types of single settings: each normalises its value, or says what is wrong with it and what to do."""

import re
import string
from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo
from pydantic_core import PydanticCustomError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from gateway.consent.address import Address, AddressError, Channel, normal_sender
from gateway.keywords.tags import broader

SECRET_CHARACTERS = 32
KNOWN_LANGUAGES = "languages"  # in a validation's context: the tags of all known languages
OURS = "wrong"  # the type of the errors that our own validators raise
TEMPLATE_NAMES = ("name", "contact", "frequency")
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"

_MAX_PORT = 65535
_BIND = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):(?P<port>[0-9]{1,5})|unix:/.+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,6}")
# Alphanumeric ids of networks, messaging service ids and mail domains; at least one letter.
_NAMED_SENDER = re.compile(r"(?=.*[A-Z])[!-~](?:[ -~]{0,251}[!-~])?")
# As printed on letterheads, vanity numbers too: 1-800-FLOWERS, +44 (0)20 7946 0000.
_PRINTED_PHONE = re.compile(r"[+(]?[0-9][0-9A-Z ().-]{4,22}[0-9A-Z]")
_TAG = re.compile(
    r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,16})*"
)  # as BCP 47 has them; our private parts may be longer
_POSTGRES_DRIVERS = ("postgresql", "postgresql+psycopg")
_SQLITE_DRIVERS = ("sqlite", "sqlite+pysqlite")
# libpq takes these as query parameters of the URL too.
_SECRET_PARAMETERS = ("password", "sslpassword")


def wrong(problem: str, remedy: str) -> PydanticCustomError:
    """Return the error of a validator. Neither text may hold the value of a secret."""
    return PydanticCustomError(OURS, "{problem}", {"problem": problem, "remedy": remedy})


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_public_url(value: str) -> str:
    """Return a public base URL without slash at its end; raise unless it is https, or http on loopback.

    Links and provider signatures are made from it letter by letter, so nothing else is normalised.
    """
    remedy = "Give it like https://consent.example.com, without query, fragment and credentials."
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        raise wrong("is not a URL", remedy) from None
    plain = value.isascii() and value.isprintable() and not re.search(r"[\s?#@\\]", value)
    if not (usable and plain and parts.hostname):
        raise wrong("is not a base URL", remedy)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise wrong(
            "must be https: tokens and personal data would cross the network in the clear",
            "Use https; http is accepted for this machine only, like http://127.0.0.1:8080.",
        )
    return value.rstrip("/")


def _bind(value: str) -> str:
    match = _BIND.fullmatch(value)
    if match is None or int(match["port"] or 0) > _MAX_PORT:
        raise wrong("is not an address to listen on", "Give HOST:PORT or unix:/PATH.")
    return value


def parsed_database_url(url: SecretStr) -> URL:
    """Return the URL in SQLAlchemy's form; raise `ArgumentError` or `ValueError` for text that is none."""
    return make_url(url.get_secret_value())


def masked_database_url(url: SecretStr) -> str:
    """Return a database URL that may be logged: passwords are replaced by ***."""
    parsed = parsed_database_url(url)
    masks = {name: "***" for name in _SECRET_PARAMETERS if name in parsed.query}
    return parsed.update_query_dict(masks).render_as_string(hide_password=True)


def _database_url(value: SecretStr) -> SecretStr:
    # Platforms hand out postgres://, which SQLAlchemy 2 no longer knows.
    text = re.sub(r"^postgres://", "postgresql://", value.get_secret_value())
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _POSTGRES_DRIVERS + _SQLITE_DRIVERS:
        raise wrong(
            "is not a database URL of a kind the gateway speaks",
            "Give sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME; escape @ / : in the password.",
        )
    if url.drivername in _SQLITE_DRIVERS and (url.database or ":memory:") == ":memory:":
        raise wrong(
            "is a database in memory, which keeps nothing", "Give a file: sqlite:///var/gateway.sqlite3"
        )
    return SecretStr(text)


def _long_secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SECRET_CHARACTERS:
        raise wrong(
            f"must have at least {SECRET_CHARACTERS} characters",
            "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return value


def _sender(value: str) -> str:
    sender = normal_sender(value)
    if not any(form.fullmatch(sender) for form in (_E164, _SHORT_CODE, _NAMED_SENDER)):
        raise wrong(
            "is not a sender",
            "Give a number in E.164 like +15550100123, a short code, an alphanumeric id or a mail domain.",
        )
    return sender


def _mailbox(value: str) -> str:
    try:
        return Address.parse(Channel.EMAIL, value).value
    except AddressError:
        raise wrong("is not a mailbox", "Give it as local-part@domain, without mailto: and name.") from None


def _contact(value: str) -> str:
    text = value.strip()
    if _PRINTED_PHONE.fullmatch(text):
        return text
    try:
        Address.parse(Channel.EMAIL, text)
    except AddressError:
        raise wrong("is neither a phone number nor a mailbox", "Give the one that people may use.") from None
    return text


def _template(value: str) -> str:
    """Return a text whose only placeholders are `TEMPLATE_NAMES`."""
    names = ", ".join(f"{{{name}}}" for name in TEMPLATE_NAMES)
    try:
        parts = list(string.Formatter().parse(value))
    except ValueError:
        raise wrong("has an unpaired brace", "Write {{ and }} for literal braces.") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in TEMPLATE_NAMES or form or conversion):
            raise wrong("has an unknown placeholder", f"Use only {names}; write {{{{ and }}}} for braces.")
    return value


@lru_cache(maxsize=1)
def shipped_languages() -> tuple[str, ...]:
    """Return the codes of the languages that the interpreter ships, sorted."""
    folder = files("gateway.keywords") / "languages"
    return tuple(sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".toml")))


def _language(value: str, info: ValidationInfo) -> str:
    """Return a known language tag in lower case: "en-au" where "en" is known.

    The context may name the known ones, with those of a deployment; without it they are the shipped ones.
    """
    context = info.context if isinstance(info.context, dict) else {}
    known: tuple[str, ...] = context.get(KNOWN_LANGUAGES) or shipped_languages()
    if not _TAG.fullmatch(value) or known_as(value, known) is None:
        raise wrong("is not a language that the gateway reads", f"Choose from: {', '.join(known)}.")
    return value.lower()


def known_as(tag: str, known: Collection[str]) -> str | None:
    """Return the known tag that stands for this one, None for none."""
    return next((each for each in broader(tag) if each in known), None)


Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Words = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
PublicUrl = Annotated[str, AfterValidator(checked_public_url)]
Bind = Annotated[str, AfterValidator(_bind)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
LongSecret = Annotated[SecretStr, AfterValidator(_long_secret)]
Sender = Annotated[str, AfterValidator(_sender)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Contact = Annotated[str, AfterValidator(_contact)]
Language = Annotated[str, AfterValidator(_language)]
# 1600 characters is the most that providers split into segments.
Template = Annotated[str, Field(min_length=1, max_length=1600), AfterValidator(_template)]
