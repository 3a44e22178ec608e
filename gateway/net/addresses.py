"""Which IP addresses are the public internet, and which of the others an operator lets be reached.

Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890), RFC 6052 (NAT64). The lists
stand here since those of the standard library change with its version.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Self

IPAddress = IPv4Address | IPv6Address
_IPNetwork = IPv4Network | IPv6Network

_CLOSED_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' own; also a cloud's metadata service at 100.100.100.200
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's metadata and control address, public by its number only
            "169.254.0.0/16",  # link-local; the usual metadata service at 169.254.169.254
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",  # multicast and reserved
        ),
    )
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_CLOSED_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols, among them Teredo, which carries an IPv4 address
            "2001:db8::/32",
            "2002::/16",  # 6to4, which carries one too
            "3fff::/20",
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: IPAddress) -> bool:
    """Tell whether an address belongs to the public internet; one that carries another is judged by that."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_IPV4)
    inner = _carried(address)
    if inner is not None:
        return is_public(inner)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _CLOSED_IPV6)


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


@dataclass(frozen=True, slots=True)
class Inside:
    """What may be reached though it is not public: hosts by name, addresses and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[_IPNetwork, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """Read names, addresses and networks (`10.0.0.0/8`); what is no address is a name."""
        found = [(entry, _network(entry)) for entry in entries]
        hosts = frozenset(normal_host(entry) for entry, network in found if network is None)
        return cls(hosts, tuple(network for _, network in found if network is not None))

    def names(self, host: str) -> bool:
        """Tell whether a host is named, be it by an address that it is written as."""
        return normal_host(host) in self.hosts or self.has(written_address(host))

    def has(self, address: IPAddress | None) -> bool:
        """Tell whether an address is in one of the networks."""
        return address is not None and any(address in network for network in self.networks)


def normal_host(host: str) -> str:
    """Return a host name in the form in which names are compared."""
    return host.strip("[]").rstrip(".").lower()


def written_address(host: str) -> IPAddress | None:
    """Return the address that a host is written as, None for a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _network(entry: str) -> _IPNetwork | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None
