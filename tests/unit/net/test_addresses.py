"""Which addresses are public: the registries' list, and the standard library as a second opinion."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.net.addresses import Inside, is_public

IPV4 = st.ip_addresses(v=4)
IPV6 = st.ip_addresses(v=6)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_the_internet_is_not_public(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_the_internet_is_public(address: str):
    assert is_public(ip_address(address))


@given(IPV4)
@example(IPv4Address("192.0.0.9"))
def test_nothing_is_public_that_the_standard_library_calls_private(address: IPv4Address):
    named = (address.is_private, address.is_loopback, address.is_link_local, address.is_multicast)
    if any((*named, address.is_reserved, address.is_unspecified)):
        assert not is_public(address)


@given(IPV6)
def test_no_address_of_version_6_is_public_that_the_standard_library_calls_private(address: IPv6Address):
    named = (address.is_private, address.is_loopback, address.is_link_local, address.is_multicast)
    if address.ipv4_mapped is None and any((*named, address.is_site_local, address.is_unspecified)):
        assert not is_public(address)


@given(IPV4)
def test_an_address_that_carries_another_is_judged_by_it(address: IPv4Address):
    number = int(address)
    for carrier in (0xFFFF << 32, 0x64FF9B << 96):
        assert is_public(IPv6Address(carrier | number)) == is_public(address)


def test_what_is_inside_is_named_by_host_address_or_network():
    inside = Inside.of(["App.Internal.", "10.0.0.5", "10.1.0.0/16", "fd00::/8"])
    assert inside.names("app.internal")
    assert inside.names("10.0.0.5")
    assert inside.names("[fd00::1]")
    assert not inside.names("other.internal")
    assert not inside.names("10.0.0.6")
    assert inside.has(ip_address("10.1.2.3"))
    assert not inside.has(ip_address("10.2.2.3"))
