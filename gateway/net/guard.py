"""Keeps outgoing calls out of private networks: a name is resolved once, and every address of it is judged."""

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import GatewayError
from gateway.net.addresses import Inside, is_public, normal_host, written_address

# As `socket.getaddrinfo` returns it: family, type, protocol, canonical name, address.
Target = tuple[int, int, int, str, tuple[Any, ...]]
Resolve = Callable[[str, int], Sequence[Target]]


class NothingSentError(GatewayError):
    """The call failed before the request left, or was not allowed: repeating it does no harm."""


class NotAllowedError(NothingSentError):
    """The call would go where the operator has not let it go."""


def resolved(host: str, port: int) -> Sequence[Target]:
    """Return the addresses of a host, as the system's resolver knows them."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides where calls may go. `inside` is what the operator allows by name."""

    inside: Inside = field(default_factory=Inside)
    resolve: Resolve = resolved

    def targets(self, host: str, port: int, *, is_plain: bool, seconds: float) -> Sequence[Target]:
        """Return the addresses to connect to, all of them judged; whoever connects must take these.

        Raises `NotAllowedError` when one of them is not public and not allowed, or when the call is not
        encrypted (`is_plain`) and its host not allowed; `NothingSentError` when the name is unknown.
        """
        is_named = self.inside.names(host)
        targets = _resolved_within(self.resolve, host, port, seconds)
        if is_named:
            return targets
        addresses = [written_address(str(target[4][0])) for target in targets]
        if all(map(self.inside.has, addresses)):
            return targets
        if is_plain:
            raise NotAllowedError(f"{normal_host(host)}: plain http is for hosts that outgoing.allow names")
        if not all(
            address is not None and (is_public(address) or self.inside.has(address)) for address in addresses
        ):
            raise NotAllowedError(f"{normal_host(host)} is in a private network: name it in outgoing.allow")
        return targets

    def judge_unresolved(self, host: str, *, is_plain: bool) -> None:
        """Judge a host that a proxy will resolve, by what is written; raise `NotAllowedError`."""
        if self.inside.names(host):
            return
        address = written_address(host)
        if is_plain or normal_host(host) == "localhost" or (address is not None and not is_public(address)):
            raise NotAllowedError(f"{normal_host(host)} is not public or not encrypted: see outgoing.allow")


def _resolved_within(resolve: Resolve, host: str, port: int, seconds: float) -> Sequence[Target]:
    """Resolve in bounded time: the system's resolver knows no time limit and cannot be interrupted."""
    found: list[Sequence[Target]] = []

    def ask() -> None:
        try:
            found.append(resolve(host.strip("[]"), port))
        except (OSError, UnicodeError):  # unknown, or no name at all
            found.append(())

    thread = threading.Thread(target=ask, name="resolver", daemon=True)
    thread.start()
    thread.join(seconds)
    if not found or not found[0]:
        raise NothingSentError(f"{normal_host(host)} could not be resolved")
    return found[0]
