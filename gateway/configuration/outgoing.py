"""The table `[outgoing]`: where calls to providers and applications may go, and by which way."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from gateway.configuration.table import Table
from gateway.configuration.values import wrong
from gateway.net.addresses import Inside

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")


def _inside(entry: str) -> str:
    if Inside.of([entry]).networks or _HOST.fullmatch(entry):
        return entry
    raise wrong(
        "is neither a host nor an address",
        "Give a host name, an address or a network, like app.internal, 10.0.0.5 or 10.1.0.0/16; no URL, no port.",
    )


def _proxy(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise wrong("is not the URL of a proxy", "Give it like http://proxy.internal:3128.")
    return value


class OutgoingSettings(Table):
    """Where calls to providers and applications may go. Without it: by https, to the public internet only."""

    allow: tuple[Annotated[str, AfterValidator(_inside)], ...] = Field(
        default=(),
        description=(
            "Hosts, addresses and networks that may be reached though they are not in the public internet, and by "
            "plain http. Everything else inside is refused, whatever name leads there."
        ),
        examples=[["app.internal", "10.0.0.5"]],
    )
    proxy: Annotated[SecretStr, AfterValidator(_proxy)] | None = Field(
        default=None,
        description=(
            "HTTP proxy for all outgoing calls. It resolves the names, so it must refuse private networks itself. "
            "HTTPS_PROXY and its kin in the environment are not looked at."
        ),
        examples=["http://proxy.internal:3128"],
    )
    ca_file: str | None = Field(
        default=None,
        description="PEM file of the certificate authorities to trust, in place of those of the world.",
        examples=["/etc/ssl/certs/ca-certificates.crt"],
    )
